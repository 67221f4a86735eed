"""The HRNN recipes: the recurrent network alone, with metadata, and for catalogues with many new items.

Sessions are seen by the network as gaps in time between events (cf. Quadrana et al. 2017); weights are chosen on held-out
events as everywhere in the relevance engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import time
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from recipes.base import hyperparameter
from recipes.components.fit_context import Settings
from recipes.data import TrainingData
from recipes.methods.user_personalization import UserPersonalization

DAY_S = 86_400


@dataclass(frozen=True)
class Hrnn(UserPersonalization):
    """aws-hrnn: the recurrent network on interactions alone."""

    name: ClassVar[str] = "aws-hrnn"
    summary: ClassVar[str] = "Recommends from the order of events alone, by a recurrent network."
    datasets: ClassVar[tuple[str, ...]] = ("INTERACTIONS",)
    explores: ClassVar[bool] = False
    updates: ClassVar[bool] = False
    legacy: ClassVar[bool] = True

    hidden_dimension: int = hyperparameter(
        43, low=32, high=256, tunable=True, help="Width of the network's memory; wider learns more and takes longer."
    )

    def engine_settings(self, data: TrainingData) -> Settings:
        """The network without ridges and metadata."""
        return replace(super().engine_settings(data), ridges=False, metadata=False)


@dataclass(frozen=True)
class HrnnMetadata(Hrnn):
    """aws-hrnn-metadata: the recurrent network with what is known of items."""

    name: ClassVar[str] = "aws-hrnn-metadata"
    summary: ClassVar[str] = "Recommends from the order of events and from metadata, by a recurrent network."
    datasets: ClassVar[tuple[str, ...]] = ("INTERACTIONS", "USERS", "ITEMS")

    def engine_settings(self, data: TrainingData) -> Settings:
        """The network with metadata."""
        return replace(super().engine_settings(data), metadata=True)


@dataclass(frozen=True)
class HrnnColdstart(HrnnMetadata):
    """aws-hrnn-coldstart: new items with few events are scored by their metadata alone."""

    name: ClassVar[str] = "aws-hrnn-coldstart"
    summary: ClassVar[str] = "Recommends new items too, by their metadata; by a recurrent network."
    updates: ClassVar[bool] = True

    hidden_dimension: int = hyperparameter(
        149, low=32, high=256, tunable=True, help="Width of the network's memory; wider learns more and takes longer."
    )
    cold_start_max_interactions: int = hyperparameter(
        15, low=1, featurization=True, help="An item with at most so many events is cold: it is scored by its metadata."
    )
    cold_start_max_duration: float = hyperparameter(
        5.0,
        low=1e-6,
        featurization=True,
        help="Days since its first event, or since it was made, for which an item can be cold.",
    )
    cold_start_relative_from: str = hyperparameter(
        "latestItem",
        choices=("currentTime", "latestItem"),
        featurization=True,
        help="What these days are counted back from.",
    )

    def engine_settings(self, data: TrainingData) -> Settings:
        """The network with metadata and the cold items."""
        return replace(super().engine_settings(data), cold=self.cold_items(data))

    def cold_items(self, data: TrainingData) -> NDArray[np.bool_]:
        """(N,) true for items with few events, the first of them recent."""
        events = data.interactions
        first = np.full(data.num_items, np.iinfo(np.int64).max)
        np.minimum.at(first, events.item_index, events.timestamp)
        taken = data.item_counts > 0
        newest = int(first[taken].max()) if taken.any() else 0
        reference = time() if self.cold_start_relative_from == "currentTime" else newest
        recent = first >= reference - self.cold_start_max_duration * DAY_S
        return (data.item_counts <= self.cold_start_max_interactions) & recent & taken
