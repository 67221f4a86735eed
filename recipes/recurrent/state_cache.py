"""What the network expects of users as they were when the model was stored: looked up for as long as nothing new is read of them.

Each user's newest events are boiled down to 64 bits. A request whose history gives the same bits would have the network read
the same events again; whatever else it holds (a new event, one left out to explain an answer) gives others, and is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories
from recipes.numerics.arrays import Floats

MOST_BYTES = 32 * 2**20  # of expectations; more users than that are read when they ask
LONGEST = 50  # newest events that are read: twice as many find nothing more (docs/decisions/0007-answering.md)
BITS = 2**64 - 1


def _factors() -> NDArray[np.uint64]:
    """(4, LONGEST) splitmix64's first numbers (Steele et al. 2014): of an item, a time and a type at each place, and of a length."""
    found = np.arange(1, 4 * LONGEST + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        found = (found ^ found >> np.uint64(shift)) * np.uint64(factor)
    return (found ^ found >> np.uint64(31)).reshape(4, LONGEST)


OF_ITEM, OF_TIME, OF_TYPE, OF_LENGTH = _factors()  # by place, the newest event's last


@dataclass(frozen=True)
class Remembered:
    """Expectations of U users.

    Attributes:
        prints: (U,) of the histories that were read.
        states: (U, D) what came of them.
    """

    prints: NDArray[np.int64]
    states: Floats

    def look_up(self, histories: Histories, found: Floats) -> NDArray[np.bool_]:
        """Fill the rows of `found` (B, D) that are known; (B,) which they were."""
        users = histories.user_index
        if len(users) == 1:
            return self._look_up_one(int(users[0]), histories, found)
        known = (users >= 0) & (users < len(self.prints))
        known[known] = self.prints[users[known]] == prints_of(histories)[known]
        found[known] = self.states[users[known]]
        return known

    def forget_users(self, users: NDArray[np.int64]) -> Remembered:
        """Return the cache with zeros, the hash of an empty history, in the rows of `users`."""
        users = users[users < len(self.prints)]
        prints, states = np.array(self.prints), np.array(self.states)
        prints[users] = 0
        states[users] = 0
        return Remembered(prints, states)

    def _look_up_one(self, user: int, histories: Histories, found: Floats) -> NDArray[np.bool_]:
        known = 0 <= user < len(self.prints) and int(self.prints[user]) & BITS == print_of(histories)
        if known:
            found[0] = self.states[user]
        return np.array([known])


def prints_of(histories: Histories) -> NDArray[np.int64]:
    """(B,) 64 bits of each history's newest events: a sum in which each item, time and type has a factor of its place.

    Two histories that differ give the same bits once in 2^44 or more; an empty one gives 0.
    """
    sizes = np.minimum(np.diff(histories.offsets), LONGEST)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    left = np.repeat(offsets[1:], sizes) - np.arange(offsets[-1])  # events from this one on, 1 for the newest
    part = np.repeat(histories.offsets[1:], sizes) - left
    told = histories.item_index[part].astype(np.uint64) * OF_ITEM[-left]
    told += histories.timestamp[part].astype(np.uint64) * OF_TIME[-left]
    told += histories.event_type[part].astype(np.uint64) * OF_TYPE[-left]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(told)])[offsets]
    found = np.diff(sums) + np.where(sizes, OF_LENGTH[sizes - 1], np.uint64(0))
    return np.asarray(found.view(np.int64))


def print_of(history: Histories) -> int:
    """The same of a single history, as a number from 0 on; few calls, as each request asks."""
    first, end = history.offsets.tolist()
    size = min(end - first, LONGEST)
    if not size:
        return 0
    parts = slice(end - size, end), slice(LONGEST - size, LONGEST)
    told = int(OF_LENGTH[size - 1])
    for values, factors in (
        (history.item_index, OF_ITEM),
        (history.timestamp, OF_TIME),
        (history.event_type, OF_TYPE),
    ):
        told += int(np.dot(values[parts[0]].astype(np.uint64), factors[parts[1]]))
    return told & BITS
