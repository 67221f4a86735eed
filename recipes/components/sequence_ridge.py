"""Closed-form sequence models: ridge regression from a decayed bag of a user's newest events to what came next.

Row t of the design is x_t = Σ_k decay^k onehot(item of event t-1-k), k < window; its target y_t = Σ_j future_decay^j
onehot(item of event t+j), j < future. The weights are B = (XᵀX + λI + δ diag XᵀX)⁻¹ XᵀY. Neither X nor Y is ever built:
both moments are sums over pairs of events of one user, weighted by a function of their distance, so that accumulating
them costs one addition for each pair inside the window. Whole-profile weights without a diagonal are Steck 2019 (EASE).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack

from recipes.base import RecipeError
from recipes.components.fit_context import FitContext
from recipes.components.item_weights import DenseWeights
from recipes.components.sums import over_users
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.numerics.arrays import Floats
from recipes.numerics.cooccurrence import windowed_pairs
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
    weights = context.shared("ridge", (shared, ridge, dropout), lambda: moments.finish(ridge, dropout))
    return DenseWeights.of(kernel, weights, context.members, context.num_items)


def _moments(kernel: WindowKernel, histories: Histories, context: FitContext) -> Moments:
    position = np.full(context.num_items, -1, np.int64)
    position[context.members] = np.arange(len(context.members))
    covered = replace(histories, item_index=position[histories.item_index])
    summed = partial(Moments.partial, kernel, len(context.members), context.run)
    return over_users(summed, covered, done=partial(context.run.report, "fitting ridge"))


@dataclass
class Moments:
    """XᵀX and XᵀY over some users.

    Attributes:
        kernel: how events count.
        gram: (K, K), which with its transpose makes XᵀX.
        cross: (K, K), which is (XᵀY)ᵀ: [target, input].
    """

    kernel: WindowKernel
    gram: Floats
    cross: Floats

    @classmethod
    def partial(cls, kernel: WindowKernel, num_items: int, run: Run, histories: Histories) -> Self:
        """Sum over the users of `histories`, whose items are from 0 to `num_items` - 1, or -1 for those left out.

        With event weights the target is weighted by those of the coming events; profiles ignore them.
        """
        moments = cls(kernel, *(np.zeros((num_items, num_items), np.float32) for _ in range(2)))
        if kernel.profile:
            moments._add_profiles(histories)
        else:
            moments._add_sequences(histories, run)
        return moments

    def combine(self, other: Moments) -> Self:
        """Add the sums over other users."""
        return replace(self, gram=self.gram + other.gram, cross=self.cross + other.cross)

    def finish(self, ridge: float, dropout: float) -> Floats:
        """(K, K) the weights B; see `solve`."""
        return solve(self, ridge, dropout)

    def _add_sequences(self, histories: Histories, run: Run) -> None:
        kernel, items, num_items = self.kernel, histories.item_index, len(self.gram)
        ends = np.repeat(histories.offsets[1:], np.diff(histories.offsets)) - histories.offsets[0]
        rows_after = np.minimum(ends - 1 - np.arange(len(items)), kernel.window)
        gram_weights, cross_weights = kernel.gram_weights(), kernel.cross_weights()
        inside = items >= 0
        diagonal = np.bincount(items[inside], gram_weights[0, rows_after[inside]].astype(np.float64), num_items)
        self.gram.reshape(-1)[:: num_items + 1] += 0.5 * diagonal.astype(np.float32)
        for distance, later in windowed_pairs(histories.row, len(cross_weights) - 1):
            run.report("fitting ridge", distance / len(cross_weights))
            later = later[inside[later] & inside[later - distance]]
            flat = items[later] * num_items + items[later - distance]
            weight = cross_weights[distance]
            np.add.at(
                self.cross.reshape(-1), flat, weight if histories.weight is None else weight * histories.weight[later]
            )
            if distance < kernel.window:
                rows = np.minimum(rows_after[later], kernel.window - distance)
                np.add.at(self.gram.reshape(-1), flat, gram_weights[distance, rows])

    def _add_profiles(self, histories: Histories) -> None:
        items, users = histories.item_index, histories.row
        inside = items >= 0
        shape = (len(histories), len(self.gram))
        profiles = sp.csr_matrix((np.ones(int(inside.sum()), np.float32), (users[inside], items[inside])), shape=shape)
        profiles.data[:] = 1.0
        profiles.sum_duplicates()
        profiles.data[:] = 1.0
        step = max(1, 50_000_000 // max(1, len(self.gram)))
        for start in range(0, shape[0], step):
            block = profiles[start : start + step]
            if block.nnz > 0.02 * block.shape[0] * block.shape[1]:
                dense = block.toarray()
                self.gram += 0.5 * (dense.T @ dense)
            else:
                self.gram += 0.5 * (block.T @ block).toarray()


def solve(moments: Moments, ridge: float, dropout: float) -> Floats:
    """The item × item weights B, row = item of the history, column = item scored.

    Args:
        moments: over all users; left as they are.
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
    if not moments.kernel.profile:
        return np.ascontiguousarray(lapack.spotrs(factor, moments.cross.T, lower=1)[0])
    inverse = lapack.spotri(factor, lower=1, overwrite_c=True)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)[None, :]
    weights.reshape(-1)[:: len(weights) + 1] = 0.0
    return np.ascontiguousarray(weights, np.float32)
