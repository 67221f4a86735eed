"""Which items of a large catalogue must be scored exactly so that a list is right: the best by approximate scores among those allowed.

Where few items are allowed these are all of them, so that a filter costs no recall.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import Indexes

SIZE = 2**14  # candidates, about; 30 for each place of the longest list
LONGEST = 500  # places of a list, at most
FEW = 2 * SIZE  # allowed items up to which all are scored exactly
STEP = 16  # every so many scores tell how high the bar is
SPARSE = 8  # times as many items in the catalogue from which on scoring the candidates is cheaper than scoring all


@dataclass(frozen=True)
class Candidates:
    """What a list may hold, and what else must be scored exactly.

    Attributes:
        allowed: (N,) true for the items that may be listed; None for all.
        always: items whose scores are read wherever they stand.
        above: (A,) how far above its score each of these may be drawn into the list; all are read without.
    """

    allowed: NDArray[np.bool_] | None = None
    always: Indexes = field(default_factory=lambda: np.zeros(0, np.int64))
    above: NDArray[np.float32] | None = None

    @property
    def num_wanted(self) -> int:
        """How many items are chosen wherever they stand."""
        return len(self.always) if self.above is None else 0

    def choose(self, scores: NDArray[np.float32]) -> Indexes:
        """Indexes in rising order, by (N,) approximate scores; many more than `SIZE` where scores are equal."""
        if self.allowed is not None and np.count_nonzero(self.allowed) <= FEW:
            chosen = self.allowed
        else:
            chosen = self._best(scores)
        if len(self.always):
            chosen = np.array(chosen)
            chosen[self._near(scores, chosen)] = True
        return np.flatnonzero(chosen)

    def _near(self, scores: NDArray[np.float32], chosen: NDArray[np.bool_]) -> Indexes:
        """Those of `always` that may get into a list of the longest kind."""
        best = scores[chosen]
        if self.above is None or len(best) <= LONGEST:
            return self.always
        near = scores[self.always] + self.above >= np.partition(best, -LONGEST)[-LONGEST]
        within = near if self.allowed is None else near & self.allowed[self.always]
        return self.always.compress(within)

    def _best(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(N,) the allowed items whose scores reach a bar that about `SIZE` of them do."""
        sample = scores[::STEP] if self.allowed is None else scores[::STEP][self.allowed[::STEP]]
        place = len(sample) - SIZE // STEP
        bar = np.partition(sample, place)[place] if place > 0 else np.float32(-np.inf)
        best: NDArray[np.bool_] = scores >= bar
        return best if self.allowed is None else best & self.allowed


def are_many(size: int, num_items: int) -> bool:
    """Whether so many of the items are as dear as all of them."""
    return SPARSE * size > num_items
