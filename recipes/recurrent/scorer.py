"""Scores by the network of `recipes.recurrent.network` in numpy: no torch, little overhead for one user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recipes.data import Histories
from recipes.numerics.arrays import EventIndexes, Floats, Indexes
from recipes.numerics.quantization import Quantized
from recipes.recurrent.numpy_inference import FoldedNetwork, Packed
from recipes.recurrent.state_cache import MAX_BYTES, MAX_EVENTS, StateCache, hashes_of
from recipes.run import Run

GAPS = 28  # buckets of the time since the previous event: powers of two of seconds, the last for "no event before"
EVENTS = 1500  # read together: their gates stay in the processor's cache
TOGETHER = 4096  # users whose newest events are gathered together
POWERS = 2 ** np.arange(1, GAPS - 1) - 1  # seconds from which on a gap is in the next bucket
CACHE_SHARE = 0.02  # of a time budget that is spent on cached states even if nothing of it is left
MANY_ITEMS = 500_000  # from which on candidates by a quantised item table take less time than products with all items
FOLDED_BYTES = 32 * 2**20  # of embeddings and gates looked up by item; larger catalogues multiply


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

    items: EventIndexes
    pairs: Indexes
    offsets: Indexes


@dataclass(frozen=True)
class RecurrentScorer:
    """A trained network.

    Attributes:
        table: (N, D) item embeddings, both what is read and what is scored.
        bias: (N,).
        weights: the other parameters by the names of `recipes.recurrent.network.Network`.
        cache: states of known users, or None.
        quantized: the item table in few bytes, for approximate logits; None in small catalogues.
    """

    table: Floats
    bias: Floats
    weights: dict[str, Floats]
    cache: StateCache | None = None
    quantized: Quantized | None = None

    @cached_property
    def _others(self) -> Floats:
        """(GAPS · types, D) what each pair of a gap and an event type adds to an item's embedding."""
        pairs = self.weights["gap.weight"][:, None, :] + self.weights["event_type.weight"][None, :, :]
        return pairs.reshape(-1, pairs.shape[2])

    @cached_property
    def _folded(self) -> FoldedNetwork:
        folded = FoldedNetwork.of(self.weights)
        size = 4 * (3 * folded.blocks[0].hidden + self.table.shape[1]) * (len(self.table) + len(self._others))
        return folded.with_lookup(self.table, self._others) if size <= FOLDED_BYTES else folded

    def score(self, histories: Histories) -> Floats:
        """(B, N) logits of the next item; zeros for an empty history."""
        scores = self.logits_without_bias(self.hidden(histories))
        scores += self.bias
        return scores

    def logits_without_bias(self, hidden: Floats) -> Floats:
        """(B, N) products of (B, D) states with all items' embeddings."""
        return (self.table @ hidden[0])[None, :] if len(hidden) == 1 else hidden @ self.table.T

    def hidden(self, histories: Histories) -> Floats:
        """(B, D) states after each history; histories of similar length are read together, a bounded number of events at a time."""
        if len(histories) == 1:
            return self._hidden_of_one(histories)
        sizes = np.minimum(np.diff(histories.offsets), MAX_EVENTS)
        states = np.zeros((len(sizes), self.table.shape[1]), np.float32)
        if self.cache is not None:
            sizes[self.cache.look_up(histories, states)] = 0
        if not sizes.any():
            return states
        newest = self._newest(histories)
        order = np.argsort(-sizes, kind="stable")
        order = order[: np.count_nonzero(sizes)]
        part = np.cumsum(sizes[order]) // EVENTS
        for rows in np.split(order, np.flatnonzero(np.diff(part)) + 1):
            states[rows] = self._read(newest, newest.offsets[rows], sizes[rows])
        return states

    def with_cached_states(self, histories: Histories, run: Run) -> RecurrentScorer:
        """Return the scorer with cached states of these users, who come in the order of their indexes; without a cache if they are too many.

        Users for whom `run` leaves no time get the hash of an empty history, so that their histories are read at each request.
        A fit that has spent its budget leaves a small share of it: all requests of these users are the slower without.
        """
        users, width = len(histories), self.table.shape[1]
        uncached = replace(self, cache=None)
        if users * width * 4 > MAX_BYTES:
            return uncached
        hashes, states = np.zeros(users, np.int64), np.zeros((users, width), np.float32)
        end = run.clock() + max(run.seconds_left, CACHE_SHARE * (run.max_seconds or 0.0))
        for start in range(0, users, TOGETHER):
            if run.clock() >= end:
                break
            run.report("with_cached_states users", start / users)
            part, rows = histories.rows(start, start + TOGETHER), slice(start, start + TOGETHER)
            hashes[rows], states[rows] = hashes_of(part), uncached.hidden(part)
        return replace(self, cache=StateCache(hashes, states))

    def with_quantized_table(self, run: Run) -> RecurrentScorer:
        """Return the scorer with a quantised item table, if the catalogue is large."""
        if len(self.table) < MANY_ITEMS or self.quantized is not None:
            return self
        return replace(self, quantized=Quantized.of(self.table, run))

    def with_items(self, table: Floats, bias: Floats) -> RecurrentScorer:
        """Return the scorer over a larger catalogue, whose first items are today's."""
        quantized = None if self.quantized is None else self.quantized.extended(table)
        return replace(self, table=table, bias=bias, quantized=quantized)

    def _newest(self, histories: Histories) -> Newest:
        """What is read."""
        ends = histories.offsets[1:]
        sizes = np.minimum(np.diff(histories.offsets), MAX_EVENTS)
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

    def _hidden_of_one(self, history: Histories) -> Floats:
        """(1, D) the same of one history; a cached state is not copied."""
        cached = None if self.cache is None else self.cache.state_of(history)
        if cached is not None:
            return cached[None, :]
        if history.offsets[0] == history.offsets[1]:
            return np.zeros((1, self.table.shape[1]), np.float32)
        newest = self._newest(history)
        longest = len(newest.items)
        packed = Packed(list(range(longest + 1)), np.array([longest - 1]))
        return self._folded.hidden(self.table, self._others, newest.items, newest.pairs, packed)

    def _read(self, newest: Newest, first: Indexes, sizes: Indexes) -> Floats:
        """(B, D) for rows of `sizes` events from `first` on, long ones first."""
        times = np.arange(int(sizes[0]))
        going = np.searchsorted(-sizes, -times, side="left")  # rows with an event at each time
        begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(going)])
        row = np.arange(begins[-1]) - np.repeat(begins[:-1], going)
        events = first[row] + np.repeat(times, going)
        packed = Packed(begins.tolist(), begins[sizes - 1] + np.arange(len(sizes)))
        return self._folded.hidden(self.table, self._others, newest.items[events], newest.pairs[events], packed)
