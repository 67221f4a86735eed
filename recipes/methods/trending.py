"""aws-trending-now: items whose popularity rose most from one window of time to the next, the same list for everyone.

The rise is a difference of counts of users, as in AWS's description of 2023; where nothing happened of late, popular items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from recipes.base import Contribution, Model, Recipe, RecipeType, State, hyperparameter
from recipes.data import Histories, TrainingData
from recipes.methods.popularity import weighted_users
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run

SECONDS = {"30 minutes": 1800, "1 hour": 3600, "2 hours": 7200, "3 hours": 10_800, "1 day": 86_400}
SPELLINGS = {
    "30 min": "30 minutes",
    "30 minute": "30 minutes",
    "30m": "30 minutes",
    "1h": "1 hour",
    "1 hours": "1 hour",
    "2h": "2 hours",
    "2 hour": "2 hours",
    "3h": "3 hours",
    "3 hour": "3 hours",
    "1d": "1 day",
    "1 days": "1 day",
}


def trend(data: TrainingData, window: int, now: int) -> Floats:
    """Return the rise of each item: users in the newest window minus users in the one before; ties rank by popularity.

    Args:
        data: the events, with their weights if there are any.
        window: seconds.
        now: the end of the newest window, epoch seconds.

    Returns:
        (N,) the rise plus a fraction below 1 that grows with popularity.
    """
    age = now - data.interactions.timestamp
    newest, before = (weighted_users(data, (age >= low) & (age < low + window)) for low in (0, window))
    popularity = weighted_users(data)
    share = popularity / (1 + max(0, popularity.max(initial=0)))
    return np.asarray(newest - before + share, np.float32)


class TrendingModel(Model):
    """The rise of each item as the score, the same for every history."""

    def __init__(self, recipe: Recipe, rises: Floats) -> None:
        """Keep `rises`, (N,) as `trend` makes them."""
        super().__init__(recipe, len(rises))
        self.rises = rises

    def score(self, histories: Histories) -> Floats:
        """Return the rises for each history: (B, N)."""
        return np.tile(self.rises, (len(histories), 1))

    def related(self, items: Indexes) -> Floats:
        """Return the rises for each query item: (Q, N)."""
        return np.tile(self.rises, (len(items), 1))

    def explain(self, history: Histories, item: int) -> list[Contribution]:  # noqa: ARG002  the contract says it
        """Return the item's rise as the only contribution; the history does not matter."""
        return [Contribution(-1, float(self.rises[item]), "rise from one window to the next")]

    def forget_users(self, users: Indexes) -> Self:  # noqa: ARG002  the contract says it
        """Return the model itself: rises are sums over all users."""
        return self

    def state(self) -> State:
        """The rises."""
        return State({"rises": self.rises})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """Rebuild from the rises."""
        return cls(recipe, state.tensors["rises"].reshape(num_items))


@dataclass(frozen=True)
class TrendingNow(Recipe):
    """Rank by the rise in popularity; fitting takes moments, so that it is done again every two hours."""

    name = "aws-trending-now"
    type = RecipeType.POPULAR_ITEMS
    summary = "What is rising right now; follows the events as they stream in."
    model = TrendingModel

    trend_discovery_frequency: str = hyperparameter(
        "2 hours",
        choices=tuple(SECONDS),
        featurization=True,
        help="Length of the two windows that are compared: shorter follows faster, longer is steadier.",
    )

    def __post_init__(self) -> None:
        """Accept the older spellings, too."""
        written = str(self.trend_discovery_frequency).strip().lower()
        object.__setattr__(self, "trend_discovery_frequency", SPELLINGS.get(written, written))
        super().__post_init__()

    def fit(self, data: TrainingData, run: Run) -> TrendingModel:
        """Compare the two windows that end with the newest event."""
        run.report("counting", 0.0)
        newest = int(data.interactions.timestamp.max(initial=0))
        return TrendingModel(self, self.rises(data, newest))

    def update(self, model: Model, data: TrainingData, run: Run) -> TrendingModel:  # noqa: ARG002  nothing is carried over
        """Count again, as AWS's service does every two hours; items added since are included."""
        return self.fit(data, run)

    def rises(self, data: TrainingData, now: int) -> Floats:
        """(N,) rises at `now`; only popularity is left when the last two windows are empty."""
        return trend(data, SECONDS[self.trend_discovery_frequency], now)
