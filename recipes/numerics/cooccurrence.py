"""Pairs of items that users take close to each other: counted in blocks of items, in threads, and weighed into nearest neighbours.

Memory grows with events and catalogue, never with their squares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse

from recipes.data import TrainingData
from recipes.numerics.arrays import order_by
from recipes.numerics.threads import ahead
from recipes.run import Run

NEIGHBOURS = 100  # kept for each item
WINDOW = 20  # events apart at which a pair still counts
DECAY = 0.85  # of a pair's weight with each event in between
BACKWARD = 0.7  # weight of what came before an item against what came after
DENSE_ITEMS = 20_000  # up to this catalogue pairs are counted in a table, beyond by sorting
DENSE_CELLS = 130_000  # of the table; 1 MiB stays in the cache
VISITS = 8192  # whose windows are looked at together
SORTED_PAIRS = 8_000_000  # sorted together
UNIT, STEPS = 2.0**31, 2.0**10  # a pair counts one UNIT and its closeness in STEPS: exact below 2^20 users
AWAY = np.abs(np.arange(-WINDOW, WINDOW + 1))
CLOSENESS = np.where(np.arange(-WINDOW, WINDOW + 1) < 0, BACKWARD, 1.0) * DECAY ** (AWAY - 1.0)
PACKED = np.where(AWAY > 0, UNIT + np.round(STEPS * CLOSENESS), 0.0)


@dataclass(frozen=True)
class Pairs:
    """Pairs of items: how many users took both within the window, and what their closeness adds up to."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    users: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """How like two items are that some users took close together: the closeness of their events over powers of their users.

    Attributes:
        discount: the power of the neighbour's users; that of the item's own is a half.
        fewest: users who must have taken both.
        doubt: of a pair that n users took, n / (n + doubt) counts.
        strangers: users added to those of each item, which holds back items of whom little is known.
    """

    discount: float = 0.5
    fewest: int = 1
    doubt: float = 0.0
    strangers: float = 0.0

    def nearest(self, pairs: Pairs, users: NDArray[np.float64], start: int, stop: int) -> sparse.csr_matrix:
        """(stop - start, N) rows of the nearest neighbours of items `start` to `stop`, from their pairs and (N,) users."""
        enough = (pairs.users >= self.fewest) & (pairs.left != pairs.right)
        left, right, both = pairs.left[enough], pairs.right[enough], pairs.users[enough]
        spread = np.sqrt(users[left] + self.strangers) * (users[right] + self.strangers) ** self.discount
        similarity = (pairs.weight[enough] * (both / (both + self.doubt)) / spread).astype(np.float32)
        order = np.argsort((left << 32) - similarity.view(np.int32))  # positive floats sort as their bits do
        left, right, similarity = left[order], right[order], similarity[order]
        first = np.searchsorted(left, np.arange(start, stop + 1))
        kept = np.arange(len(left)) - first[left - start] < NEIGHBOURS
        places = (left[kept] - start, right[kept])
        return sparse.csr_matrix((similarity[kept], places), shape=(stop - start, len(users)))


def close_pairs(visits: Visits, likenesses: Sequence[Likeness], run: Run) -> list[sparse.csr_matrix]:
    """For each likeness an (N, N) matrix of each item's nearest neighbours in its row; pairs are counted once for all.

    Raises:
        StopRequested: passed on from the watcher.
    """

    def count(block: tuple[int, int]) -> list[sparse.csr_matrix]:
        pairs = visits.count(*block)
        return [likeness.nearest(pairs, visits.users, *block) for likeness in likenesses]

    run.report("counting", 0.0)
    blocks: list[list[sparse.csr_matrix]] = []
    done = 0
    for rows in ahead(count, visits.blocks()):
        blocks.append(rows)
        done += rows[0].shape[0]
        run.report("counting", done / visits.num_items)
    if not blocks:
        return [sparse.csr_matrix((0, 0), dtype=np.float32) for _ in likenesses]
    return [sparse.csr_matrix(sparse.vstack(rows, format="csr")) for rows in zip(*blocks, strict=True)]


@dataclass(frozen=True)
class Visits:
    """Each user's first event with each item, in the order of the users' histories.

    Attributes:
        item: (V,) item of each visit.
        windows: (P, 2 WINDOW + 1) a view: what came before and after a place; N stands for nothing there.
        place: (V,) the row of `windows` with each visit in its middle.
        worths: the weights of the events in `windows`, or None where all are alike.
        by_item: (V,) visits sorted by item.
        item_offsets: (N + 1,) where each item's visits begin in `by_item`.
        users: (N,) float64 visitors of each item, at least 1.
    """

    item: NDArray[np.int64]
    windows: NDArray[np.int64]
    place: NDArray[np.int64]
    worths: NDArray[np.float32] | None
    by_item: NDArray[np.int64]
    item_offsets: NDArray[np.int64]
    users: NDArray[np.float64]

    @classmethod
    def of(cls, data: TrainingData, included: NDArray[np.bool_]) -> Visits:
        """The visits among the events of `data` that are true in (E,) `included`."""
        user, item = data.interactions.user_index[included], data.interactions.item_index[included]
        pair = user * max(1, data.num_items) + item
        order = order_by(pair)
        begins = np.flatnonzero(np.diff(pair[order], prepend=-1))
        first = np.sort(order[begins])
        user, item = user[first], item[first]
        visitor = np.concatenate([[0], np.cumsum(user[1:] != user[:-1])]) if len(user) else user
        padded = np.full(len(item) + WINDOW * (int(visitor.max(initial=0)) + 2), data.num_items)
        place = np.arange(len(item)) + visitor * WINDOW  # of the window; its middle lies WINDOW further on
        padded[place + WINDOW] = item
        counts = np.bincount(item, minlength=data.num_items)
        worths = None
        if data.interactions.weight is not None:
            heaviest, laid = np.zeros(len(pair), np.float32), np.zeros(len(padded), np.float32)
            heaviest[order[begins]] = np.maximum.reduceat(data.interactions.weight[included][order], begins)
            laid[place + WINDOW] = heaviest[first]
            worths = sliding_window_view(laid, 2 * WINDOW + 1)
        return cls(
            item,
            sliding_window_view(padded, 2 * WINDOW + 1),
            place,
            worths,
            order_by(item),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.maximum(counts, 1).astype(np.float64),
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
        visits = self.by_item[self.item_offsets[start] : self.item_offsets[stop]]
        if self.num_items <= DENSE_ITEMS:
            return self._count_densely(visits, start, stop)
        return self._count_by_sorting(visits)

    def _packed(self, visits: NDArray[np.int64]) -> NDArray[np.float64]:
        """(V, 2 WINDOW + 1) what each pair counts: its user, and its closeness times what the other event is worth."""
        if self.worths is None:
            return np.broadcast_to(PACKED, (len(visits), len(PACKED)))
        closeness = np.round(STEPS * CLOSENESS * self.worths[self.place[visits]])
        return np.where(AWAY > 0, UNIT + closeness, 0.0)

    def _count_densely(self, visits: NDArray[np.int64], start: int, stop: int) -> Pairs:
        """Sum in a table that fits the processor's cache; whole and fractional part carry users and closeness."""
        width = self.num_items + 1
        table = np.zeros((stop - start) * width)
        for chunk in np.array_split(visits, len(visits) // VISITS + 1):
            keys = self.windows[self.place[chunk]] + ((self.item[chunk] - start) * width)[:, None]
            table += np.bincount(keys.ravel(), self._packed(chunk).ravel(), minlength=len(table))
        found = np.flatnonzero(table)
        found = found[found % width < self.num_items]
        users = np.floor(table[found] / UNIT)
        weight = (table[found] - users * UNIT) / STEPS
        return Pairs(start + found // width, found % width, users.astype(np.int64), weight)

    def _count_by_sorting(self, visits: NDArray[np.int64]) -> Pairs:
        width, steps = self.num_items + 1, len(PACKED)
        pairs = self.windows[self.place[visits]] + (self.item[visits] * width)[:, None]
        if self.worths is None:
            keys = np.sort((pairs * steps + np.arange(steps))[:, PACKED > 0].ravel())
            pair, each = keys // steps, PACKED[keys % steps]
        else:
            order = np.argsort(pairs[:, PACKED > 0].ravel())
            pair = pairs[:, PACKED > 0].ravel()[order]
            each = self._packed(visits)[:, PACKED > 0].ravel()[order]
        begins = np.flatnonzero(np.diff(pair, prepend=-1))
        packed = np.add.reduceat(each, begins) if len(begins) else np.zeros(0)
        pair = pair[begins]
        there = pair % width < self.num_items
        users = np.floor(packed / UNIT)
        weight = (packed - users * UNIT) / STEPS
        return Pairs(pair[there] // width, pair[there] % width, users[there].astype(np.int64), weight[there])
