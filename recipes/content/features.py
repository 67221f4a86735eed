"""Metadata of items and users as dense features for the stack's components."""

from __future__ import annotations

import numpy as np

from recipes.content.attributes import content_vectors
from recipes.content.vectors import find_vectors, with_vectors
from recipes.data import TrainingData
from recipes.numerics.arrays import Floats
from recipes.run import Run

ITEM_DIMENSION, USER_DIMENSION = 64, 32
UNTRAINED = {"CREATION_TIMESTAMP"}


def item_features(data: TrainingData, run: Run | None = None, dimension: int = ITEM_DIMENSION) -> Floats:
    """(N, F) unit vectors of the items' metadata, vectors of their own among them; F is 0 where there is none."""
    columns = {name: column for name, column in data.items.items() if name not in UNTRAINED}
    if not columns:
        return np.zeros((data.num_items, 0), np.float32)
    content = content_vectors(columns, data.num_items, dimension)
    return with_vectors(content if content.any() else content[:, :0], columns, data.histories(), run or Run())


def user_features(data: TrainingData) -> Floats:
    """(U, F) a constant and the users' metadata; F is 0 where there is none."""
    if not data.users:
        return np.zeros((data.num_users, 0), np.float32)
    vectors = content_vectors(data.users, data.num_users, USER_DIMENSION)
    blocks = [found.values for found in find_vectors(data.users).values()]
    blocks += [vectors] if vectors.any() else []
    if not blocks:
        return np.zeros((data.num_users, 0), np.float32)
    return np.hstack([np.ones((data.num_users, 1), np.float32), *blocks])
