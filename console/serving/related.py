"""What is said of lists of related items that are not what was asked for."""

from __future__ import annotations

from recipes.base import Model
from recipes.numerics.arrays import Indexes


def unrelated(model: Model, item_id: str, query: Indexes) -> list[str]:
    """A sentence where the model knows nothing that goes with the query item, (1,): the list is then of popular items."""
    if model.has_relations(query)[0]:
        return []
    return [f'The model knows nothing that goes with the item "{item_id}"; popular items are listed.']
