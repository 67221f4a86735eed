"""What a dense ridge is too large for: sparse item-to-item weights with each item regressed on its own.

Where a pair holds an item outside the dense ridge, B is approximated by its first Jacobi step, C / (diag XᵀX + λ): the rarer
the items, the closer XᵀX is to its diagonal and the better this is. Memory grows with the pairs kept, not with N².
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recipes.components.fit_context import FitContext
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.numerics.arrays import Indexes, strongest
from recipes.numerics.cooccurrence import windowed_cooccurrence
from recipes.run import Run

KERNEL = WindowKernel(16, 0.8, 3)  # how events count for items that a dense ridge does not cover
RIDGE = 5.0
PER_ITEM = 200  # targets kept of each item


def fit_sparse_ridge(histories: Histories, context: FitContext) -> sp.csr_matrix:
    """(N, N) weights of the pairs that a dense ridge over the context's members leaves out."""
    kernel = replace(KERNEL, window=min(KERNEL.window, context.settings.window))
    return sparse_ridge(kernel, histories, context.members, context.num_items, RIDGE, context.run)


def sparse_ridge(
    kernel: WindowKernel, histories: Histories, members: Indexes, num_items: int, ridge: float, run: Run
) -> sp.csr_matrix:
    """Count the pairs that a dense ridge over `members` leaves out and divide by how often the earlier item occurs.

    Args:
        kernel: window, decay, future, as the dense ridge's.
        histories: sequences to learn from.
        members: items of the dense ridge; pairs of two of them are left to it.
        num_items: N.
        ridge: λ.
        run: the watcher.
    """
    inside = np.zeros(num_items, bool)
    inside[members] = True
    total = windowed_cooccurrence(
        histories.row,
        histories.item_index,
        num_items,
        kernel.cross_weights()[1:],
        run,
        excluded=lambda earlier, later: inside[earlier] & inside[later],
    )
    squares = float(np.sum(kernel.decay ** (2 * np.arange(kernel.window))))
    occurrences = np.bincount(histories.item_index, minlength=num_items) * squares
    scaled = sp.csr_matrix(sp.diags((1 / (occurrences + ridge)).astype(np.float32)) @ total, dtype=np.float32)
    return strongest(scaled, PER_ITEM)
