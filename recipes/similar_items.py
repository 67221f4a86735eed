"""aws-similar-items: items that are taken close together or are of the same kind, so that new items have relatives too.

Two embeddings side by side. The first factorises how much more often than by chance two items stand near each other in
histories (shifted pointwise mutual information: Levy & Goldberg 2014); where an item has few events, what its metadata foretell
takes over. The second is the metadata itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.arrays import strongest
from recipes.base import Floats, Recipe, RecipeType, Run, hyperparameter
from recipes.content.attributes import content_vectors, foretell
from recipes.content.embeddings import EmbeddingModel
from recipes.content.text import unit
from recipes.data import TrainingData
from recipes.factorization import truncated_svd
from recipes.popularity import users_worth

WINDOW = 20  # events apart at which two items still count as together
DECAY = 0.85  # of a pair's weight with each event in between
MOST_PAIRS = 10_000_000  # counted; the window shrinks on large data
NEIGHBOURS = 100  # of an item whose company is looked at, those it is seen with most
FEWER_NEIGHBOURS = 40  # in catalogues so large that theirs alone would be `MOST_PAIRS`
PASSES, FEWER_PASSES = 4, 2  # of the decomposition; the fewer where entries are many, at hardly any loss
MANY = 3_000_000
SMOOTHING = 0.75  # power of an item's count when chance is computed, as in word2vec
TRUST = 5.0  # events after which an item's own company counts as much as what its metadata foretell
CONTENT = 0.1  # share of the metadata's likeness in the whole
CONTENT_OF_NEW = 0.6  # the same for an item without events
POPULAR = 0.3  # how much popularity adds when nothing is discounted


@dataclass(frozen=True)
class SimilarItems(Recipe):
    """Related items from co-occurrence and metadata."""

    name = "aws-similar-items"
    type = RecipeType.RELATED_ITEMS
    summary = "Items like this one, by who takes them and by what they are; also for items nobody has taken yet."
    datasets = ("INTERACTIONS", "ITEMS")
    model = EmbeddingModel

    popularity_discount_factor: float = hyperparameter(
        0.0, low=0, high=1, help="0 lets popularity have its say among similar items, 1 takes it out altogether."
    )
    item_id_hidden_dim: int = hyperparameter(
        100, low=30, high=200, tunable=True, help="Size of the embedding learned from who takes what."
    )
    item_metadata_hidden_dim: int = hyperparameter(
        100, low=30, high=200, tunable=True, help="Size of the embedding learned from the items' metadata."
    )

    def fit(self, data: TrainingData, run: Run) -> EmbeddingModel:
        """Embed company and content, and fill in the company of items that have little."""
        run.report("counting", 0.0)
        together = near_pairs(data)
        run.report("embedding", 0.2)
        company = self._company(together, run.seed)
        content = content_vectors(data.items, data.num_items, self.item_metadata_hidden_dim, run.seed)
        run.report("embedding", 0.8)
        company = foretell(company, content, data.item_counts, TRUST)
        vectors = side_by_side(unit(company), content, data.item_counts)
        users = users_worth(data)
        popularity = (users / max(1, users.max(initial=0))).astype(np.float32)
        bias = np.log1p(users) / np.log1p(max(1, users.max(initial=0)))
        bias = (POPULAR * (1 - self.popularity_discount_factor) * bias).astype(np.float32)
        return EmbeddingModel(self, vectors, bias, popularity)

    def _company(self, together: sparse.csr_matrix, seed: int) -> Floats:
        """(N, D) embedding of who stands near whom, zero for items without company."""
        vectors = np.zeros((together.shape[0], self.item_id_hidden_dim), np.float32)
        if together.nnz:
            counted = surprise(together)
            passes = PASSES if counted.nnz < MANY else FEWER_PASSES
            svd = truncated_svd(counted, self.item_id_hidden_dim, seed, iterations=passes)
            vectors[:, : len(svd.values)] = svd.left * np.sqrt(svd.values)
        return unit(vectors)


def near_pairs(data: TrainingData) -> sparse.csr_matrix:
    """(N, N) symmetric: how often two items stand near each other in histories, nearer pairs counting more.

    Of each item only the neighbours it is seen with most are kept, and what counts it among theirs.
    """
    events, size = data.interactions, data.num_items
    window = int(np.clip(MOST_PAIRS // max(1, len(events)), 1, WINDOW))
    pairs, weights = [], []
    for lag in range(1, window + 1):
        near = events.user_index[lag:] == events.user_index[:-lag]
        near &= events.item_index[lag:] != events.item_index[:-lag]
        left, right = events.item_index[:-lag][near], events.item_index[lag:][near]
        pairs.append(np.minimum(left, right) * size + np.maximum(left, right))
        worth = np.ones(len(events)) if events.weight is None else events.weight
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


def side_by_side(company: Floats, content: Floats, counts: NDArray[np.int64]) -> Floats:
    """(N, D + C) unit vectors of both embeddings; content weighs more in items that have few events."""
    if not content.any():
        return company
    share = CONTENT + (CONTENT_OF_NEW - CONTENT) * TRUST / (counts + TRUST)
    share = np.where(np.any(content != 0, axis=1), share, 0).astype(np.float32)[:, None]
    return unit(np.concatenate([company * np.sqrt(1 - share), content * np.sqrt(share)], axis=1))
