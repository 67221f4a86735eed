"""The bandit of aws-user-personalization: a few places of each list go to items of which little is known and much may be hoped.

Relevance is the mean of what is known of an item (`recipes.cold_start`), its uncertainty the spread. Each request draws
from the upper half of that distribution (optimistic Thompson sampling, May et al. 2012, "Optimistic Bayesian sampling in
contextual-bandit problems"): the fewer events and impressions an item had, the further its draw may be above its relevance. The best
draws take places from the least relevant of the list, never more of them than the weight allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from recipes.cold_start.evidence import creation_times, is_new_to_log, place_rates, shown_lists, trials_of
from recipes.data import Ids, TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import top_k
from recipes.propensities import Draws, marginal

DAY = 86_400
LENGTH = 10  # of a list, where nothing is said
SPREAD = 0.8  # of an unknown item's appeal around its relevance, in log-odds: that of a gamma distribution of shape 2
PULLS = 2.0  # events after which an item's variance has halved: the shape of that distribution
MISS = 0.1  # an impression without an interaction teaches as much as this many events: a usual click-through rate
USUAL_WEIGHT = 0.3
USUAL_SHARE, MOST_SHARE = 0.3, 0.8  # of a list's places, that may be explored at the usual and at the highest weight
CAUTION, CAUTION_EVENTS = 0.4, 5.0  # success of new items before any was in a list, and events' worth of belief in it
FARTHEST = 6.0  # standard deviations beyond which no draw is waited for: one in half a billion
FAR = 15.0  # below the mean of a row: a score that says that nothing is known


@dataclass(frozen=True)
class Arms:
    """What may be explored under one cut-off.

    Attributes:
        items: (A,) indexes.
        uncertainty: (A,) of each, 1 for an item nobody saw.
        untried: (U,) those of them that nobody has taken.
    """

    items: Indexes
    uncertainty: Floats
    untried: Indexes

    def reach(self, weight: float) -> Floats:
        """(A,) the standard deviation of what a draw may add to each."""
        return np.float32(SPREAD * np.sqrt(weight / USUAL_WEIGHT)) * self.uncertainty


@dataclass(frozen=True)
class ExplorationState:
    """What is known of each item: all that exploration depends on besides relevance.

    Attributes:
        created: (N,) int64 seconds; the item's creation, else its first interaction, else the newest one of all.
        newest: seconds of the newest interaction that is not from a wrong clock, from which ages count.
        interactions: (N,) float32 events with each item.
        impressions: (N,) float32 how many lists each was shown in.
        success: how often new items were taken from lists against all items in the same places, 1 at most.
    """

    created: NDArray[np.int64]
    newest: int
    interactions: Floats
    impressions: Floats
    success: float = 1.0
    _arms: dict[float, Arms] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, data: TrainingData) -> ExplorationState:
        """Read ages and counts off the data; do it once, then `add` what happens."""
        created, newest = creation_times(data)
        shown = shown_lists(data).items
        counts = np.bincount(shown, minlength=data.num_items).astype(np.float32)
        success = _success(data, is_new_to_log(data, created, newest))
        return cls(created, newest, data.item_counts.astype(np.float32), counts, success)

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
            known = Arms(chosen, self.uncertainty()[chosen], np.flatnonzero(untried))
            self._arms[cutoff_days] = known
        return known

    def uncertainty(self) -> Floats:
        """(N,) 1 for an item nobody saw, towards 0 with every interaction and, slower, every impression without one."""
        misses = np.maximum(self.impressions - self.interactions, 0)
        return np.asarray(1 / np.sqrt(1 + (self.interactions + MISS * misses) / PULLS), np.float32)


@dataclass(frozen=True)
class Explored:
    """Scores after exploration, and what is needed to say how likely each choice was.

    Attributes:
        relevance: (B, N) the scores before.
        scores: (B, N) the scores after: higher for the items that won a place by exploration, else as before; the same array
            where none has won one.
        draws: how they were drawn; None where nothing was explored.
    """

    relevance: Floats
    scores: Floats
    draws: Draws | None = None

    def propensity(self, items: Indexes) -> Floats:
        """How likely each recommended item was to be in its list, whatever the draws of all items.

        Args:
            items: (B, K) the K best by `scores`, -1 where there are fewer (their propensity is 0).
        """
        if self.draws is None:
            return np.asarray(items >= 0, np.float32)
        return marginal(self.relevance, self.draws, items, self.is_explored(items))

    def is_explored(self, items: Indexes) -> NDArray[np.bool_]:
        """(B, K) which of the recommended items are there because of their draw."""
        if self.scores is self.relevance:
            return np.zeros(items.shape, bool)
        row, places = np.arange(len(items))[:, None], np.maximum(items, 0)
        won: NDArray[np.bool_] = (self.scores[row, places] > self.relevance[row, places]) & (items >= 0)
        return won


@dataclass(frozen=True)
class SharedDraw:
    """Draws that are the same for an item in every list of one seed, of whatever model: such lists do not differ by chance.

    Attributes:
        ids: of the N items.
        seed: 0 or more.
    """

    ids: Ids
    seed: int

    def of(self, items: Indexes) -> Floats:
        """(A,) a standard normal draw of each of the items."""
        key = str(self.seed).encode()
        digests = b"".join(blake2b(name.encode(), key=key, digest_size=8).digest() for name in self.ids.take(items))
        bits = np.frombuffer(digests, np.uint64)
        return np.asarray(ndtri(((bits >> np.uint64(11)) + 0.5) / 2**53), np.float32)


def _success(data: TrainingData, is_new: NDArray[np.bool_]) -> float:
    """How often items that are `is_new` (N,) were taken from lists, against all items in the same places; 1 at most.

    Where little is known, it is thought to be what `CAUTION` says: then a few places tell as much, and cost less.
    """
    trials = trials_of(data)
    had = expected = 0.0
    if trials is not None:
        shown = is_new[trials.item]
        had, expected = float(trials.taken[shown].sum()), float(place_rates(trials)[trials.place[shown]].sum())
    return min(1.0, (CAUTION * CAUTION_EVENTS + had) / (CAUTION_EVENTS + expected))


def most_explored(weight: float, length: int, success: float = 1.0) -> int:
    """How many places of a list may be explored: the fewer the less often new items are taken, but one at least.

    >>> [most_explored(weight, 10) for weight in (0, 0.1, 0.3, 1)], most_explored(0.3, 10, success=0.5)
    ([0, 1, 3, 8], 2)
    """
    above = max(0.0, weight - USUAL_WEIGHT) / (1 - USUAL_WEIGHT)
    share = min(weight, USUAL_WEIGHT) / USUAL_WEIGHT * USUAL_SHARE + above * (MOST_SHARE - USUAL_SHARE)
    most = int(share * length + 1e-6)
    return min(most, max(1, int(most * success + 0.5)))


def explore(
    scores: Floats,
    state: ExplorationState,
    weight: float,
    cutoff_days: float,
    rng: np.random.Generator,
    num_results: int = LENGTH,
    shared: SharedDraw | None = None,
) -> Explored:
    """Let items of which little is known win places.

    Args:
        scores: (B, N) relevance, -inf for what may not be recommended; not changed.
        state: ages and counts of the N items.
        weight: 0 leaves the scores as they are, 1 explores most.
        cutoff_days: items of this age or older are not explored.
        rng: drawn from once per eligible item and row.
        num_results: length of the lists that will be made of the scores.
        shared: what the items draw in all rows, where lists are compared; each row draws by itself without.

    Raises:
        ValueError: the weight is outside 0 to 1, or the age is not above 0.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"explorationWeight is {weight}, allowed is a number from 0 to 1.")
    if not cutoff_days > 0:
        raise ValueError(f"explorationItemAgeCutOff is {cutoff_days}, allowed is a number of days above 0.")
    arms = state.arms(cutoff_days)
    most = most_explored(weight, num_results, state.success)
    if most == 0 or len(arms.items) == 0 or scores.shape[1] <= num_results:
        return Explored(scores, scores)
    reach = arms.reach(weight)
    seed = int(rng.integers(2**63))
    level = _levelled(scores, arms)
    by_relevance = top_k(level, num_results)
    draws = Draws(arms.items, reach, by_relevance, most, seed)
    bar = by_relevance.scores[:, -1:]  # (B, 1) the last place by relevance
    size = len(scores), len(arms.items)
    noise = rng.standard_normal(size, np.float32) if shared is None else shared.of(arms.items)
    own = level[:, arms.items]  # (B, A)
    drawn = own + reach * np.abs(noise)
    has_won = (own < bar) & (drawn > bar)
    if not has_won.any():
        return Explored(level, level, draws)
    drawn[~has_won] = -np.inf
    if most < drawn.shape[1]:
        drawn[drawn < top_k(drawn, most).scores[:, -1:]] = -np.inf
    explored = level.copy()
    rows, places = np.nonzero(drawn > own)
    explored[rows, arms.items[places]] = drawn[rows, places]
    return Explored(level, explored, draws)


def _levelled(scores: Floats, arms: Arms) -> Floats:
    """Take items that nobody could try yet and nothing is known of for average ones: that there is no evidence is no judgement."""
    if not len(arms.untried):
        return scores
    new = scores[:, arms.untried]
    total, number = _finite_sums(scores)
    of_new, number_of_new = _finite_sums(new)
    mean = ((total - of_new) / np.maximum(number - number_of_new, 1)).astype(np.float32)[:, None]
    unknown = np.isfinite(new) & (new < mean - FAR)
    if not unknown.any():
        return scores
    level = scores.copy()
    level[:, arms.untried] = np.where(unknown, mean, new)
    return level


def _finite_sums(scores: Floats) -> tuple[NDArray[np.float64], Indexes]:
    """(B,) the sum of each row's finite scores, and how many they are."""
    finite = np.isfinite(scores)
    counted = scores if finite.all() else np.where(finite, scores, np.float32(0))
    return counted.sum(axis=1, dtype=np.float64), np.count_nonzero(finite, axis=1)
