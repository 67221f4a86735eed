"""Scoring with a fitted blend, arranged for speed: what `Blend.mix` of all parts says, without making the parts.

Constants are added up once, weights go into the few numbers that describe a history instead of the many scores, and
a batch is worked off in blocks of rows that stay in the processor's cache.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from recipes.base import Floats
from recipes.blending import smooth_log
from recipes.data import Histories
from recipes.repeats import seen_items
from recipes.transitions import Transitions

if TYPE_CHECKING:
    from recipes.relevance import Components, Priors

BLOCK_SCORES = 2**19  # of a block of rows; 2 MiB
CACHED_SCORES = 2**16  # on which the many element-wise steps are taken together; 256 KiB
FEWEST_ROWS = 16  # of a block, however large the catalogue: a matrix product reads it once for all of them


class Answering:
    """Scores histories with `components` mixed by their blend."""

    def __init__(self, components: Components, priors: Priors, rates: Floats) -> None:
        """Keep the fitted parts; nothing is worked out before the first answer."""
        self.components = components
        self.priors = priors
        self.rates = rates
        self.blend = components.blend

    def score(self, histories: Histories) -> Floats:
        """(B, N) the blend of all components plus what is unknown; empty histories get what is left of it."""
        size = len(self.priors.unknown)
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
        weights = self.blend.logarithmic
        network = self.components.network
        parts = {"popularity": self.priors.popularity, "trend": self.priors.trend}
        if network is not None:
            parts["network"] = network.bias
        for name, values in parts.items():
            total += np.float32(weights.get(name, 0.0)) * values
        return total

    @cached_property
    def _content(self) -> sp.csr_matrix:
        """(N, N) row i: the items that speak for i."""
        return sp.csr_matrix(self.components.content.T)  # type: ignore[union-attr]

    def _block(self, histories: Histories) -> Floats:
        linear = self._linear(histories)
        blend, rows, items = self.blend, histories.row, histories.item_index
        if blend.repeat:
            seen = seen_items(histories, linear.shape[1])
            linear[seen.row, seen.item] += np.float32(blend.repeat) * self.rates[seen.lag, seen.count]
        weight = np.float32(blend.logarithmic.get("network", 0.0))
        network = self.components.network if weight else None
        hidden = None if network is None else weight * network.hidden(histories)
        step = max(1, CACHED_SCORES // linear.shape[1])
        for start in range(0, len(linear), step):
            part = linear[start : start + step]
            logarithm = smooth_log(part, blend.floor)
            if network is not None and hidden is not None:
                logarithm += network.likeness(hidden[start : start + step])
            np.add(logarithm, self._constant, out=part)
        if blend.seen:
            linear[rows, items] += np.float32(blend.seen)
        return linear

    def _linear(self, histories: Histories) -> Floats:
        """(B, N) the weighted sum of the linear components."""
        parts, weights = self.components, self.blend.linear
        through = weights.get("content", 0.0) if parts.content is not None else 0.0
        total: Floats | None = None
        for name, ridge in parts.ridges.items():
            weight = weights.get(name, 0.0)
            if through and name == parts.source:
                alone = ridge.score(histories)
                spoken = (self._content @ alone.T).T
                spoken *= np.float32(through)
                total = _sum(total, spoken)
                alone *= np.float32(weight)
                total = _sum(total, alone)
            elif weight:
                total = _sum(total, ridge.score(histories, weight))
        for name, part in parts.others().items():
            weight = weights.get(name, 0.0)
            if isinstance(part, Transitions) and weight and total is not None:
                part.add_to(total, histories, weight)
            elif weight and name != "content":
                scores = part.score(histories)
                scores *= np.float32(weight)
                total = _sum(total, scores)
        if total is None:
            return np.zeros((len(histories), len(self.priors.unknown)), np.float32)
        return total


def _sum(total: Floats | None, scores: Floats) -> Floats:
    if total is None:
        return np.ascontiguousarray(scores, np.float32)
    total += scores
    return total
