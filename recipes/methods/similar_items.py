"""aws-similar-items: items that are taken close together or are of the same kind, so that new items have relatives too.

Two embeddings, concatenated. The first is the co-occurrence embedding (`recipes.numerics.cooccurrence_embedding`), in which
items with few events are predicted from their metadata. The second is the metadata embedding itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.base import Recipe, RecipeType, hyperparameter
from recipes.content.attributes import content_vectors, predict_from_content
from recipes.content.embeddings import EmbeddingModel
from recipes.content.vectors import with_vectors
from recipes.data import TrainingData
from recipes.methods.popularity import weighted_users
from recipes.numerics.arrays import Floats, unit
from recipes.numerics.cooccurrence_embedding import cooccurrence_vectors, nearest_cooccurrence
from recipes.run import Run

TRUST = 5.0  # events after which an item's own vector counts as much as the one predicted from its metadata
CONTENT = 0.1  # share of the metadata's similarity in the whole
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
        """Embed co-occurrence and content, and predict the co-occurrence vectors of items with few events."""
        run.report("counting", 0.0)
        events = data.interactions
        counts = nearest_cooccurrence(events.user_index, events.item_index, data.num_items, events.weight)
        run.report("embedding", 0.2)
        learned = cooccurrence_vectors(counts, self.item_id_hidden_dim, run.seed)
        content = content_vectors(data.items, data.num_items, self.item_metadata_hidden_dim, run.seed)
        content = with_vectors(content, data.items, data.histories(), run)
        run.report("embedding", 0.8)
        learned = predict_from_content(learned, content, data.item_counts, TRUST)
        vectors = side_by_side(unit(learned), content, data.item_counts)
        users = weighted_users(data)
        popularity = (users / max(1, users.max(initial=0))).astype(np.float32)
        bias = np.log1p(users) / np.log1p(max(1, users.max(initial=0)))
        bias = (POPULAR * (1 - self.popularity_discount_factor) * bias).astype(np.float32)
        return EmbeddingModel(self, vectors, bias, popularity)


def side_by_side(learned: Floats, content: Floats, counts: NDArray[np.int64]) -> Floats:
    """(N, D + C) unit vectors of both embeddings; content weighs more in items that have few events."""
    if not content.any():
        return learned
    share = CONTENT + (CONTENT_OF_NEW - CONTENT) * TRUST / (counts + TRUST)
    share = np.where(np.any(content != 0, axis=1), share, 0).astype(np.float32)[:, None]
    return unit(np.concatenate([learned * np.sqrt(1 - share), content * np.sqrt(share)], axis=1))
