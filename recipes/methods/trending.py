"""aws-trending-now: items whose popularity rose most from one window of time to the next, the same list for everyone.

The rise is a difference of counts of users, as in AWS's description of 2023; where nothing happened of late, popular items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipes.base import Model, Recipe, RecipeType, hyperparameter
from recipes.data import TrainingData
from recipes.methods.popularity import SameForAllModel, weighted_users
from recipes.numerics.arrays import Floats
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


class TrendingModel(SameForAllModel):
    """The rise of each item as the score, as `trend` makes it."""

    tensor = "rises"
    reason = "rise from one window to the next"


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
