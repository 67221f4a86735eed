"""The gated linear recurrence of `recipes.recurrence.network` in numpy, for answering: no torch, little overhead for one user."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.base import Floats, Indexes
from recipes.data import Histories
from recipes.recurrence.kernel import Kernel, Packed

GAPS = 28  # buckets of the time since the previous event: powers of two of seconds, the last for "no event before"
LONGEST = 50  # newest events that are read: twice as many find nothing more (docs/decisions/0007-answering.md)
EVENTS = 1500  # read together: their gates stay in the processor's cache
KNOWN_BYTES = 32 * 2**20  # of gates looked up by item; larger catalogues multiply


def gap_buckets(histories: Histories) -> Indexes:
    """(E,) the bucket of each event's distance in time to the one before it."""
    buckets = _buckets(np.diff(histories.timestamp, prepend=0))
    starts = histories.offsets[:-1][np.diff(histories.offsets) > 0]
    buckets[starts - histories.offsets[0]] = GAPS - 1
    return buckets


def _buckets(seconds: Indexes) -> Indexes:
    return np.minimum(np.log2(np.maximum(seconds, 0) + 1.0), GAPS - 2).astype(np.int64)


@dataclass(frozen=True)
class RecurrenceScorer:
    """A trained network.

    Attributes:
        table: (N, D) item embeddings, both what is read and what is scored.
        bias: (N,).
        weights: the other parameters by the names of `recipes.recurrence.network.Network`.
    """

    table: Floats
    bias: Floats
    weights: dict[str, Floats]

    @cached_property
    def _others(self) -> Floats:
        """(GAPS · types, D) what each pair of a gap and an event type adds to an item's embedding."""
        pairs = self.weights["gap.weight"][:, None, :] + self.weights["event_type.weight"][None, :, :]
        return pairs.reshape(-1, pairs.shape[2])

    @cached_property
    def _kernel(self) -> Kernel:
        kernel = Kernel.of(self.weights)
        gates = 12 * kernel.blocks[0].hidden * (len(self.table) + len(self._others))
        return kernel.knowing(self.table, self._others) if gates <= KNOWN_BYTES else kernel

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
        order = np.argsort(-sizes, kind="stable")
        order = order[: np.count_nonzero(sizes)]
        part = np.cumsum(sizes[order]) // EVENTS
        for rows in np.split(order, np.flatnonzero(np.diff(part)) + 1) if len(order) else ():
            found[rows] = self._read(histories, histories.offsets[rows + 1] - sizes[rows], sizes[rows])
        return found

    def _read(self, histories: Histories, first: Indexes, sizes: Indexes) -> Floats:
        """(B, D) for rows of `sizes` events from `first` on, long ones first."""
        longest = int(sizes[0])
        if len(sizes) == 1:
            events, starts = np.arange(first[0], first[0] + longest), list(range(longest + 1))
            newest, opening = np.array([longest - 1]), 1
        else:
            times = np.arange(longest)
            going = np.searchsorted(-sizes, -times, side="left")  # rows with an event at each time
            begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(going)])
            row = np.arange(begins[-1]) - np.repeat(begins[:-1], going)
            events = first[row] + np.repeat(times, going)
            starts, newest, opening = begins.tolist(), begins[sizes - 1] + np.arange(len(sizes)), len(sizes)
        items = histories.item_index[events]
        seconds = histories.timestamp[events]
        seconds[opening:] -= histories.timestamp[events[opening:] - 1]
        gaps = _buckets(seconds)
        gaps[:opening] = GAPS - 1
        num_types = len(self.weights["event_type.weight"])
        types = np.minimum(histories.event_type[events].astype(np.int64) + 1, num_types - 1)
        others = gaps * num_types + types
        values = self.table.take(items, axis=0)
        values += self._others.take(others, axis=0)
        return self._kernel.hidden(values, items, others, Packed(starts, newest))
