"""What metadata say about users: ridge regression from a user's attributes to the items taken, for those with short histories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.content.attributes import content_vectors
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats

DIMENSION = 32
RIDGE = 50.0


@dataclass(frozen=True)
class Audience:
    """`features` (U, F) of the known users and `weights` (F, N)."""

    features: Floats
    weights: Floats

    @cached_property
    def _average(self) -> Floats:
        average: Floats = self.features.mean(axis=0)
        return average

    def of_user(self, user: int) -> Floats:
        """(F,) the features of one user; those of one who is unknown are the average."""
        return self.features[user] if user >= 0 else self._average

    def score(self, histories: Histories) -> Floats:
        """(B, N) expected share of each item; those of users that are unknown are thought to be like the average."""
        known = histories.user_index >= 0
        features = np.where(known[:, None], self.features[np.maximum(histories.user_index, 0)], self._average)
        scores: Floats = features @ self.weights
        return scores


def user_features(data: TrainingData) -> Floats:
    """(U, F) a constant and the users' metadata; F is 0 where there is none."""
    vectors = content_vectors(data.users, data.num_users, DIMENSION) if data.users else np.zeros((data.num_users, 0))
    if not vectors.any():
        return np.zeros((data.num_users, 0), np.float32)
    return np.hstack([np.ones((data.num_users, 1), np.float32), vectors])


def fit_audience(features: Floats, histories: Histories, num_items: int) -> Audience:
    """Regress each item's share of a user's events on the user's features."""
    sizes = np.maximum(1, np.diff(histories.offsets)).astype(np.float32)
    users = histories.user_index[histories.row]
    shares = (1 / sizes)[histories.row]
    if histories.weight is not None:
        shares *= histories.weight
    known = features[histories.user_index[np.diff(histories.offsets) > 0]]
    system = known.T @ known + RIDGE * np.eye(features.shape[1], dtype=np.float32)
    target = np.zeros((features.shape[1], num_items), np.float32)
    for number in range(features.shape[1]):
        target[number] = np.bincount(histories.item_index, features[users, number] * shares, minlength=num_items)
    return Audience(features, np.linalg.solve(system, target).astype(np.float32))
