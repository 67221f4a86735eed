"""The gated linear recurrence of `recipes.recurrent.network` in numpy, for answering: no torch, little overhead for one user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.recurrent.numpy_inference import Kernel, Packed
from recipes.recurrent.state_cache import LONGEST, MOST_BYTES, Remembered, prints_of
from recipes.run import Run

GAPS = 28  # buckets of the time since the previous event: powers of two of seconds, the last for "no event before"
EVENTS = 1500  # read together: their gates stay in the processor's cache
TOGETHER = 4096  # users whose newest events are gathered together
POWERS = 2 ** np.arange(1, GAPS - 1) - 1  # seconds from which on a gap is in the next bucket
KNOWN_BYTES = 32 * 2**20  # of embeddings and gates looked up by item; larger catalogues multiply


def gap_buckets(histories: Histories) -> Indexes:
    """(E,) the bucket of each event's distance in time to the one before it."""
    buckets = _buckets(np.diff(histories.timestamp, prepend=0))
    starts = histories.offsets[:-1][np.diff(histories.offsets) > 0]
    buckets[starts - histories.offsets[0]] = GAPS - 1
    return buckets


def _buckets(seconds: Indexes) -> Indexes:
    """floor(log2(seconds + 1)), 0 at least and GAPS - 2 at most."""
    return np.searchsorted(POWERS, seconds, side="right")


@dataclass(frozen=True)
class Newest:
    """What the network reads of B histories, one after the other, oldest events first.

    Attributes:
        items: (E,) rows of the item table.
        pairs: (E,) rows of the table of gaps and event types.
        offsets: (B + 1,) where each history begins.
    """

    items: Indexes
    pairs: Indexes
    offsets: Indexes


@dataclass(frozen=True)
class RecurrenceScorer:
    """A trained network.

    Attributes:
        table: (N, D) item embeddings, both what is read and what is scored.
        bias: (N,).
        weights: the other parameters by the names of `recipes.recurrent.network.Network`.
        remembered: what it expects of known users, or None.
    """

    table: Floats
    bias: Floats
    weights: dict[str, Floats]
    remembered: Remembered | None = None

    @cached_property
    def _others(self) -> Floats:
        """(GAPS · types, D) what each pair of a gap and an event type adds to an item's embedding."""
        pairs = self.weights["gap.weight"][:, None, :] + self.weights["event_type.weight"][None, :, :]
        return pairs.reshape(-1, pairs.shape[2])

    @cached_property
    def _kernel(self) -> Kernel:
        kernel = Kernel.of(self.weights)
        known = 4 * (3 * kernel.blocks[0].hidden + self.table.shape[1]) * (len(self.table) + len(self._others))
        return kernel.knowing(self.table, self._others) if known <= KNOWN_BYTES else kernel

    def score(self, histories: Histories) -> Floats:
        """(B, N) logits of the next item; zeros for an empty history."""
        scores = self.likeness(self.hidden(histories))
        scores += self.bias
        return scores

    def likeness(self, hidden: Floats) -> Floats:
        """(B, N) products of (B, D) with all items' embeddings."""
        return (self.table @ hidden[0])[None, :] if len(hidden) == 1 else hidden @ self.table.T

    def hidden(self, histories: Histories) -> Floats:
        """(B, D) what the network expects next; users with histories of like length together, a bounded number of events at a time."""
        sizes = np.minimum(np.diff(histories.offsets), LONGEST)
        found = np.zeros((len(sizes), self.table.shape[1]), np.float32)
        if self.remembered is not None:
            sizes[self.remembered.look_up(histories, found)] = 0
        if not sizes.any():
            return found
        newest = self._newest(histories)
        if len(sizes) == 1:
            return self._read_one(newest)
        order = np.argsort(-sizes, kind="stable")
        order = order[: np.count_nonzero(sizes)]
        part = np.cumsum(sizes[order]) // EVENTS
        for rows in np.split(order, np.flatnonzero(np.diff(part)) + 1):
            found[rows] = self._read(newest, newest.offsets[rows], sizes[rows])
        return found

    def remembering(self, histories: Histories, run: Run) -> RecurrenceScorer:
        """The same with what it expects of these users, who come in the order of their indexes, if they are not too many.

        Those for whom `run` leaves no time get the bits of an empty history, so that they are read when they ask.
        """
        users, width = len(histories), self.table.shape[1]
        forgetful = replace(self, remembered=None)
        if users * width * 4 > MOST_BYTES:
            return forgetful
        prints, states = np.zeros(users, np.int64), np.zeros((users, width), np.float32)
        for start in range(0, users, TOGETHER):
            if run.seconds_left <= 0:
                break
            run.report("remembering users", start / users)
            part, rows = histories.rows(start, start + TOGETHER), slice(start, start + TOGETHER)
            prints[rows], states[rows] = prints_of(part), forgetful.hidden(part)
        return replace(self, remembered=Remembered(prints, states))

    def _newest(self, histories: Histories) -> Newest:
        """What is read."""
        ends = histories.offsets[1:]
        sizes = np.minimum(np.diff(histories.offsets), LONGEST)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        if len(sizes) == 1:
            part: slice | Indexes = slice(int(ends[0] - sizes[0]), int(ends[0]))
        else:
            part = np.arange(offsets[-1]) + np.repeat(ends - offsets[1:], sizes)
        timestamp = histories.timestamp[part]
        seconds = np.zeros(len(timestamp), np.int64)
        np.subtract(timestamp[1:], timestamp[:-1], out=seconds[1:])
        gaps = _buckets(seconds)
        gaps[offsets[:-1][sizes > 0]] = GAPS - 1
        num_types = len(self.weights["event_type.weight"])
        types = histories.event_type[part].astype(np.int64) + 1
        types[types >= num_types] = 0  # types newer than the network share the row of the unknown
        return Newest(histories.item_index[part], gaps * num_types + types, offsets)

    def _read_one(self, newest: Newest) -> Floats:
        """(1, D) for the only row."""
        longest = len(newest.items)
        packed = Packed(list(range(longest + 1)), np.array([longest - 1]))
        return self._kernel.hidden(self.table, self._others, newest.items, newest.pairs, packed)

    def _read(self, newest: Newest, first: Indexes, sizes: Indexes) -> Floats:
        """(B, D) for rows of `sizes` events from `first` on, long ones first."""
        times = np.arange(int(sizes[0]))
        going = np.searchsorted(-sizes, -times, side="left")  # rows with an event at each time
        begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(going)])
        row = np.arange(begins[-1]) - np.repeat(begins[:-1], going)
        events = first[row] + np.repeat(times, going)
        packed = Packed(begins.tolist(), begins[sizes - 1] + np.arange(len(sizes)))
        return self._kernel.hidden(self.table, self._others, newest.items[events], newest.pairs[events], packed)
