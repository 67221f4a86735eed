"""The bandit of aws-user-personalization: new items get a bonus on their relevance while little is known about them.

Optimistic Thompson sampling: an item's bonus is drawn anew for each request, half-normal, its spread that of an arm pulled
as often as the item was shown or taken (May et al. 2012, "Optimistic Bayesian sampling in contextual-bandit problems"). So the bonus
fades with interactions, faster with impressions that led to none, and the probability of each choice can be written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, ndtri

from recipes.columns import Numeric
from recipes.data import TrainingData
from recipes.numerics.arrays import Floats, Indexes

DAY = 86_400
CREATED = "CREATION_TIMESTAMP"
SHOWN = 25  # ranks that the bonus is measured against
SHARE = 0.5  # of those ranks that unknown items of mean relevance take, on average, at weight 1
LIKELIEST = 0.5  # chance of one such item to be shown, at most: where there are few, all of them need not be
PULLS = 5.0  # events after which an item's uncertainty has fallen to 1 / sqrt(2)
TINY, HALF_ROOT = np.float32(1e-30), np.float32(np.sqrt(0.5))
MISS = 2.0  # an impression without an interaction teaches as much as this many interactions


@dataclass(frozen=True)
class Arms:
    """What may be explored under one cut-off.

    Attributes:
        items: (A,) indexes.
        uncertainty: (A,) of each.
        untried: (N,) true for those that nobody has taken; None where there are none.
    """

    items: Indexes
    uncertainty: Floats
    untried: NDArray[np.bool_] | None


@dataclass(frozen=True)
class ExplorationState:
    """What is known of each item: all that exploration depends on besides relevance.

    Attributes:
        created: (N,) int64 seconds; the item's creation, else its first interaction, else the newest one of all.
        newest: seconds of the newest interaction, from which ages count.
        interactions: (N,) float32 events with each item.
        impressions: (N,) float32 how often each was shown.
    """

    created: NDArray[np.int64]
    newest: int
    interactions: Floats
    impressions: Floats
    _arms: dict[float, Arms] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, data: TrainingData) -> ExplorationState:
        """Read ages and counts off the data; do it once, then `add` what happens."""
        events, num_items = data.interactions, data.num_items
        newest = int(events.timestamp.max(initial=0))
        first = np.full(num_items, np.iinfo(np.int64).max)
        np.minimum.at(first, events.item_index, events.timestamp)
        created = np.where(data.item_counts > 0, first, newest)
        column = data.items.get(CREATED)
        if isinstance(column, Numeric):
            created = np.where(np.isnan(column.values), created, np.nan_to_num(column.values)).astype(np.int64)
        shown = events.impressions.items if events.impressions else np.zeros(0, np.int64)
        return cls(
            created.astype(np.int64),
            newest,
            data.item_counts.astype(np.float32),
            np.bincount(shown, minlength=num_items).astype(np.float32),
        )

    def add(self, taken: Indexes, shown: Indexes, newest: int = 0) -> ExplorationState:
        """The state after more events.

        Args:
            taken: items of new interactions, any number of times each.
            shown: items of new impressions.
            newest: seconds of the newest of them.
        """
        size = len(self.created)
        return replace(
            self,
            newest=max(self.newest, newest),
            interactions=self.interactions + np.bincount(taken, minlength=size).astype(np.float32),
            impressions=self.impressions + np.bincount(shown, minlength=size).astype(np.float32),
        )

    def eligible(self, cutoff_days: float) -> NDArray[np.bool_]:
        """(N,) items younger than `cutoff_days`; an age of exactly that is too old."""
        return (self.newest - self.created) < cutoff_days * DAY

    def arms(self, cutoff_days: float) -> Arms:
        """What may be explored; worked out once for each cut-off."""
        known = self._arms.get(cutoff_days)
        if known is None:
            eligible = self.eligible(cutoff_days)
            untried = eligible & (self.interactions == 0)
            chosen = np.flatnonzero(eligible)
            known = Arms(chosen, self.uncertainty()[chosen], untried if untried.any() else None)
            self._arms[cutoff_days] = known
        return known

    def uncertainty(self) -> Floats:
        """(N,) 1 for an item nobody saw, towards 0 with every interaction and, faster, every impression without one."""
        misses = np.maximum(self.impressions - self.interactions, 0)
        return np.asarray(1 / np.sqrt(1 + (self.interactions + MISS * misses) / PULLS), np.float32)


@dataclass(frozen=True)
class Explored:
    """Scores after exploration, and what is needed to say how likely each choice was.

    Attributes:
        relevance: (B, N) the scores before.
        scores: (B, N) the scores after.
        reach: (B, N) standard deviation of the drawn bonus; 0 for items that are not explored.
    """

    relevance: Floats
    scores: Floats
    reach: Floats

    def propensity(self, items: Indexes) -> Floats:
        """How likely each recommended item was to be among the K of its row, given the others' bonuses.

        An item that would be there without a bonus has 1.

        Args:
            items: (B, K) the K best by `scores`, -1 where there are fewer (their propensity is 0).
        """
        there = items >= 0
        row, places = np.arange(len(items))[:, None], np.where(there, items, 0)
        missing = np.maximum(self._bar(items)[:, None] - self.relevance[row, places], 0)
        missing /= np.maximum(self.reach[row, places], TINY)
        return np.where(there, erfc(missing * HALF_ROOT), np.float32(0))

    def is_explored(self, items: Indexes) -> NDArray[np.bool_]:
        """(B, K) which of the recommended items relevance alone would not have put there."""
        return (self.propensity(items) < 1) & (items >= 0)

    def _bar(self, items: Indexes) -> Floats:
        """(B,) the best score left out of the list; what an item of the list had to beat."""
        size = items.shape[1]
        if size >= self.scores.shape[1]:
            return np.full(len(items), -np.inf, np.float32)
        place = self.scores.shape[1] - 1 - size
        return np.asarray(np.partition(self.scores, place, axis=1)[:, place], np.float32)


def explore(
    scores: Floats, state: ExplorationState, weight: float, cutoff_days: float, rng: np.random.Generator
) -> Explored:
    """Add the bonus of exploration to relevance.

    Args:
        scores: (B, N) relevance, -inf for what may not be recommended; not changed.
        state: ages and counts of the N items.
        weight: 0 leaves the scores as they are, 1 explores most.
        cutoff_days: items of this age or older are not explored.
        rng: drawn from once per eligible item and row.

    Raises:
        ValueError: the weight is outside 0 to 1, or the age is not above 0.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"explorationWeight is {weight}, allowed is a number from 0 to 1.")
    if not cutoff_days > 0:
        raise ValueError(f"explorationItemAgeCutOff is {cutoff_days}, allowed is a number of days above 0.")
    reach = np.zeros_like(scores)
    arms = state.arms(cutoff_days)
    chosen = arms.items
    if weight == 0 or len(chosen) == 0:
        return Explored(scores, scores, reach)
    spread = _reach(weight, len(chosen)) * _span(scores)[:, None] * arms.uncertainty  # (B, eligible)
    explored = scores.copy()
    explored[:, chosen] += spread * np.abs(rng.standard_normal(spread.shape, np.float32))
    reach[:, chosen] = spread
    return Explored(scores, explored, reach)


def _reach(weight: float, eligible: int) -> np.float32:
    """Spread of an unknown item's bonus, in ways from mean relevance to the last shown rank.

    It is chosen so that of `eligible` unknown items of mean relevance `weight * SHARE * SHOWN` get over that rank, whether
    the catalogue has ten new items or ten thousand: 2 P(N > 1 / reach) = the chance wanted of each.
    """
    chance = min(LIKELIEST, weight * SHARE * SHOWN / eligible)
    return np.float32(1 / -ndtri(chance / 2))


def _span(scores: Floats) -> Floats:
    """(B,) how far the last shown rank is above mean relevance; above 0."""
    place = max(0, scores.shape[1] - SHOWN)
    last = np.partition(scores, place, axis=1)[:, place]
    if np.isfinite(scores).all():
        mean = scores.mean(axis=1)
        return np.asarray(np.maximum(last - mean, 1e-6 + 1e-3 * np.abs(mean)), np.float32)
    finite = np.isfinite(scores)
    mean = np.where(finite, scores, 0).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)
    top = np.where(np.isfinite(last), last, scores.max(axis=1, initial=-np.inf))
    span = np.where(np.isfinite(top), top, 0) - mean
    return np.asarray(np.maximum(span, 1e-6 + 1e-3 * np.abs(mean)), np.float32)
