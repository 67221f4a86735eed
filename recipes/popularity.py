"""aws-popularity-count: the items that most users have taken, the same list for everyone; the baseline to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.arrays import distinct
from recipes.base import Contribution, Floats, Indexes, Model, Recipe, RecipeType, Run, State
from recipes.data import Histories, TrainingData


def distinct_users(data: TrainingData) -> NDArray[np.int64]:
    """How many distinct users each item has: (N,) int64; a user who takes an item ten times counts once.

    >>> import pyarrow as pa
    >>> events = pa.table({"USER_ID": ["a", "a", "b"], "ITEM_ID": ["x", "x", "x"], "TIMESTAMP": [1, 2, 3]})
    >>> distinct_users(TrainingData.from_tables(events)).tolist()
    [2]
    """
    events = data.interactions
    pairs = distinct(events.user_index * max(1, data.num_items) + events.item_index)
    return np.bincount(pairs % max(1, data.num_items), minlength=data.num_items).astype(np.int64)


class PopularityModel(Model):
    """The number of users per item, said to everyone."""

    def __init__(self, recipe: Recipe, counts: Floats) -> None:
        """Keep `counts`, (N,) float32 distinct users of each item."""
        super().__init__(recipe, len(counts))
        self.counts = counts

    def score(self, histories: Histories) -> Floats:
        """The counts, once for each history: (B, N)."""
        return np.tile(self.counts, (len(histories), 1))

    def related(self, items: Indexes) -> Floats:
        """The counts, once for each query item: popular items go with everything."""
        return np.tile(self.counts, (len(items), 1))

    def probabilities(self, scores: Floats) -> Floats:
        """Each item's share of all counts; a softmax of counts would put everything on the first."""
        shares = np.where(np.isfinite(scores), scores, 0).astype(np.float32)
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1), np.float32)

    def explain(self, history: Histories, item: int) -> list[Contribution]:  # noqa: ARG002  the contract says it
        """The whole score is the item's popularity; no event of the history matters."""
        return [Contribution(-1, float(self.counts[item]), "users who took this item")]

    def state(self) -> State:
        """The counts."""
        return State({"counts": self.counts})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """Rebuild from the counts."""
        return cls(recipe, state.tensors["counts"].reshape(num_items))


@dataclass(frozen=True)
class PopularityCount(Recipe):
    """Rank by the number of distinct users; no hyperparameters."""

    name = "aws-popularity-count"
    type = RecipeType.USER_PERSONALIZATION
    summary = "The items that most users have taken; a baseline, and what to show to strangers."
    model = PopularityModel

    def fit(self, data: TrainingData, run: Run) -> PopularityModel:
        """Count users per item."""
        run.report("counting", 0.0)
        return PopularityModel(self, distinct_users(data).astype(np.float32))
