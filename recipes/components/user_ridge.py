"""What metadata say about users: ridge regression from a user's features to the shares of items, for those with short histories.

W = (FᵀF + λI)⁻¹ FᵀY, where row u of F holds the features of a user with events and row u of Y the share of each item in the
user's events (as in LightFM's hybrid, in closed form).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recipes.components.contract import Component, Tensors, Values, padded
from recipes.components.fit_context import FitContext
from recipes.components.popularity import Popularity
from recipes.components.sums import over_users
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes

RIDGE = 50.0
MIN_SHARE = 1e-9  # below which a predicted share counts as this
COLD_WEIGHT = 0.5  # of the log of predicted over overall shares, for known users without events


@dataclass(frozen=True)
class UserRidge(Component):
    """Expected shares of items by the users' features.

    Attributes:
        features: (U, F) of the known users.
        weights: (F, N).
        log_share: (N,) log share of each item in all events, which cold users' predictions are compared with.
        weight: of the expected shares.
    """

    key: ClassVar[str] = "user_ridge"

    features: Floats
    weights: Floats
    log_share: Floats
    weight: float = 1.0

    @classmethod
    def fit(cls, histories: Histories, context: FitContext) -> Self:
        """Regress each item's share of a user's events on the user's features."""
        features = context.user_features
        equations = over_users(partial(NormalEquations.partial, features, context.num_items), histories)
        log_share = Popularity.fit(context.data.interactions, context).log_share
        return cls(features, equations.finish(RIDGE), log_share)

    def score(self, histories: Histories) -> Floats:
        """(B, N) expected share of each item; unknown users are taken for average ones."""
        return self._shares(histories.user_index)

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add the weighted shares to the rows that have events."""
        shares = self._shares(histories.user_index)
        shares *= np.float32(self.weight)
        empty = np.diff(histories.offsets) == 0
        if empty.any():
            shares[empty] = 0
        scores += shares

    def add_to_row(self, scores: NDArray[np.float32], history: Histories) -> None:
        """The same for one history."""
        user = int(history.user_index[0])
        features = self.features[user] if user >= 0 else self._average
        scores += (features * np.float32(self.weight)) @ self.weights

    def cold_scores(self, users: Indexes) -> Floats | None:
        """Half the log of predicted over overall shares for known users, nothing for unknown ones."""
        lifts = np.log(np.maximum(self._shares(users), MIN_SHARE)) - self.log_share
        lifts *= np.float32(COLD_WEIGHT)
        lifts[users < 0] = 0
        return lifts

    def tensors(self) -> Tensors:
        """Features and weights."""
        return {f"{self.key}.features": self.features, f"{self.key}.weights": self.weights}

    def values(self) -> Values:
        """The weight."""
        return {"weight": self.weight}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again; the overall shares are those of the popularity component."""
        features, weights = tensors[f"{cls.key}.features"], tensors[f"{cls.key}.weights"]
        return cls(features, weights, tensors["popularity.log_share"], values["weight"])

    def enlarged(self, num_items: int, neighbours: object) -> Self:
        """The same users and more items, whose expected share is 0 until `refreshed`."""
        log_share = np.pad(self.log_share, (0, num_items - len(self.log_share)))
        return replace(self, weights=padded(self.weights.T, num_items).T, log_share=log_share)

    def refreshed(self, histories: Histories, context: FitContext) -> Self:
        """Fit again, which takes moments."""
        return replace(self.fit(histories, context), weight=self.weight)

    def forget_users(self, users: Indexes) -> Self:
        """Blank the users' features."""
        features = np.array(self.features)
        features[users[users < len(features)]] = 0
        return replace(self, features=features)

    @cached_property
    def _average(self) -> Floats:
        average: Floats = self.features.mean(axis=0)
        return average

    def _shares(self, users: Indexes) -> Floats:
        is_known = users >= 0
        features = np.where(is_known[:, None], self.features[np.maximum(users, 0)], self._average)
        shares: Floats = features @ self.weights
        return shares


@dataclass
class NormalEquations:
    """FᵀF and FᵀY over some users.

    Attributes:
        gram: (F, F).
        target: (F, N).
    """

    gram: Floats
    target: Floats

    @classmethod
    def partial(cls, features: Floats, num_items: int, histories: Histories) -> Self:
        """Sum over the users of `histories`; `features` (U, F) are everybody's."""
        sizes = np.maximum(1, np.diff(histories.offsets)).astype(np.float32)
        users = histories.user_index[histories.row]
        shares = (1 / sizes)[histories.row]
        if histories.weight is not None:
            shares *= histories.weight
        active = features[histories.user_index[np.diff(histories.offsets) > 0]]
        target = np.zeros((features.shape[1], num_items), np.float32)
        for number in range(features.shape[1]):
            weights = features[users, number] * shares
            target[number] = np.bincount(histories.item_index, weights, minlength=num_items)
        return cls(active.T @ active, target)

    def combine(self, other: NormalEquations) -> Self:
        """Add the sums over other users."""
        return replace(self, gram=self.gram + other.gram, target=self.target + other.target)

    def finish(self, ridge: float) -> Floats:
        """(F, N) the weights that solve (FᵀF + λI) W = FᵀY."""
        system = self.gram + ridge * np.eye(len(self.gram), dtype=np.float32)
        return np.asarray(np.linalg.solve(system, self.target), np.float32)
