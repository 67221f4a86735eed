"""The model of recipes that embed items: similar items are related, and popularity may be added."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.base import Contribution, Model, Recipe, State
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes

RECENT = 10  # newest events of a history that count
RECENT_DECAY = 0.8  # of their weight, from the newest backwards
LAST = -10.0  # added to items without a place: below all nearness, popular ones first


class EmbeddingModel(Model):
    """Unit vectors, a bias per item, and popularity as the fallback."""

    def __init__(self, recipe: Recipe, vectors: Floats, bias: Floats, popularity: Floats) -> None:
        """Keep the fitted arrays.

        Args:
            recipe: the configuration.
            vectors: (N, D) of length 1; zero for an item without a place.
            bias: (N,) added to every score.
            popularity: (N,) what is said where nothing is known, 0 to 1.
        """
        super().__init__(recipe, len(vectors))
        self.vectors = vectors
        self.bias = bias
        self.popularity = popularity

    @cached_property
    def unplaced(self) -> NDArray[np.int64]:
        """Items whose vector is zero."""
        return np.flatnonzero(~np.any(self.vectors != 0, axis=1))

    def score(self, histories: Histories) -> Floats:
        """Return the similarity to the newest events, decayed by age: (B, N)."""
        recent = histories.tail(RECENT)
        profiles = np.zeros((len(recent), self.vectors.shape[1]), np.float32)
        np.add.at(profiles, recent.row, self._weights(recent)[:, None] * self.vectors[recent.item_index])
        return self._near(profiles)

    def related(self, items: Indexes) -> Floats:
        """Return the similarity to each query item, itself left out; popularity for one whose vector is zero."""
        known = np.flatnonzero(items >= 0)
        profiles = np.zeros((len(items), self.vectors.shape[1]), np.float32)
        profiles[known] = self.vectors[items[known]]
        scores = self._near(profiles)
        scores[known, items[known]] = -np.inf
        return scores

    def has_relations(self, items: Indexes) -> NDArray[np.bool_]:
        """Whether each query item has a vector: (Q,)."""
        return np.asarray((items >= 0) & np.any(self.vectors[items] != 0, axis=1), bool)

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """Each recent event's own share of the score, exactly; they and the bias add up to it."""
        recent = history.tail(RECENT)
        skipped = len(history.item_index) - len(recent.item_index)
        shares = self._weights(recent) * (self.vectors[recent.item_index] @ self.vectors[item])
        contributions = [Contribution(skipped + place, float(share)) for place, share in enumerate(shares)]
        label = "popularity and age"
        return sorted(
            [*contributions, Contribution(-1, float(self.bias[item]), label)],
            key=lambda contribution: -contribution.weight,
        )

    def forget_users(self, users: Indexes) -> Self:  # noqa: ARG002  the contract says it
        """Return the model itself: vectors are of items."""
        return self

    def state(self) -> State:
        """Vectors, bias and popularity."""
        return State({"vectors": self.vectors, "bias": self.bias, "popularity": self.popularity})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the vectors tell
        """Rebuild; the arrays are used as they are, mapped or not."""
        return cls(recipe, state.tensors["vectors"], state.tensors["bias"], state.tensors["popularity"])

    def _weights(self, recent: Histories) -> Floats:
        """(E,) weights that add up to 1 in each row, so that scores of long and short histories are alike."""
        sizes = np.diff(recent.offsets)
        age = np.repeat(recent.offsets[1:], sizes) - np.arange(len(recent.item_index)) - 1
        weights = RECENT_DECAY**age
        totals = np.bincount(recent.row, weights, minlength=len(recent))
        return (weights / totals[recent.row]).astype(np.float32)

    def _near(self, profiles: Floats) -> Floats:
        """Inner products and bias; popularity for an empty profile, and last of all for items without a place."""
        scores = np.asarray(profiles @ self.vectors.T + self.bias, np.float32)
        scores[:, self.unplaced] = LAST + self.popularity[self.unplaced]
        scores[~np.any(profiles != 0, axis=1)] = self.popularity
        return scores
