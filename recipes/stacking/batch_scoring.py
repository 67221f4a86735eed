"""Scoring with a fitted blend, arranged for speed: what `Blend.mix` of all parts says, without making the parts.

Constants are added up once, weights go into the few numbers that describe a history instead of the many scores, and
a batch is worked off in blocks of rows that stay in the processor's cache.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from recipes.components.repeats import seen_items
from recipes.components.sequence_ridge import RidgeGroup
from recipes.data import Histories
from recipes.numerics.arrays import Floats
from recipes.stacking.one_history import Alone

if TYPE_CHECKING:
    from recipes.components.popularity import Priors
    from recipes.stacking.model import Components

BLOCK_SCORES = 2**22  # of a block of rows; 16 MiB: long histories read the matrices together
FEWEST_ROWS = 16  # of a block, however large the catalogue: a matrix product reads it once for all of them


class Answering:
    """Scores histories with `components` mixed by their blend."""

    def __init__(self, components: Components, priors: Priors, rates: Floats) -> None:
        """Keep the fitted parts; nothing is worked out before the first answer."""
        self.components = components
        self.priors = priors
        self.blend = components.blend
        self.of_seen = self.blend.of_seen(rates)

    def score(self, histories: Histories) -> Floats:
        """(B, N) the blend of all components plus what is unknown; empty histories get what is left of it."""
        size = len(self.priors.unknown)
        if len(histories) == 1 and histories.offsets[0] < histories.offsets[1]:
            return self._alone.score(histories)
        rows = max(FEWEST_ROWS, BLOCK_SCORES // size)
        if len(histories) <= rows:
            return self._block(histories)
        scores = np.empty((len(histories), size), np.float32)
        for start in range(0, len(histories), rows):
            scores[start : start + rows] = self._block(histories.rows(start, start + rows))
        return scores

    @cached_property
    def _constant(self) -> Floats:
        """(N,) what every history's scores hold."""
        total = self.priors.unknown.astype(np.float32)
        network = self.components.network
        parts = {"popularity": self.priors.popularity, "trend": self.priors.trend}
        if network is not None:
            parts["network"] = network.bias
        for name, values in parts.items():
            total += np.float32(self.blend.weights.get(name, 0.0)) * values
        return total

    @cached_property
    def _alone(self) -> Alone:
        return Alone(self.components, self._constant, self.of_seen)

    @cached_property
    def _groups(self) -> list[RidgeGroup]:
        return RidgeGroup.all_of(self.components.ridges)

    def _of_ridges(self, histories: Histories, weight: float) -> Floats:
        """(B, N) what the ridges say."""
        parts = []
        for group in self._groups if weight else ():
            found = np.zeros((len(histories), len(group.members)), np.float32)
            for ridge in group.ridges:
                ridge.add_to(found, histories, weight)
            parts.append(group.spread(found))
        if not parts:
            return np.zeros((len(histories), len(self._constant)), np.float32)
        for part in parts[1:]:
            parts[0] += part
        return parts[0]

    @cached_property
    def _content(self) -> sp.csr_matrix:
        """(N, N) row i: the items that speak for i."""
        return sp.csr_matrix(self.components.content.T)  # type: ignore[union-attr]

    def _block(self, histories: Histories) -> Floats:
        scores = self._linear(histories)
        scores += self._constant
        weight = np.float32(self.blend.weights.get("network", 0.0))
        network = self.components.network if weight else None
        if network is not None:
            scores += network.likeness(weight * network.hidden(histories))
        if self.blend.repeat:
            seen = seen_items(histories, scores.shape[1])
            scores[seen.row, seen.item] += self.of_seen[seen.lag, seen.count]
        elif self.blend.seen:
            scores[histories.row, histories.item_index] += np.float32(self.blend.seen)
        return scores

    def _linear(self, histories: Histories) -> Floats:
        """(B, N) what the events say, directly and through likeness in content, and what the users' attributes do."""
        parts, weights = self.components, self.blend.weights
        weight = weights.get("history", 0.0)
        total = self._of_ridges(histories, weight)
        for part in parts.transitions if weight else ():
            part.add_to(total, histories, weight)
        through = weights.get("content", 0.0)
        if weight and through and parts.content is not None:
            spoken = (self._content @ total.T).T
            spoken *= np.float32(through / weight)
            total += spoken
        if weights.get("audience") and parts.audience is not None:
            scores = parts.audience.score(histories)
            scores *= np.float32(weights["audience"])
            total += scores
        return total
