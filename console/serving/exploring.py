"""Exploration at serving: the bandit of recipes.exploration over one request's scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from console.serving.exploration_config import CUT_OFF, WEIGHT, read_exploration
from console.serving.loader import LoadedModel
from recipes.exploration import Explored, explore
from recipes.numerics.arrays import Floats


@dataclass(frozen=True)
class Exploration:
    """How much, and up to which age of items."""

    weight: float
    cutoff_days: float

    @classmethod
    def of(cls, config: Mapping[str, str] | None) -> Exploration:
        """From wire itemExplorationConfig, with AWS's defaults."""
        read = read_exploration(dict(config or {}))
        return cls(read[WEIGHT], read[CUT_OFF])


def explored(
    settings: Exploration | None,
    loaded: LoadedModel,
    scores: Floats,
    length: int,
    rng: np.random.Generator | None = None,
) -> Explored:
    """(B, N) scores after exploration for lists of `length`, drawn from `rng` where one is given; unchanged with weight 0.

    What may not be recommended must be -inf before, so that no place is spent on it.
    """
    if settings is None or settings.weight == 0:
        return Explored(scores, scores)
    return explore(scores, loaded.exploration, settings.weight, settings.cutoff_days, rng or _rng(), length)


@cache
def _rng() -> np.random.Generator:
    """One for the process: seeding takes longer than drawing; its methods hold a lock of their own."""
    return np.random.default_rng()


def within(scores: Floats, allowed: NDArray[np.bool_] | None) -> Floats:
    """(B, N) scores with only the allowed items left."""
    return scores if allowed is None else np.where(allowed, scores, np.float32(-np.inf))
