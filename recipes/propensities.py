"""How likely each item of a list was to be in it, over all that exploration could have drawn: what off-policy estimates divide by.

An item's chance given the others' draws is known exactly; its mean over many draws of the others is the marginal chance
(Rao-Blackwell). Items that relevance puts in the list stay as long as fewer draws than stand below them win a place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import TopK, top_k

SAMPLES = 128  # draws of the others
MAX_ARMS = 256  # of a row, those whose draws reach highest
HIGH = 3.5  # standard deviations: what no draw reaches beyond, to all intents
NOISE = 4096  # columns of draws that are kept: drawing anew for each list would take longer than all the rest
HALF_ROOT = np.float32(np.sqrt(0.5))
TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Draws:
    """How the places of a list were drawn for.

    Attributes:
        items: (A,) what was drawn for.
        reach: (A,) standard deviation of the half-normal bonus of each.
        by_relevance: (B, K) the lists that relevance alone would make.
        most: places that draws may win.
        seed: of the draws that estimate chances.
    """

    items: Indexes
    reach: Floats
    by_relevance: TopK
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
    found = np.zeros(items.shape, np.float32)
    for row in range(len(items)):
        found[row] = _of_row(relevance[row], draws, row, items[row], won[row])
    return np.where(items >= 0, found, np.float32(0))


@cache
def _noise() -> Floats:
    """(S, NOISE) sizes of standard normal draws; a list takes the stretch of columns that its seed begins."""
    return np.abs(np.random.default_rng(0).standard_normal((SAMPLES, NOISE + MAX_ARMS), np.float32))


def _of_row(relevance: Floats, draws: Draws, row: int, items: Indexes, won: NDArray[np.bool_]) -> Floats:
    """(K,) chances of one list."""
    ladder = draws.by_relevance.scores[row, ::-1].copy()  # (K,) the last place first
    level = relevance[draws.items]
    high = level + HIGH * draws.reach
    may = np.flatnonzero((level < ladder[0]) & (high > ladder[0]))
    if not len(may):
        return np.ones(len(items), np.float32)
    may = may[top_k(high[None, may], min(MAX_ARMS, len(may))).items[0]]
    most = min(draws.most, len(may))
    first = (draws.seed + row) % NOISE
    drawn = level[may] + draws.reach[may] * _noise()[:, first : first + len(may)]  # (S, A)
    best = np.full((SAMPLES, most + 1), -np.inf, np.float32)  # the highest first
    size = min(most + 1, len(may))
    best[:, :size] = -np.sort(-np.partition(drawn, -size, axis=1)[:, -size:], axis=1)
    steps = ladder[:most]
    winners = (best[:, :most] > steps).sum(axis=1)  # (S,) draws that win a place
    chances = _of_placed(relevance[np.maximum(items, 0)], ladder, winners)
    slots = np.flatnonzero(won).tolist()
    if slots:
        column = {item: at for at, item in enumerate(draws.items[may].tolist())}
        slots = [slot for slot in slots if int(items[slot]) in column]
    if slots:
        columns = np.array([column[int(items[slot])] for slot in slots])
        arms = may[columns]
        chances[slots] = _of_winners(drawn[:, columns].T, best, steps, level[arms], draws.reach[arms])
    return chances


def _of_placed(scores: Floats, ladder: Floats, winners: NDArray[np.int64]) -> Floats:
    """(K,) share of the draws in which items with these scores keep their place: those in which fewer win than stand below them."""
    below = np.searchsorted(ladder, scores, side="left")
    kept = (winners[None, :] <= below[:, None]).sum(axis=1)
    return np.asarray((kept + 1) / (len(winners) + 1), np.float32)  # it has been kept once


def _of_winners(own: Floats, best: Floats, steps: Floats, level: Floats, reach: Floats) -> Floats:
    """(W,) chances of items that won: the means of their chances to be above what they had to beat, given the others' draws.

    Args:
        own: (W, S) their draws.
        best: (S, most + 1) the highest draws of all.
        steps: (most,) the relevance that each further winner must pass.
        level: (W,) their relevance.
        reach: (W,) standard deviation of their bonus.
    """
    most = len(steps)
    others = np.where(own[:, :, None] >= best[:, :most], best[:, 1:], best[:, :most])  # (W, S, most) without their own
    bar = np.maximum(others, steps).min(axis=2)  # (W, S)
    missing = np.maximum(bar - level[:, None], 0) / np.maximum(reach, TINY)[:, None]
    return np.asarray(erfc(missing * HALF_ROOT).mean(axis=1), np.float32)
