"""Scores of items that are in the history already, by a table of repeat rates over recency and count.

Films are watched once, groceries are bought again; the rate at which an item of the history is the next event, by how
long ago it last occurred and how often it did, says which kind of data this is (cf. Ren et al. 2019, RepeatNet).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recipes.components.contract import Component, Tensors, Values
from recipes.data import Histories
from recipes.numerics.arrays import EventIndexes, Floats, Indexes

LAGS, COUNTS = 12, 6  # buckets, in powers of two
PRIOR = 20.0  # exposures at the mean rate added to every bucket
MIN_RATE = 1e-5  # below which a repeat rate counts as this
RATE_USERS = 3000  # whose histories the rates are counted in
MAX_AGE, MAX_COUNT = 2 ** (LAGS - 1), 2 ** (COUNTS - 1)  # from which on all are in the last bucket


@dataclass(frozen=True)
class Added:
    """(S,) rows, which rise, items and what they get; where an item is there again, it gets the same and only once."""

    row: Indexes
    item: EventIndexes
    value: NDArray[np.float32]


@dataclass(frozen=True)
class Repeats(Component):
    """What an item of the history gets for being there: seen + repeat · log(rate of its buckets).

    Attributes:
        rates: (LAGS, COUNTS) repeat rates by buckets of the newest occurrence's age and of the count.
        seen: added to every item of the history; very negative where data never repeat.
        repeat: weight of the logarithm of the repeat rate.
    """

    key: ClassVar[str] = "repeats"

    rates: Floats
    seen: float = 0.0
    repeat: float = 0.0

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add it once for each distinct item."""
        if self.repeat or self.seen:
            added = self.added(histories, scores.shape[1])
            scores[added.row, added.item] += added.value

    def added(self, histories: Histories, num_items: int) -> Added:
        """What the items of the histories get, among `num_items`."""
        if not self.repeat:
            size = len(histories.item_index)
            return Added(histories.row, histories.item_index, np.full(size, self.seen, np.float32))
        found = seen_items(histories, num_items)
        return Added(found.row, found.item, self._table[found.lag, found.count])

    def add_to_row(self, scores: NDArray[np.float32], history: Histories) -> None:
        """The same for one history, by a table of ages and counts instead of buckets."""
        items = history.item_index[history.offsets[0] : history.offsets[1]]
        if self.repeat:
            scores[items] += self._of_events(items, len(scores))
        elif self.seen:
            scores[items] += np.float32(self.seen)

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """The newest event with the item has all of it."""
        shares = np.zeros(len(history.item_index), np.float32)
        places = np.flatnonzero(history.item_index == item)
        if len(places):
            row = np.zeros(int(history.item_index.max()) + 1, np.float32)
            self.add_to_row(row, history)
            shares[places[-1]] = row[item]
        return shares

    def tensors(self) -> Tensors:
        """The rates."""
        return {f"{self.key}.rates": self.rates}

    def values(self) -> Values:
        """Both weights."""
        return {"seen": self.seen, "repeat": self.repeat}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        return cls(tensors[f"{cls.key}.rates"], values["seen"], values["repeat"])

    @cached_property
    def _table(self) -> Floats:
        """(LAGS, COUNTS) what items get by their buckets."""
        return seen_scores(self.rates, self.seen, self.repeat)

    @cached_property
    def _by_age_and_count(self) -> NDArray[np.float32]:
        """(MAX_AGE, MAX_COUNT) the same by the age of the newest event and the number of events, less one."""
        lags, counts = lag_buckets(np.arange(MAX_AGE)), count_buckets(np.arange(1, MAX_COUNT + 1))
        return np.ascontiguousarray(self._table[lags[:, None], counts[None, :]], np.float32)

    def _of_events(self, items: EventIndexes, num_items: int) -> NDArray[np.float32]:
        """(E,) what the item of each event gets; the same wherever it occurs, so that it may be assigned again and again."""
        size = len(items)
        last = np.empty(num_items, np.int64)
        last[items] = np.arange(size)  # where an item occurs again, the later one stays
        age = np.minimum(size - 1 - last[items], MAX_AGE - 1)
        times = np.zeros(num_items, np.int64)
        np.add.at(times, items, 1)
        counts = np.minimum(times[items], MAX_COUNT) - 1
        return np.asarray(self._by_age_and_count[age, counts])


def seen_scores(rates: Floats, seen: float, repeat: float) -> Floats:
    """What items with these repeat rates get for being in the history."""
    return np.asarray(seen + repeat * log_rates(rates), np.float32)


def log_rates(rates: Floats) -> Floats:
    """Logarithms of repeat rates."""
    return np.log(np.maximum(rates, MIN_RATE))


def fit_rates(histories: Histories, ends: Indexes, num_items: int) -> Floats:
    """(LAGS, COUNTS) repeat rates at a few late positions of each history, of which only `ends` (U,) events are looked at."""
    row = histories.row
    position = np.arange(len(histories.item_index)) - histories.offsets[row]
    tables = []
    for back in (1, 2, 4):
        at = ends - back
        users = np.flatnonzero(at >= 1)[:RATE_USERS]
        if len(users):
            kept = histories.keep((position < at[row]) & np.isin(row, users))
            before = replace(
                kept,
                offsets=kept.offsets[np.concatenate([users, users[-1:] + 1])],
                user_index=kept.user_index[users],
            )
            tables.append(repeat_rates(before, histories.item_index[histories.offsets[users] + at[users]], num_items))
    return np.mean(tables, axis=0, dtype=np.float32) if tables else np.zeros((LAGS, COUNTS), np.float32)


@dataclass(frozen=True)
class Seen:
    """Each history's distinct items: (S,) row, item, and buckets of the lag of the last occurrence and of the count."""

    row: Indexes
    item: Indexes
    lag: Indexes
    count: Indexes


def seen_items(histories: Histories, num_items: int) -> Seen:
    """The distinct items of each history with how long ago, in events, and how often they occurred."""
    row = histories.row
    keys = row * num_items + histories.item_index
    age = histories.offsets[row + 1] - 1 - np.arange(histories.offsets[0], histories.offsets[-1])
    order = np.argsort(keys, kind="stable")  # within a key oldest first, as histories are
    ordered = keys[order]
    first = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(keys) else np.zeros(0, np.int64)
    )
    counts = np.diff(np.concatenate([first, [len(keys)]]))
    newest = order[first + counts - 1] if len(keys) else np.zeros(0, np.int64)
    items = histories.item_index[newest].astype(np.int64)
    return Seen(row[newest], items, lag_buckets(age[newest]), count_buckets(counts))


def lag_buckets(age: Indexes) -> Indexes:
    """The bucket of each number of events since."""
    return np.asarray(np.minimum(np.log2(age + 1.0), LAGS - 1), np.int64)


def count_buckets(counts: Indexes) -> Indexes:
    """The bucket of each number of times."""
    return np.asarray(np.minimum(np.log2(np.maximum(counts, 1)), COUNTS - 1), np.int64)


def repeat_rates(histories: Histories, following: Indexes, num_items: int) -> Floats:
    """(LAGS, COUNTS) share of the times an item in that state was the next event.

    Args:
        histories: B histories.
        following: (B,) the item that came next.
        num_items: N.
    """
    return RepeatCounts.partial(histories, following, num_items).finish()


@dataclass
class RepeatCounts:
    """How often an item of the history was the next event, over some users.

    Attributes:
        hits, exposures: (LAGS · COUNTS,) by buckets.
    """

    hits: Indexes
    exposures: Indexes

    @classmethod
    def partial(cls, histories: Histories, following: Indexes, num_items: int) -> Self:
        """Sum over the users of `histories`; `following` (B,) came next."""
        seen = seen_items(histories, num_items)
        cell = seen.lag * COUNTS + seen.count
        hits = np.bincount(cell[following[seen.row] == seen.item], minlength=LAGS * COUNTS)
        return cls(hits, np.bincount(cell, minlength=LAGS * COUNTS))

    def combine(self, other: RepeatCounts) -> Self:
        """Add the sums over other users."""
        return replace(self, hits=self.hits + other.hits, exposures=self.exposures + other.exposures)

    def finish(self) -> Floats:
        """(LAGS, COUNTS) rates, those of rare buckets shrunken to the mean."""
        mean = self.hits.sum() / max(1, self.exposures.sum())
        rates: NDArray[np.float64] = (self.hits + PRIOR * mean) / (self.exposures + PRIOR)
        return rates.reshape(LAGS, COUNTS).astype(np.float32)
