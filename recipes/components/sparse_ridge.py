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
from recipes.numerics.arrays import Floats, Indexes, strongest
from recipes.run import Run

KERNEL = WindowKernel(16, 0.8, 3)  # how events count for items that a dense ridge does not cover
RIDGE = 5.0
PER_ITEM = 200  # targets kept of each item
PAIRS_HELD = 20_000_000  # before they are added up


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
    items = histories.item_index
    position = np.arange(len(items)) - np.repeat(histories.offsets[:-1], np.diff(histories.offsets))
    weights = kernel.cross_weights()
    reach = min(len(weights), int(np.diff(histories.offsets).max(initial=0)))
    total = sp.csr_matrix((num_items, num_items), dtype=np.float32)
    held: list[tuple[Indexes, Floats]] = []
    for distance in range(1, reach):
        run.report("fitting ridge", distance / reach)
        later = np.flatnonzero(position >= distance)
        outside = ~(inside[items[later]] & inside[items[later - distance]])
        later = later[outside]
        pairs = items[later - distance] * num_items + items[later]
        held.append((pairs, np.full(len(pairs), weights[distance], np.float32)))
        if sum(len(pairs) for pairs, _ in held) > PAIRS_HELD or distance == reach - 1:
            total, held = total + _summed(held, num_items), []
    if held:
        total = total + _summed(held, num_items)
    squares = float(np.sum(kernel.decay ** (2 * np.arange(kernel.window))))
    occurrences = np.bincount(items, minlength=num_items) * squares
    scaled = sp.csr_matrix(sp.diags((1 / (occurrences + ridge)).astype(np.float32)) @ total, dtype=np.float32)
    return strongest(scaled, PER_ITEM)


def _summed(held: list[tuple[Indexes, Floats]], num_items: int) -> sp.csr_matrix:
    pairs = np.concatenate([pairs for pairs, _ in held])
    values = np.concatenate([values for _, values in held])
    return sp.csr_matrix((values, (pairs // num_items, pairs % num_items)), shape=(num_items, num_items))
