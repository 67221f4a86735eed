"""aws-popularity-count: the items that most users have taken, the same list for everyone; the baseline to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recipes.base import Contribution, Model, Recipe, RecipeType, State, at_items
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes, distinct, pair_keys
from recipes.numerics.grouping import whole_groups
from recipes.run import Run


def distinct_users(data: TrainingData) -> NDArray[np.int64]:
    """Count the distinct users of each item: (N,) int64; a user who takes an item ten times counts once.

    >>> import pyarrow as pa
    >>> events = pa.table({"USER_ID": ["a", "a", "b"], "ITEM_ID": ["x", "x", "x"], "TIMESTAMP": [1, 2, 3]})
    >>> distinct_users(TrainingData.from_tables(events)).tolist()
    [2]
    """
    events, counts = data.interactions, np.zeros(data.num_items, np.int64)
    for block in whole_groups(events.user_index):
        pairs = distinct(pair_keys(events.user_index[block], events.item_index[block], data.num_items))
        counts += np.bincount(pairs % max(1, data.num_items), minlength=data.num_items)
    return counts


def weighted_users(data: TrainingData, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """(N,) weighted number of users of each item; a user counts as the heaviest of their events with the item.

    Args:
        data: with or without event weights; without them this is `distinct_users`.
        chosen: (E,) the events that count; all by default.
    """
    events = data.interactions
    if events.weight is None and chosen is None:
        return distinct_users(data).astype(np.float64)
    total = np.zeros(data.num_items)  # added to one event after the other, so that blocks change nothing
    for block in whole_groups(events.user_index):
        places: Any = block if chosen is None else block.start + np.flatnonzero(chosen[block])
        item = events.item_index[places]
        pair = pair_keys(events.user_index[places], item, data.num_items)
        if events.weight is None:
            np.add.at(total, distinct(pair) % max(1, data.num_items), 1.0)
            continue
        weight = events.weight[places]
        order = np.lexsort((weight, pair))
        heaviest = order[np.diff(pair[order], append=-1) != 0]
        np.add.at(total, item[heaviest], weight[heaviest].astype(np.float64))
    return total


class SameForAllModel(Model):
    """One score for each item, whatever the history.

    Class attributes:
        tensor: name of the scores in artefacts.
        reason: what a score is, in words for explanations.
    """

    tensor: ClassVar[str]
    reason: ClassVar[str]

    def __init__(self, recipe: Recipe, scores: Floats) -> None:
        """Keep `scores`, (N,) float32."""
        super().__init__(recipe, len(scores))
        self.scores = scores

    def score(self, histories: Histories) -> Floats:
        """Return the scores for each history: (B, N)."""
        return np.tile(self.scores, (len(histories), 1))

    def related(self, items: Indexes) -> Floats:
        """Return the scores for each query item: (Q, N)."""
        return np.tile(self.scores, (len(items), 1))

    def explain(self, history: Histories, item: int) -> list[Contribution]:  # noqa: ARG002  the contract says it
        """Return the item's score as the only contribution; the history does not matter."""
        return [Contribution(-1, float(self.scores[item]), self.reason)]

    def forget_users(self, users: Indexes) -> Self:  # noqa: ARG002  the contract says it
        """Return the model itself: the scores are sums over all users."""
        return self

    def state(self) -> State:
        """The scores."""
        return State({self.tensor: self.scores})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """Rebuild from the scores."""
        return cls(recipe, state.tensors[cls.tensor].reshape(num_items))


class PopularityModel(SameForAllModel):
    """The number of users per item as the score, weighted by their events."""

    tensor = "counts"
    reason = "users who took this item"

    def probabilities(self, scores: Floats, items: Indexes | None = None) -> Floats:
        """Return each item's share of all counts; a softmax of counts would put all weight on the first."""
        shares = np.where(np.isfinite(scores), scores, 0).astype(np.float32)
        return np.asarray(at_items(shares, items) / np.maximum(shares.sum(axis=1, keepdims=True), 1), np.float32)


@dataclass(frozen=True)
class PopularityCount(Recipe):
    """Rank by the number of distinct users; no hyperparameters."""

    name = "aws-popularity-count"
    type = RecipeType.USER_PERSONALIZATION
    summary = "The items that most users have taken; a baseline, and what to show to unknown users."
    model = PopularityModel

    def fit(self, data: TrainingData, run: Run) -> PopularityModel:
        """Count users per item."""
        run.report("counting", 0.0)
        return PopularityModel(self, weighted_users(data).astype(np.float32))
