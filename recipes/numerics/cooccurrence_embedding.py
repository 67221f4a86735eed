"""Co-occurrence embedding of items: positive pointwise mutual information of windowed counts, factorised.

Items that stand near each other in histories get similar vectors (Levy & Goldberg 2014); the cost is linear in the events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.numerics.arrays import EventIndexes, Floats, strongest, unit
from recipes.numerics.cooccurrence import windowed_cooccurrence
from recipes.numerics.factorization import truncated_svd

WINDOW = 20  # events apart at which two items still count
DECAY = 0.85  # of a pair's weight with each event in between
MAX_PAIRS = 10_000_000  # counted; the window shrinks on large data
NEIGHBOURS = 100  # kept of each item, those with the largest counts
FEWER_NEIGHBOURS = 40  # in catalogues so large that theirs alone would be `MAX_PAIRS`
PASSES, FEWER_PASSES = 4, 2  # of the decomposition; the fewer where entries are many, at hardly any loss
MANY = 3_000_000
SMOOTHING = 0.75  # power of an item's count when chance is computed, as in word2vec


def cooccurrence_vectors(counts: sparse.csr_matrix, dimension: int, seed: int = 0) -> Floats:
    """(N, `dimension`) unit vectors of items from their (N, N) `nearest_cooccurrence`; zero for items without any."""
    vectors = np.zeros((counts.shape[0], dimension), np.float32)
    if counts.nnz:
        counted = ppmi(counts)
        passes = PASSES if counted.nnz < MANY else FEWER_PASSES
        svd = truncated_svd(counted, dimension, seed, iterations=passes)
        vectors[:, : len(svd.values)] = svd.left * np.sqrt(svd.values)
    return unit(vectors)


def nearest_cooccurrence(
    row: EventIndexes, item: EventIndexes, size: int, weight: NDArray[np.float32] | None = None, window: int = WINDOW
) -> sparse.csr_matrix:
    """(N, N) symmetric windowed co-occurrence counts, nearer pairs counting more; of each item's pairs only the largest.

    Args:
        row: (E,) the history of each event; those of a history together, oldest first.
        item: (E,) its item.
        size: N.
        weight: (E,) how much each event counts; 1 without it.
        window: events apart at which two items still count, at most; smaller on large data.
    """
    window = int(np.clip(MAX_PAIRS // max(1, len(item)), 1, window))
    counts = windowed_cooccurrence(
        row,
        item,
        size,
        DECAY ** np.arange(window, dtype=np.float64),
        event_weights=weight,
        excluded=np.equal,
        is_symmetric=True,
    )
    kept = strongest(counts, int(np.clip(MAX_PAIRS // max(1, size), FEWER_NEIGHBOURS, NEIGHBOURS)))
    return sparse.csr_matrix(kept.maximum(kept.T), dtype=np.float32)


def ppmi(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Positive pointwise mutual information: log of the counts over those expected by chance, or 0 where that is negative."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    smoothed = totals**SMOOTHING
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    expected = totals[rows] * smoothed[counts.indices] / smoothed.sum()
    backwards = totals[counts.indices] * smoothed[rows] / smoothed.sum()
    scores = counts.copy()
    scores.data = np.maximum(np.log(counts.data / np.sqrt(expected * backwards)), 0).astype(np.float32)
    scores.eliminate_zeros()
    return scores
