"""Exact top k of rows of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import Floats, Indexes

GROUPS = 8  # for each place of the list: more make a closer bar, and cost a longer partition
LONG = 2**10  # items from which on groups pay in a single row
MANY = 2**19  # scores from which on they pay


@dataclass(frozen=True)
class TopK:
    """The best items of B rows: `items` (B, K) indexes, best first, -1 where fewer remain; `scores` (B, K)."""

    items: Indexes
    scores: Floats


def top_k(scores: Floats, k: int) -> TopK:
    """The k highest of each row of (B, N) scores; -inf never counts; equal scores rank by lower index.

    >>> top_k(np.array([[0.1, 0.9, -np.inf, 0.5]], np.float32), 3).items.tolist()
    [[1, 3, 0]]
    """
    width = min(k, scores.shape[1])
    if len(scores) == 1 and width == k > 0:
        return _of_one(scores[0], k)
    if width < scores.shape[1] // 2:
        candidates = _best(scores, width)
    else:
        candidates = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    values = np.take_along_axis(scores, candidates, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :width]
    items = np.take_along_axis(candidates, order, axis=1).astype(np.int64)
    best = np.take_along_axis(values, order, axis=1)
    items[np.isneginf(best)] = -1
    short = k - width
    if not short:
        return TopK(items, best)
    return TopK(
        np.pad(items, ((0, 0), (0, short)), constant_values=-1),
        np.pad(best, ((0, 0), (0, short)), constant_values=-np.inf),
    )


def _of_one(row: NDArray[np.float32], k: int) -> TopK:
    """The same of a single row, with few calls: they are what one request costs."""
    bar = _bar(row, k)
    is_short = np.isneginf(bar)
    places = (row > bar if is_short else row >= bar).nonzero()[0]
    order = (-row[places]).argsort(kind="stable")[:k]  # places rise, so equal scores stay in order
    items = places[order]
    best = row[items]
    if is_short:
        left = (0, k - len(items))
        items, best = np.pad(items, left, constant_values=-1), np.pad(best, left, constant_values=-np.inf)
    return TopK(items[None, :], best[None, :])


def _bar(row: NDArray[np.float32], k: int) -> np.float32:
    """A score that at least k of the row reach, and few more: the k-th highest, or that of the groups' maxima."""
    groups = GROUPS * k
    if len(row) >= LONG and len(row) >= 4 * groups:
        whole = len(row) // groups * groups
        row = np.concatenate([row[:whole].reshape(-1, groups).max(axis=0), row[whole:]])
    bar: np.float32 = np.partition(row, len(row) - k)[len(row) - k]
    return bar


def _best(scores: Floats, k: int) -> Indexes:
    """(B, k) the places of the k highest of each row in rising order; of those that share the last rank, the first ones.

    The row is cut into groups; the k-th highest of their maxima is a bar that at least k scores reach, and few more. Only
    those are sorted: one pass over the scores instead of a partition's several.
    """
    size = scores.shape[1]
    if k == 0:
        return np.zeros((len(scores), 0), np.int64)
    groups = GROUPS * k
    if size < 4 * groups or scores.size < MANY:
        return _by_partition(scores, k)
    whole = size // groups * groups
    maxima = scores[:, :whole].reshape(len(scores), -1, groups).max(axis=1)
    maxima = np.concatenate([maxima, scores[:, whole:]], axis=1)
    chosen = scores >= np.partition(maxima, maxima.shape[1] - k, axis=1)[:, maxima.shape[1] - k, None]
    counts = np.count_nonzero(chosen, axis=1)
    best = np.empty((len(scores), k), np.int64)
    crowded = counts > groups  # most scores are equal, as where little is known
    if crowded.any():
        best[crowded] = _by_partition(scores[crowded], k)
        chosen, counts = chosen[~crowded], counts[~crowded]
    few = np.flatnonzero(~crowded)
    if len(few):
        best[few] = _by_sorting(scores, few, np.flatnonzero(chosen) % size, counts, k)
    return best


def _by_sorting(scores: Floats, rows: Indexes, places: Indexes, counts: Indexes, k: int) -> Indexes:
    """(R, k) the k best of each row's candidates: `places` one row after the other, `counts` of them in each."""
    there = np.arange(int(counts.max())) < counts[:, None]  # (R, C)
    candidates = np.zeros(there.shape, np.int64)
    candidates[there] = places
    values = np.where(there, scores[rows[:, None], candidates], -np.inf)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.sort(np.take_along_axis(candidates, order, axis=1), axis=1)


def _by_partition(scores: Floats, k: int) -> Indexes:
    """The same by a partition, whatever the scores: it takes a third of the time of `np.argpartition`."""
    size = scores.shape[1]
    bar = np.partition(scores, size - k, axis=1)[:, size - k, None]
    chosen = scores >= bar
    crowded = np.flatnonzero(np.count_nonzero(chosen, axis=1) > k)
    if len(crowded):
        above, equal = scores[crowded] > bar[crowded], scores[crowded] == bar[crowded]
        left = k - np.count_nonzero(above, axis=1)[:, None]
        chosen[crowded] = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= left))
    return np.asarray(np.flatnonzero(chosen).reshape(len(scores), k) % size, np.int64)
