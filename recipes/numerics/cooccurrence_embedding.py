"""Items in a space by the company they keep: near each other there who stand near each other in histories.

Shifted pointwise mutual information of near pairs, factorised (Levy & Goldberg 2014); linear in the events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.content.text import unit
from recipes.numerics.arrays import Floats, Indexes, strongest
from recipes.numerics.factorization import truncated_svd

WINDOW = 20  # events apart at which two items still count as together
DECAY = 0.85  # of a pair's weight with each event in between
MOST_PAIRS = 10_000_000  # counted; the window shrinks on large data
NEIGHBOURS = 100  # of an item whose company is looked at, those it is seen with most
FEWER_NEIGHBOURS = 40  # in catalogues so large that theirs alone would be `MOST_PAIRS`
PASSES, FEWER_PASSES = 4, 2  # of the decomposition; the fewer where entries are many, at hardly any loss
MANY = 3_000_000
SMOOTHING = 0.75  # power of an item's count when chance is computed, as in word2vec


def company_vectors(together: sparse.csr_matrix, dimension: int, seed: int = 0) -> Floats:
    """(N, `dimension`) unit vectors of items from (N, N) `near_pairs`; zero for items without company."""
    vectors = np.zeros((together.shape[0], dimension), np.float32)
    if together.nnz:
        counted = surprise(together)
        passes = PASSES if counted.nnz < MANY else FEWER_PASSES
        svd = truncated_svd(counted, dimension, seed, iterations=passes)
        vectors[:, : len(svd.values)] = svd.left * np.sqrt(svd.values)
    return unit(vectors)


def near_pairs(
    row: Indexes, item: Indexes, size: int, worth: NDArray[np.float32] | None = None, window: int = WINDOW
) -> sparse.csr_matrix:
    """(N, N) symmetric: how often two items stand near each other in histories, nearer pairs counting more.

    Of each item only the neighbours it is seen with most are kept, and what counts it among theirs.

    Args:
        row: (E,) whose event it is; those of a history together, oldest first.
        item: (E,) what it was.
        size: N.
        worth: (E,) how much each event counts; 1 without it.
        window: events apart at which two items still count, at most.
    """
    window = int(np.clip(MOST_PAIRS // max(1, len(item)), 1, window))
    worth = np.ones(len(item), np.float32) if worth is None else worth
    pairs, weights = [], []
    for lag in range(1, window + 1):
        near = (row[lag:] == row[:-lag]) & (item[lag:] != item[:-lag])
        left, right = item[:-lag][near], item[lag:][near]
        pairs.append(np.minimum(left, right) * size + np.maximum(left, right))
        weights.append((DECAY ** (lag - 1) * worth[:-lag][near] * worth[lag:][near]).astype(np.float32))
    places = np.divmod(np.concatenate(pairs), max(1, size))
    once = sparse.csr_matrix((np.concatenate(weights), places), shape=(size, size), dtype=np.float32)
    count = int(np.clip(MOST_PAIRS // max(1, size), FEWER_NEIGHBOURS, NEIGHBOURS))
    kept = strongest(sparse.csr_matrix(once + once.T), count)
    return sparse.csr_matrix(kept.maximum(kept.T), dtype=np.float32)


def surprise(together: sparse.csr_matrix) -> sparse.csr_matrix:
    """Log of how many times more often than by chance, where it is more often; 0 elsewhere."""
    counts = np.asarray(together.sum(axis=1)).ravel()
    smoothed = counts**SMOOTHING
    rows = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr))
    expected = counts[rows] * smoothed[together.indices] / smoothed.sum()
    backwards = counts[together.indices] * smoothed[rows] / smoothed.sum()
    found = together.copy()
    found.data = np.maximum(np.log(together.data / np.sqrt(expected * backwards)), 0).astype(np.float32)
    found.eliminate_zeros()
    return found
