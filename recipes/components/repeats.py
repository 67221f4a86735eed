"""Whether people come back to what they had: a table of repeat rates by recency and count, learned from the data.

Films are watched once, groceries are bought again; the rate at which an item of the history is the next event, by how
long ago it last occurred and how often it did, says which kind of data this is (cf. Ren et al. 2019, RepeatNet).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes

LAGS, COUNTS = 12, 6  # buckets, in powers of two
PRIOR = 20.0  # exposures at the mean rate added to every bucket


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
    return Seen(row[newest], histories.item_index[newest], lag_buckets(age[newest]), count_buckets(counts))


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
    seen = seen_items(histories, num_items)
    cell = seen.lag * COUNTS + seen.count
    hits = np.bincount(cell[following[seen.row] == seen.item], minlength=LAGS * COUNTS)
    exposures = np.bincount(cell, minlength=LAGS * COUNTS)
    mean = hits.sum() / max(1, exposures.sum())
    rates: NDArray[np.float64] = (hits + PRIOR * mean) / (exposures + PRIOR)
    return rates.reshape(LAGS, COUNTS).astype(np.float32)
