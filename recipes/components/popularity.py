"""What is known of items before any history is looked at: how often they are taken, and how much more so of late."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import Floats, Indexes

UNKNOWN = -30.0  # added to the score of items that nothing is known about
RECENT = 0.1  # newest share of the time span that counts as recent
STRENGTH = 20.0  # events' worth of belief that an item's recent share is its overall share


@dataclass(frozen=True)
class Priors:
    """What is known of items without a history, each (N,) float32.

    Attributes:
        popularity: log share of the events.
        trend: log of the share among the recent events over the share among all.
        fallback: what an empty history gets.
        unknown: `UNKNOWN` where no component can judge an item, else 0.
    """

    popularity: Floats
    trend: Floats
    fallback: Floats
    unknown: Floats

    @classmethod
    def of(
        cls,
        item_index: Indexes,
        timestamp: NDArray[np.int64],
        weight: NDArray[np.float32] | None,
        num_items: int,
        *,
        recency: bool,
    ) -> Priors:
        """Count events, those of late by an exponential of their age; each as much as it is worth."""
        counts = np.bincount(item_index, minlength=num_items)
        worth = np.bincount(item_index, weight, minlength=num_items)
        share = (worth + 0.5) / (worth.sum() + 0.5 * num_items)
        newest, span = int(timestamp.max()), max(1, int(timestamp.max() - timestamp.min()))
        age = np.exp((timestamp - newest) / (span * RECENT))
        age *= 1.0 if weight is None else weight
        recent = np.bincount(item_index, age, minlength=num_items)
        recent_share = (recent + STRENGTH * share) / (recent.sum() + STRENGTH)
        popularity, trend = np.log(share), np.log(recent_share / share)
        unknown = np.where(counts > 0, 0.0, UNKNOWN)
        fallback = popularity + (trend if recency else 0.0) + unknown
        return cls(*(array.astype(np.float32) for array in (popularity, trend, fallback, unknown)))

    def with_described(self, features: Floats) -> Priors:
        """Items without events are not unknown where a component reads their metadata, `features` (N, F)."""
        described = np.any(features != 0, axis=1) if features.shape[1] else np.zeros(len(features), bool)
        return replace(self, unknown=np.where(described, 0, self.unknown).astype(np.float32))
