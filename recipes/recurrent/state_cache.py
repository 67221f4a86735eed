"""Cached states of the network for the users of the training data, valid while their histories are unchanged.

A user's newest events are hashed to 64 bits. A request whose history has the stored hash gets the stored state; any other
history (a new event, one left out for an explanation) has another hash, and the network reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories
from recipes.numerics.arrays import Floats

MAX_BYTES = 32 * 2**20  # of states; with more users nothing is cached
MAX_EVENTS = 50  # newest events that are read: twice as many improve nothing (docs/decisions/0007-answering.md)
BITS = 2**64 - 1


def _factors() -> NDArray[np.uint64]:
    """(4, MAX_EVENTS) splitmix64's first numbers (Steele et al. 2014): of an item, a time and a type at each place, and of a length."""
    found = np.arange(1, 4 * MAX_EVENTS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ found >> np.uint64(shift)) * np.uint64(factor)
    return (found ^ found >> np.uint64(31)).reshape(4, MAX_EVENTS)


OF_ITEM, OF_TIME, OF_TYPE, OF_LENGTH = _factors()  # by place, the newest event's last


@dataclass(frozen=True)
class StateCache:
    """Cached states of U users.

    Attributes:
        hashes: (U,) of the histories that were read.
        states: (U, D) the network's states after them.
    """

    hashes: NDArray[np.int64]
    states: Floats

    def look_up(self, histories: Histories, states: Floats) -> NDArray[np.bool_]:
        """Fill the rows of `states` (B, D) that are cached; return (B,) which they were."""
        users = histories.user_index
        is_cached = (users >= 0) & (users < len(self.hashes))
        is_cached[is_cached] = self.hashes[users[is_cached]] == hashes_of(histories)[is_cached]
        states[is_cached] = self.states[users[is_cached]]
        return is_cached

    def state_of(self, history: Histories) -> NDArray[np.float32] | None:
        """(D,) the cached state of a single history, None where none is."""
        user = int(history.user_index[0])
        is_cached = 0 <= user < len(self.hashes) and int(self.hashes[user]) & BITS == hash_of(history)
        return self.states[user] if is_cached else None

    def forget_users(self, users: NDArray[np.int64]) -> StateCache:
        """Return the cache with zeros, the hash of an empty history, in the rows of `users`."""
        users = users[users < len(self.hashes)]
        hashes, states = np.array(self.hashes), np.array(self.states)
        hashes[users] = 0
        states[users] = 0
        return StateCache(hashes, states)


def hashes_of(histories: Histories) -> NDArray[np.int64]:
    """(B,) 64 bits of each history's newest events: a sum in which each item, time and type has a factor of its place.

    Two histories that differ give the same bits once in 2^44 or more; an empty one gives 0.
    """
    sizes = np.minimum(np.diff(histories.offsets), MAX_EVENTS)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    left = np.repeat(offsets[1:], sizes) - np.arange(offsets[-1])  # events from this one on, 1 for the newest
    part = np.repeat(histories.offsets[1:], sizes) - left
    words = histories.item_index[part].astype(np.uint64) * OF_ITEM[-left]
    words += histories.timestamp[part].astype(np.uint64) * OF_TIME[-left]
    words += histories.event_type[part].astype(np.uint64) * OF_TYPE[-left]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words)])[offsets]
    found = np.diff(sums) + np.where(sizes, OF_LENGTH[sizes - 1], np.uint64(0))
    return np.asarray(found.view(np.int64))


def hash_of(history: Histories) -> int:
    """The same of a single history, as a number from 0 on; few calls, as each request asks."""
    first, end = history.offsets.tolist()
    size = min(end - first, MAX_EVENTS)
    if not size:
        return 0
    parts = slice(end - size, end), slice(MAX_EVENTS - size, MAX_EVENTS)
    total = int(OF_LENGTH[size - 1])
    for values, factors in (
        (history.item_index, OF_ITEM),
        (history.timestamp, OF_TIME),
        (history.event_type, OF_TYPE),
    ):
        total += int(np.dot(values[parts[0]].astype(np.uint64), factors[parts[1]]))
    return total & BITS
