"""Nearest neighbours of items by their metadata, through which scores reach rare and new items.

An item's content score is the weighted mean of the scores of its nearest neighbours, so that weights learned from events
also score items that have none.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.executor import prefetch
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import TopK, top_k

NEIGHBOURS = 20
SHARPNESS = 12.0  # of the softmax over similarities
MAX_SIMILARITIES = 1_000_000_000  # between pairs of items, worked out for a catalogue: a few seconds
MIN_CANDIDATES = 1000
BLOCK = 20_000_000  # similarities held at a time


def neighbour_candidates(counts: Indexes) -> Indexes:
    """Items that may be neighbours, of (N,) counts: those with events, and in large catalogues the most frequent of them."""
    most = max(MIN_CANDIDATES, MAX_SIMILARITIES // max(1, len(counts)))
    frequent = np.argsort(-counts, kind="stable")[:most]
    return np.sort(frequent[counts[frequent] > 0])


def content_neighbours(features: Floats, candidates: Indexes) -> sp.csr_matrix:
    """(N, N) sparse: column i holds the weights of the items most similar to i, which add up to 1.

    Args:
        features: (N, F) unit vectors, zero for items without metadata.
        candidates: (C,) items that may be neighbours.
    """
    num_items = len(features)
    candidates = candidates[np.any(features[candidates] != 0, axis=1)]
    count = min(NEIGHBOURS + 1, len(candidates))
    described = np.flatnonzero(np.any(features != 0, axis=1))
    step = max(1, BLOCK // max(1, len(candidates)))
    candidate_features = features[candidates].T

    def nearest(start: int) -> TopK:
        queries = described[start : start + step]
        similarities = features[queries] @ candidate_features
        similarities[queries[:, None] == candidates[None, :]] = -1.0
        return top_k(similarities, count)

    nearest_items = list(prefetch(nearest, range(0, len(described) if count else 0, step)))
    if not nearest_items:
        return sp.csr_matrix((num_items, num_items), dtype=np.float32)
    near = np.concatenate([best.scores for best in nearest_items])
    weights = np.where(near > 0, np.exp(SHARPNESS * (near - 1)), 0).astype(np.float32)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    rows = candidates[np.concatenate([best.items for best in nearest_items])]
    flat = (weights.ravel(), (rows.ravel(), np.repeat(described, count)))
    matrix = sp.csr_matrix(flat, shape=(num_items, num_items), dtype=np.float32)
    matrix.eliminate_zeros()
    return matrix
