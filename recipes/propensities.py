"""How likely each item of a list was to be in it, over all that exploration could have drawn: what off-policy estimates divide by.

An item's chance given the others' draws is known exactly; its mean over many draws of the others is the marginal chance
(Rao-Blackwell). Items that relevance puts in the list stay as long as fewer draws than stand below them win a place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from recipes.numerics.arrays import Floats, Indexes

SAMPLES = 128  # draws of the others
MAX_ARMS = 256  # of a row, those whose draws reach highest
HIGH = 3.5  # standard deviations: what no draw reaches beyond, to all intents
HALF_ROOT = np.float32(np.sqrt(0.5))
TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Draws:
    """How the places of a list were drawn for.

    Attributes:
        items: (A,) what was drawn for.
        reach: (A,) standard deviation of the half-normal bonus of each.
        length: places of a list.
        most: places that draws may win.
        seed: of the draws that estimate chances.
    """

    items: Indexes
    reach: Floats
    length: int
    most: int
    seed: int


def marginal(relevance: Floats, draws: Draws, items: Indexes, won: NDArray[np.bool_]) -> Floats:
    """(B, K) the chance of each item to be in its list.

    Args:
        relevance: (B, N).
        draws: how it was drawn.
        items: (B, K) the lists, -1 where there are fewer.
        won: (B, K) which of them are there because of their draw.
    """
    rng = np.random.default_rng(draws.seed)
    found = np.zeros(items.shape, np.float32)
    for row in range(len(items)):
        found[row] = _of_row(relevance[row], draws, items[row], won[row], rng)
    return np.where(items >= 0, found, np.float32(0))


def _of_row(
    relevance: Floats, draws: Draws, items: Indexes, won: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """(K,) chances of one list."""
    ladder = np.sort(
        np.partition(relevance, -draws.length)[-draws.length :]
    )  # (K,) of the list by relevance, the last place first
    level = relevance[draws.items]
    high = level + HIGH * draws.reach
    may = np.flatnonzero((level < ladder[0]) & (high > ladder[0]))
    if not len(may):
        return np.ones(len(items), np.float32)
    may = may[np.argsort(-high[may])[:MAX_ARMS]]
    most = min(draws.most, len(may))
    noise = np.abs(rng.standard_normal((SAMPLES, len(may)), np.float32))
    drawn = level[may] + draws.reach[may] * noise  # (S, A)
    best = np.full((SAMPLES, most + 1), -np.inf, np.float32)  # the highest first
    size = min(most + 1, len(may))
    best[:, :size] = -np.sort(-np.partition(drawn, -size, axis=1)[:, -size:], axis=1)
    steps = ladder[:most]
    winners = (best[:, :most] > steps).sum(axis=1)  # (S,) draws that win a place
    chances = _of_placed(relevance[np.maximum(items, 0)], ladder, winners)
    place = {int(draws.items[arm]): arm for arm in may}
    for slot in np.flatnonzero(won):
        arm = place.get(int(items[slot]))
        if arm is not None:
            own = drawn[:, np.flatnonzero(may == arm)[0]]
            chances[slot] = _of_winner(own, best, steps, level[arm], draws.reach[arm])
    return chances


def _of_placed(scores: Floats, ladder: Floats, winners: NDArray[np.int64]) -> Floats:
    """(K,) share of the draws in which items with these scores keep their place: those in which fewer win than stand below them."""
    below = np.searchsorted(ladder, scores, side="left")
    kept = (winners[None, :] <= below[:, None]).sum(axis=1)
    return np.asarray((kept + 1) / (len(winners) + 1), np.float32)  # it has been kept once


def _of_winner(own: Floats, best: Floats, steps: Floats, level: np.float32, reach: np.float32) -> np.float32:
    """Chance of an item that won: the mean of its chances to be above what it had to beat, given the others' draws."""
    most = len(steps)
    others = np.where(own[:, None] >= best[:, :most], best[:, 1:], best[:, :most])  # (S, most) without its own
    bar = np.maximum(others, steps).min(axis=1)
    missing = np.maximum(bar - level, 0) / np.maximum(reach, TINY)
    return np.float32(erfc(missing * HALF_ROOT).mean())
