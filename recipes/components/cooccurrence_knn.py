"""Item-to-item neighbours by co-occurrence: within a window of the histories, or in the same users' histories at any time."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.components.fit_context import FitContext
from recipes.data import Histories
from recipes.executor import prefetch
from recipes.numerics.arrays import Floats, Indexes, strongest
from recipes.numerics.cooccurrence import FirstEvents, Similarity, windowed_neighbours, within_percentiles
from recipes.run import Run

NEIGHBOURS = 100  # of each item
CELLS = 8_000_000  # of a block of rows
MIN_ROWS = 256  # of a block, however large the catalogue
CLOSE = {"closeness": Similarity(shrinkage=1, user_prior=5), "firm closeness": Similarity(min_cooccurrence=2)}
ASYMMETRY = 0.5  # the power of the neighbour's count that its similarity is divided by


def fit_windowed_knn(kind: str, histories: Histories, context: FitContext) -> sp.csr_matrix:
    """(N, N) similarities by co-occurrence within a window, as one of `CLOSE` weighs them; pairs are counted once for all."""
    every = context.shared("windowed", None, lambda: close_neighbours(histories, context.num_items, context.run))
    return every[kind]


def fit_cosine_knn(histories: Histories, context: FitContext) -> sp.csr_matrix:
    """(N, N) cosine similarities of the items' sets of users."""
    return context.shared("cosine", None, lambda: cosine_neighbours(histories, context.num_items, context.run))


def close_neighbours(histories: Histories, num_items: int, run: Run) -> dict[str, sp.csr_matrix]:
    """(N, N) similarities as aws-sims computes them, for each of `CLOSE`."""
    user, item, weight = histories.user_index[histories.row], histories.item_index, histories.weight
    events = FirstEvents.of(user, item, num_items, weight, within_percentiles(user, item))
    return dict(zip(CLOSE, windowed_neighbours(events, list(CLOSE.values()), run), strict=True))


def cosine_neighbours(histories: Histories, num_items: int, run: Run) -> sp.csr_matrix:
    """(N, N) cosine similarity of the sets of users, the nearest of each row's item (cf. Sarwar et al. 2001)."""
    shape = (len(histories), num_items)
    users = sp.csr_matrix(
        (np.ones(len(histories.item_index), np.float32), histories.item_index.copy(), histories.offsets), shape
    )
    users.sum_duplicates()
    users.data[:] = 1.0
    items = sp.csr_matrix(users.T)
    counts = np.maximum(np.diff(items.indptr), 1).astype(np.float32)
    step = max(MIN_ROWS, CELLS // max(1, num_items))

    def nearest(start: int) -> sp.csr_matrix:
        block = sp.csr_matrix(items[start : start + step] @ users)
        block.data /= np.repeat(np.sqrt(counts[start : start + step]), np.diff(block.indptr))
        block.data /= counts[block.indices] ** np.float32(ASYMMETRY)
        block.data[block.indices == np.repeat(np.arange(start, start + block.shape[0]), np.diff(block.indptr))] = 0.0
        return strongest(block, NEIGHBOURS)

    blocks: list[sp.csr_matrix] = []
    for block in prefetch(nearest, range(0, num_items, step)):
        run.report("finding neighbours", len(blocks) * step / num_items)
        blocks.append(block)
    return sp.csr_matrix(sp.vstack(blocks, format="csr"), dtype=np.float32)


def inside(matrix: sp.csr_matrix, position: Indexes) -> tuple[Floats, sp.csr_matrix]:
    """Split a sparse (N, N) matrix: (K, K) dense between items with a `position`, and what remains, sparse."""
    entries = matrix.tocoo()
    row, column = position[entries.row], position[entries.col]
    both: NDArray[np.bool_] = (row >= 0) & (column >= 0)
    size = int(position.max(initial=-1)) + 1
    dense = np.zeros((size, size), np.float32)
    dense[row[both], column[both]] = entries.data[both]
    rest = (entries.data[~both], (entries.row[~both], entries.col[~both]))
    return dense, sp.csr_matrix(rest, shape=matrix.shape, dtype=np.float32)
