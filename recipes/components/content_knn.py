"""What metadata say about items: their nearest neighbours in content, through which scores reach the rare and the new.

An item's content score is the weighted mean of the scores of the items most like it, so that a ridge learned from events
speaks for items that have none.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.threads import ahead
from recipes.numerics.topk import TopK, top_k

NEIGHBOURS = 20
SHARPNESS = 12.0  # of the softmax over similarities
MOST_LIKENESSES = 1_000_000_000  # between pairs of items, worked out for a catalogue: a few seconds
FEWEST_SPEAKERS = 1000
BLOCK = 20_000_000  # similarities held at a time


def neighbour_candidates(counts: Indexes) -> Indexes:
    """Which of (N,) items may speak for others: those with events, and in large catalogues the most frequent of them."""
    most = max(FEWEST_SPEAKERS, MOST_LIKENESSES // max(1, len(counts)))
    frequent = np.argsort(-counts, kind="stable")[:most]
    return np.sort(frequent[counts[frequent] > 0])


def content_neighbours(features: Floats, known: Indexes) -> sp.csr_matrix:
    """(N, N) sparse: column i holds the weights, adding up to 1, with which the items most like i speak for it.

    Args:
        features: (N, F) unit vectors, zero for items nothing is known of.
        known: items that may speak, those with events.
    """
    num_items = len(features)
    known = known[np.any(features[known] != 0, axis=1)]
    count = min(NEIGHBOURS + 1, len(known))
    described = np.flatnonzero(np.any(features != 0, axis=1))
    step = max(1, BLOCK // max(1, len(known)))
    spoken = features[known].T

    def nearest(start: int) -> TopK:
        asked = described[start : start + step]
        alike = features[asked] @ spoken
        alike[asked[:, None] == known[None, :]] = -1.0
        return top_k(alike, count)

    found = list(ahead(nearest, range(0, len(described) if count else 0, step)))
    if not found:
        return sp.csr_matrix((num_items, num_items), dtype=np.float32)
    near = np.concatenate([best.scores for best in found])
    weights = np.where(near > 0, np.exp(SHARPNESS * (near - 1)), 0).astype(np.float32)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    rows = known[np.concatenate([best.items for best in found])]
    flat = (weights.ravel(), (rows.ravel(), np.repeat(described, count)))
    matrix = sp.csr_matrix(flat, shape=(num_items, num_items), dtype=np.float32)
    matrix.eliminate_zeros()
    return matrix
