"""What the network expects of users as they were when the model was stored: looked up for as long as nothing new is read of them.

Each user's newest events are boiled down to 64 bits. A request whose history gives the same bits would have the network read
the same events again; whatever else it holds (a new event, one left out to explain an answer) gives others, and is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.base import Floats, Indexes

MOST_BYTES = 32 * 2**20  # of expectations; more users than that are read when they ask
ODD = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9], np.uint64)  # multipliers of splitmix64 (Steele et al. 2014)
SHIFT = np.uint64(31)


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

    @property
    def prints(self) -> NDArray[np.int64]:
        """(B,) 64 bits of each history that differ whenever an item, a gap, a type or their order does; 0 for an empty one."""
        found = (self.items.astype(np.uint64) << np.uint64(20)) + (self.pairs + 1).astype(np.uint64)
        places = np.arange(1, len(found) + 1) if len(self.offsets) == 2 else self._places
        found += places.astype(np.uint64) << np.uint64(54)
        for factor in ODD:
            found *= factor
            found ^= found >> SHIFT
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(found)])
        return np.diff(sums[self.offsets]).view(np.int64)

    @property
    def _places(self) -> Indexes:
        """(E,) 1, 2, … along each history."""
        starts = np.repeat(self.offsets[:-1], np.diff(self.offsets))
        return np.arange(1, len(starts) + 1) - starts


@dataclass(frozen=True)
class Remembered:
    """Expectations of U users.

    Attributes:
        prints: (U,) of the histories that were read.
        states: (U, D) what came of them.
    """

    prints: NDArray[np.int64]
    states: Floats

    def look_up(self, users: Indexes, newest: Newest, found: Floats) -> NDArray[np.bool_]:
        """Fill the rows of `found` (B, D) that are known; (B,) which they were."""
        known = (users >= 0) & (users < len(self.prints))
        known[known] = self.prints[users[known]] == newest.prints[known]
        found[known] = self.states[users[known]]
        return known
