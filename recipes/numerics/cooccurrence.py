"""Windowed co-occurrence counts: how often two items stand within a window of each other in the same history.

`windowed_pairs` enumerates the pairs by their distance, and `windowed_cooccurrence` sums them up sparsely. `FirstEvents` counts
every pair once for each user, in blocks of items and in threads; `windowed_neighbours` turns those counts into each item's
nearest neighbours. Memory grows with events and catalogue, never with their squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse

from recipes.executor import prefetch
from recipes.numerics.arrays import EventIndexes, Indexes, order_by, pair_keys
from recipes.numerics.grouping import Grouping, blocks, counted, index_type, joined, taken, whole_groups
from recipes.run import Run

NEIGHBOURS = 100  # kept for each item
WINDOW = 20  # events apart at which a pair still counts
DECAY = 0.85  # of a pair's weight with each event in between
BACKWARD = 0.7  # weight of what came before an item against what came after
DENSE_ITEMS = 20_000  # up to this catalogue pairs are counted in a table, beyond by sorting
DENSE_CELLS = 130_000  # of the table; 1 MiB stays in the cache
CHUNK = 8192  # whose windows are looked at together
SORTED_PAIRS = 2_000_000  # sorted together; each takes some thirty bytes in every thread
PAIRS_HELD = 20_000_000  # before they are added up
USER_RANGE, MIN_ITEM = (0.005, 0.995), 0.01  # percentiles, see `within_percentiles`
UNIT, STEPS = 2.0**31, 2.0**10  # a pair counts one UNIT and its closeness in STEPS: exact below 2^20 users
AWAY = np.abs(np.arange(-WINDOW, WINDOW + 1))
CLOSENESS = np.where(np.arange(-WINDOW, WINDOW + 1) < 0, BACKWARD, 1.0) * DECAY ** (AWAY - 1.0)
PACKED = np.where(AWAY > 0, UNIT + np.round(STEPS * CLOSENESS), 0.0)


def windowed_pairs(row: EventIndexes, window: int) -> Iterator[tuple[int, Indexes]]:
    """Yield every distance up to `window` with the positions of the events that have one of their history so far before them.

    Args:
        row: (E,) the history of each event; those of a history together, oldest first.
        window: events apart, at most.

    >>> [(distance, later.tolist()) for distance, later in windowed_pairs(np.array([0, 0, 0, 1, 1]), 5)]
    [(1, [1, 2, 4]), (2, [2])]
    """
    begins = np.flatnonzero(np.diff(row, prepend=-1))
    sizes = np.diff(begins, append=len(row))
    position = np.arange(len(row)) - np.repeat(begins, sizes)
    for distance in range(1, min(window, int(sizes.max(initial=1)) - 1) + 1):
        yield distance, np.flatnonzero(position >= distance)


def windowed_cooccurrence(
    row: EventIndexes,
    item: EventIndexes,
    size: int,
    weights: NDArray[np.float64] | NDArray[np.float32],
    run: Run | None = None,
    *,
    event_weights: NDArray[np.float32] | None = None,
    excluded: Callable[[EventIndexes, EventIndexes], NDArray[np.bool_]] | None = None,
    is_symmetric: bool = False,
) -> sparse.csr_matrix:
    """(N, N) weighted counts: row = the earlier item, column = the later one.

    Args:
        row: (E,) the history of each event; those of a history together, oldest first.
        item: (E,) its item.
        size: N.
        weights: (window,) of a pair by its distance, from 1 on.
        run: is reported the progress, and may stop it.
        event_weights: (E,) factors of both events of a pair; 1 without them.
        excluded: true for the pairs of earlier and later items that do not count.
        is_symmetric: count both directions together; the matrix is then symmetric.
    """
    total = sparse.csr_matrix((size, size), dtype=np.float32)
    keys: list[Indexes] = []
    values: list[NDArray[np.float32]] = []
    for distance, later in windowed_pairs(row, len(weights)):
        if run is not None:
            run.report("counting", distance / len(weights))
        if excluded is not None:
            later = later[~excluded(item[later - distance], item[later])]
        left, right = item[later - distance], item[later]
        if is_symmetric:
            left, right = np.minimum(left, right), np.maximum(left, right)
        counted = np.full(len(later), weights[distance - 1], np.float32)
        if event_weights is not None:
            counted = counted * event_weights[later - distance] * event_weights[later]
        keys.append(pair_keys(left, right, size))
        values.append(counted)
        if sum(map(len, keys)) > PAIRS_HELD:
            total, keys, values = total + _summed(keys, values, size), [], []
    if keys:
        total = total + _summed(keys, values, size)
    return sparse.csr_matrix(total + total.T if is_symmetric else total)


def _summed(keys: list[Indexes], values: list[NDArray[np.float32]], size: int) -> sparse.csr_matrix:
    places = np.divmod(np.concatenate(keys), max(1, size))
    return sparse.csr_matrix((np.concatenate(values), places), shape=(size, size), dtype=np.float32)


@dataclass(frozen=True)
class Pairs:
    """Pairs of items: the number of users with both within the window, and the sum of their closeness."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    users: NDArray[np.int64]
    weight: NDArray[np.float64]


def within_percentiles(
    user: EventIndexes, item: EventIndexes, user_range: tuple[float, float] = USER_RANGE, min_item: float = MIN_ITEM
) -> NDArray[np.bool_]:
    """(E,) the events of users and items that have neither very few nor, for users, very many events.

    Args:
        user: (E,) whose event it is.
        item: (E,) what it was with.
        user_range: percentiles of the users' numbers of events that are included.
        min_item: percentile of the items' numbers of events from which on items are.
    """
    if not len(user):
        return np.zeros(0, bool)
    lengths, counts = (counted(each, int(each.max()) + 1) for each in (user, item))
    low, high = np.quantile(lengths[lengths > 0], user_range)
    is_usual = (lengths >= low) & (lengths <= high)
    is_frequent = counts >= np.quantile(counts[counts > 0], min_item)
    kept: NDArray[np.bool_] = taken(is_usual, user, bool)
    kept &= taken(is_frequent, item, bool)
    return kept


@dataclass(frozen=True)
class Similarity:
    """Similarity of two items: the summed closeness of their events, over powers of the items' numbers of users.

    Attributes:
        discount: the power of the neighbour's users; that of the item's own is a half.
        min_cooccurrence: users who must have taken both.
        shrinkage: the similarity of a pair with n users is multiplied by n / (n + shrinkage).
        user_prior: users added to those of each item, which lowers the similarity of rare items.
    """

    discount: float = 0.5
    min_cooccurrence: int = 1
    shrinkage: float = 0.0
    user_prior: float = 0.0

    def nearest(self, pairs: Pairs, users: NDArray[np.float64], start: int, stop: int) -> sparse.csr_matrix:
        """(stop - start, N) rows of the nearest neighbours of items `start` to `stop`, from their pairs and (N,) users."""
        enough = (pairs.users >= self.min_cooccurrence) & (pairs.left != pairs.right)
        left, right, both = pairs.left[enough], pairs.right[enough], pairs.users[enough]
        spread = np.sqrt(users[left] + self.user_prior) * (users[right] + self.user_prior) ** self.discount
        similarity = (pairs.weight[enough] * (both / (both + self.shrinkage)) / spread).astype(np.float32)
        order = np.argsort((left << 32) - similarity.view(np.int32))  # positive floats sort as their bits do
        left, right, similarity = left[order], right[order], similarity[order]
        first = np.searchsorted(left, np.arange(start, stop + 1))
        kept = np.arange(len(left)) - first[left - start] < NEIGHBOURS
        places = (left[kept] - start, right[kept])
        return sparse.csr_matrix((similarity[kept], places), shape=(stop - start, len(users)))


def windowed_neighbours(events: FirstEvents, similarities: Sequence[Similarity], run: Run) -> list[sparse.csr_matrix]:
    """For each similarity an (N, N) matrix of each item's nearest neighbours in its row; pairs are counted once for all.

    Raises:
        StopRequested: passed on from the watcher.
    """

    def count(block: tuple[int, int]) -> list[sparse.csr_matrix]:
        pairs = events.count(*block)
        return [similarity.nearest(pairs, events.users, *block) for similarity in similarities]

    run.report("counting", 0.0)
    found, done = [_Rows(events.num_items) for _ in similarities], 0
    for each in prefetch(count, events.blocks()):
        for rows, block in zip(found, each, strict=True):
            rows.add(block)
        done += each[0].shape[0]
        run.report("counting", done / events.num_items)
    return [rows.matrix() for rows in found]


class _Rows:
    """An (N, N) matrix of at most NEIGHBOURS in each row, filled from the top; pages of its room that are never written to take no memory."""

    def __init__(self, num_items: int) -> None:
        """Have room for N rows."""
        room = num_items * NEIGHBOURS
        self._indices, self._values = np.empty(room, index_type(max(num_items, room))), np.empty(room, np.float32)
        self._sizes = [np.zeros(1, np.int64)]
        self._filled, self._num_items = 0, num_items

    def add(self, block: sparse.csr_matrix) -> None:
        """Put the next rows below."""
        begin, self._filled = self._filled, self._filled + block.nnz
        self._indices[begin : self._filled], self._values[begin : self._filled] = block.indices, block.data
        self._sizes.append(np.diff(block.indptr))

    def matrix(self) -> sparse.csr_matrix:
        """The matrix, which takes the room over."""
        self._indices.resize(self._filled, refcheck=False)
        self._values.resize(self._filled, refcheck=False)
        kind = index_type(max(self._num_items, self._filled))
        indptr = np.cumsum(np.concatenate(self._sizes)).astype(kind)
        shape = (len(indptr) - 1, self._num_items)
        return sparse.csr_matrix((self._values, self._indices.astype(kind, copy=False), indptr), shape=shape)


@dataclass(frozen=True)
class FirstEvents:
    """Each user's first event with each item, in the order of the users' histories.

    Attributes:
        laid: (P,) the items of all users in a row, with gaps of WINDOW between users; N stands for nothing there.
        laid_weights: (P,) the weights of the events in `laid`, or None where all are alike.
        by_item: (V,) for each event, sorted by item, where in `laid` the window begins that has it in its middle.
        item_offsets: (N + 1,) where each item's events begin in `by_item`.
        users: (N,) float64 users of each item, at least 1.
    """

    laid: NDArray[np.int32]
    laid_weights: NDArray[np.float32] | None
    by_item: NDArray[Any]
    item_offsets: NDArray[np.int64]
    users: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        user: EventIndexes,
        item: EventIndexes,
        num_items: int,
        weight: NDArray[np.float32] | None = None,
        kept: NDArray[np.bool_] | None = None,
    ) -> FirstEvents:
        """Take each user's first event with each item.

        Args:
            user: (E,) rising.
            item: (E,) each user's items, oldest first.
            num_items: N.
            weight: (E,) how much each event counts; the heaviest of a user's events with an item is taken.
            kept: (E,) which events there are; all by default.
        """
        laid, laid_weights = [np.full(WINDOW, num_items, np.int32)], [np.zeros(WINDOW, np.float32)]
        for block in whole_groups(user):
            places: Any = block if kept is None else block.start + np.flatnonzero(kept[block])
            weighed = None if weight is None else weight[places]
            events, weights = _laid(user[places], item[places], num_items, weighed)
            laid.append(events)
            laid_weights.append(weights)
        row = joined(laid) if sum(map(len, laid)) > WINDOW else np.full(2 * WINDOW + 1, num_items, np.int32)
        counts = counted(row, num_items + 1)
        counts[num_items] = 0
        by_item = Grouping(counts, len(row))
        for block in blocks(len(row)):
            events = np.flatnonzero(row[block] < num_items) + block.start
            by_item.add(row[events], events - WINDOW)
        return cls(
            row,
            None if weight is None else joined(laid_weights),
            by_item.values,
            by_item.offsets[:-1],
            np.maximum(counts[:num_items], 1).astype(np.float64),
        )

    @property
    def num_items(self) -> int:
        """N."""
        return len(self.users)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of items small enough to be counted at once."""
        start = 0
        while start < self.num_items:
            limit = self.item_offsets[start] + SORTED_PAIRS // len(PACKED)
            fitting = int(np.searchsorted(self.item_offsets, limit, side="right")) - 1
            rows = DENSE_CELLS // self.num_items if self.num_items <= DENSE_ITEMS else fitting - start
            stop = min(self.num_items, start + max(1, rows))
            yield start, stop
            start = stop

    def count(self, start: int, stop: int) -> Pairs:
        """The pairs of items `start` to `stop` with any other."""
        events = self.by_item[self.item_offsets[start] : self.item_offsets[stop]]
        if self.num_items <= DENSE_ITEMS:
            return self._count_densely(events, start, stop)
        return self._count_by_sorting(events)

    def _items(self, events: NDArray[Any]) -> NDArray[np.int64]:
        """(V,) the items of events, given by their windows."""
        return np.asarray(self.laid[events + WINDOW], np.int64)

    def _packed(self, events: NDArray[Any]) -> NDArray[np.float64]:
        """(V, 2 WINDOW + 1) what each pair counts: its user, and its closeness times the other event's weight."""
        if self.laid_weights is None:
            return np.broadcast_to(PACKED, (len(events), len(PACKED)))
        closeness = np.round(STEPS * CLOSENESS * _windows(self.laid_weights)[events])
        return np.where(AWAY > 0, UNIT + closeness, 0.0)

    def _count_densely(self, events: NDArray[Any], start: int, stop: int) -> Pairs:
        """Sum in a table that fits the processor's cache; whole and fractional part carry users and closeness."""
        width, windows = self.num_items + 1, _windows(self.laid)
        table = np.zeros((stop - start) * width)
        for chunk in np.array_split(events, len(events) // CHUNK + 1):
            keys = windows[chunk] + ((self._items(chunk) - start) * width)[:, None]
            table += np.bincount(keys.ravel(), self._packed(chunk).ravel(), minlength=len(table))
        found = np.flatnonzero(table)
        found = found[found % width < self.num_items]
        users = np.floor(table[found] / UNIT)
        weight = (table[found] - users * UNIT) / STEPS
        return Pairs(start + found // width, found % width, users.astype(np.int64), weight)

    def _count_by_sorting(self, events: NDArray[Any]) -> Pairs:
        width, steps = self.num_items + 1, len(PACKED)
        pairs = _windows(self.laid)[events][:, PACKED > 0].astype(np.int64)
        pairs += (self._items(events) * width)[:, None]
        if self.laid_weights is None:
            pairs *= steps
            pairs += np.arange(steps)[PACKED > 0]
            pair = pairs.ravel()
            pair.sort()  # each pair with the place of the other event in the window
            each = PACKED[pair % steps]
            pair //= steps
        else:
            order = np.argsort(pairs.ravel())
            pair, each = pairs.ravel()[order], self._packed(events)[:, PACKED > 0].ravel()[order]
            del order
        del pairs
        is_first = np.ones(len(pair), bool)
        np.not_equal(pair[1:], pair[:-1], out=is_first[1:])
        begins = np.flatnonzero(is_first)
        packed = np.add.reduceat(each, begins) if len(begins) else np.zeros(0)
        pair = pair[begins]
        there = pair % width < self.num_items
        users = np.floor(packed / UNIT)
        weight = (packed - users * UNIT) / STEPS
        return Pairs(pair[there] // width, pair[there] % width, users[there].astype(np.int64), weight[there])


def _laid(
    user: EventIndexes, item: EventIndexes, num_items: int, weight: NDArray[np.float32] | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The first events of some users in a row, with a gap of WINDOW behind each user, and their weights."""
    if not len(user):
        return np.zeros(0, np.int32), np.zeros(0, np.float32)
    pair = pair_keys(user - user.min(), item, num_items)
    order = order_by(pair)
    begins = np.flatnonzero(np.diff(pair[order], prepend=-1))
    first = np.sort(order[begins])
    owner = np.concatenate([[0], np.cumsum(user[first[1:]] != user[first[:-1]])])
    place = np.arange(len(first)) + owner * WINDOW
    laid = np.full(len(first) + WINDOW * (int(owner[-1]) + 1), num_items, np.int32)
    laid[place] = item[first]
    if weight is None:
        return laid, np.zeros(0, np.float32)
    heaviest, laid_weights = np.zeros(len(pair), np.float32), np.zeros(len(laid), np.float32)
    heaviest[order[begins]] = np.maximum.reduceat(weight[order], begins)
    laid_weights[place] = heaviest[first]
    return laid, laid_weights


def _windows(laid: NDArray[Any]) -> NDArray[Any]:
    """(P - 2 WINDOW, 2 WINDOW + 1) a view. It is made where it is read: sent to another process it would be copied out, window by window."""
    return sliding_window_view(laid, 2 * WINDOW + 1)
