"""Exploration at serving: the bandit of recipes.exploration over one request's scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from console.serving.exploration_config import CUT_OFF, WEIGHT, read_exploration
from console.serving.loader import Loaded
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
    settings: Exploration | None, loaded: Loaded, scores: Floats, rng: np.random.Generator | None = None
) -> Explored:
    """(B, N) scores with the bonus, drawn from `rng` where one is given; unchanged without settings or with weight 0."""
    if settings is None or settings.weight == 0:
        return Explored(scores, scores, np.zeros_like(scores))
    state = loaded.exploration
    untried = state.arms(settings.cutoff_days).untried
    level = scores if untried is None else _levelled(scores, untried)
    return explore(level, state, settings.weight, settings.cutoff_days, rng or _rng())


@cache
def _rng() -> np.random.Generator:
    """One for the process: seeding takes longer than drawing; its methods hold a lock of their own."""
    return np.random.default_rng()


def _levelled(scores: Floats, untried: NDArray[np.bool_]) -> Floats:
    """Take items that nobody could try yet for average ones at least: that a model has no evidence is no judgement."""
    tried = scores[:, ~untried]
    finite = np.isfinite(tried)
    mean = np.where(finite, tried, 0).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)
    level = scores.copy()
    level[:, untried] = np.where(
        np.isfinite(scores[:, untried]), np.maximum(scores[:, untried], mean[:, None]), -np.inf
    )
    return level


def within(found: Explored, allowed: NDArray[np.bool_] | None) -> Explored:
    """The same with only the allowed items left."""
    if allowed is None:
        return found
    scores = np.where(allowed, found.scores, -np.inf).astype(np.float32)
    if found.scores is found.relevance:
        return replace(found, relevance=scores, scores=scores)
    return replace(found, relevance=np.where(allowed, found.relevance, -np.inf).astype(np.float32), scores=scores)
