"""Closed-form sequence models: ridge regression from a decayed bag of a user's newest events to what came next.

Row t of the design is x_t = Σ_k decay^k onehot(item of event t-1-k), k < window; its target y_t = Σ_j future_decay^j
onehot(item of event t+j), j < future. The weights are B = (XᵀX + λI + δ diag XᵀX)⁻¹ XᵀY. Neither X nor Y is ever built:
both moments are sums over pairs of events of one user, weighted by a function of their distance, so that accumulating
them costs one addition for each pair inside the window. Whole-profile weights without a diagonal are Steck 2019 (EASE).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import lapack

from recipes.base import RecipeError
from recipes.components.fit_context import FitContext
from recipes.components.item_weights import DenseWeights
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run


def fit_sequence_ridge(
    kernel: WindowKernel, ridge: float, dropout: float, histories: Histories, context: FitContext
) -> DenseWeights:
    """Fit a ridge over the context's members; ridges with the same moments, or even weights, share them.

    Args:
        kernel: how events count, in learning and when a history is read.
        ridge: λ.
        dropout: δ.
        histories: what to learn from.
        context: members, run, and the moments that were accumulated last.
    """
    shared = None if kernel.profile else kernel  # all profiles have the same moments
    moments = context.shared("moments", shared, lambda: _moments(kernel, histories, context))
    weights = context.shared("ridge", (shared, ridge, dropout), lambda: solve(moments, kernel, ridge, dropout))
    return DenseWeights.of(kernel, weights, context.members, context.num_items)


def _moments(kernel: WindowKernel, histories: Histories, context: FitContext) -> Moments:
    position = np.full(context.num_items, -1, np.int64)
    position[context.members] = np.arange(len(context.members))
    moments = Moments.zeros(len(context.members))
    items = position[histories.item_index]
    moments.add(kernel, items, histories.offsets, context.run, event_weights=histories.weight)
    return moments


@dataclass
class Moments:
    """`gram` (N, N), which with its transpose makes XᵀX, and `cross` (N, N), which is (XᵀY)ᵀ: [target, input]."""

    gram: Floats
    cross: Floats

    @classmethod
    def zeros(cls, num_items: int) -> Moments:
        """Nothing seen yet."""
        return cls(np.zeros((num_items, num_items), np.float32), np.zeros((num_items, num_items), np.float32))

    def add(
        self,
        kernel: WindowKernel,
        items: Indexes,
        offsets: Indexes,
        run: Run,
        sign: float = 1.0,
        event_weights: NDArray[np.float32] | None = None,
    ) -> None:
        """Add (or with sign -1 take away) the sequences `items[offsets[u]:offsets[u + 1]]`; -1 marks an item left out.

        With `event_weights`, (E,) of each event, the target is what the coming events are event_weights; profiles don't look at it.
        """
        if kernel.profile:
            self._add_profiles(items, offsets, sign)
            return
        num_items = len(self.gram)
        sizes = np.diff(offsets)
        position = np.arange(len(items)) - np.repeat(offsets[:-1], sizes)
        rows_after = np.minimum(np.repeat(offsets[1:], sizes) - 1 - np.arange(len(items)), kernel.window)
        gram_weights, cross_weights = sign * kernel.gram_weights(), sign * kernel.cross_weights()
        diagonal = np.bincount(
            items[items >= 0], gram_weights[0, rows_after[items >= 0]].astype(np.float64), minlength=num_items
        )
        self.gram.reshape(-1)[:: num_items + 1] += 0.5 * diagonal.astype(np.float32)
        reach = min(len(cross_weights), int(sizes.max(initial=0)))
        for distance in range(1, reach):
            run.report("fitting ridge", distance / reach)
            later = np.flatnonzero(position >= distance)
            known = (items[later] >= 0) & (items[later - distance] >= 0)
            later = later[known]
            flat = items[later] * num_items + items[later - distance]
            cross = cross_weights[distance] if event_weights is None else cross_weights[distance] * event_weights[later]
            np.add.at(self.cross.reshape(-1), flat, cross)
            if distance < kernel.window:
                rows = np.minimum(rows_after[later], kernel.window - distance)
                np.add.at(self.gram.reshape(-1), flat, gram_weights[distance, rows])

    def _add_profiles(self, items: Indexes, offsets: Indexes, sign: float) -> None:
        users = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        known = items >= 0
        shape = (len(offsets) - 1, len(self.gram))
        profiles = sp.csr_matrix((np.ones(int(known.sum()), np.float32), (users[known], items[known])), shape=shape)
        profiles.data[:] = 1.0
        profiles.sum_duplicates()
        profiles.data[:] = 1.0
        step = max(1, 50_000_000 // max(1, len(self.gram)))
        for start in range(0, shape[0], step):
            block = profiles[start : start + step]
            if block.nnz > 0.02 * block.shape[0] * block.shape[1]:
                dense = block.toarray()
                self.gram += 0.5 * sign * (dense.T @ dense)
            else:
                self.gram += 0.5 * sign * (block.T @ block).toarray()


def solve(moments: Moments, kernel: WindowKernel, ridge: float, dropout: float) -> Floats:
    """The item × item weights B, row = item of the history, column = item scored.

    Args:
        moments: what was accumulated with this kernel; left as it is.
        kernel: the kernel they were accumulated with.
        ridge: λ, added to the diagonal.
        dropout: δ, share of the diagonal that is added to it (as if inputs were dropped at random; Steck 2020).

    Raises:
        RecipeError: the data give no solvable system, e.g. NaN.
    """
    system = moments.gram + moments.gram.T
    diagonal = system.reshape(-1)[:: len(system) + 1]
    diagonal += ridge + dropout * diagonal
    factor, failed = lapack.spotrf(system.T, lower=1, overwrite_a=True, clean=False)
    if failed:
        raise RecipeError(
            "The interactions give no solvable regression; are there at least two items with two events each?"
        )
    if not kernel.profile:
        return np.ascontiguousarray(lapack.spotrs(factor, moments.cross.T, lower=1)[0])
    inverse = lapack.spotri(factor, lower=1, overwrite_c=True)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)[None, :]
    weights.reshape(-1)[:: len(weights) + 1] = 0.0
    return np.ascontiguousarray(weights, np.float32)
