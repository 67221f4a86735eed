"""Team-draft interleaving: two rankings in one list, and which of them a user's choices favour.

Radlinski, Kurup & Joachims 2008, "How does clickthrough data reflect retrieval quality?": a coin says who picks first in each round;
each ranking adds its best item that is not in the list yet. Every user sees both, so that what users differ by drops out, which is
why far fewer are needed than in an A/B test (Chapelle et al. 2012, "Large-scale validation and analysis of interleaved search
evaluation"). A choice counts by how much higher the second ranking had the item, in discounts 1 / log2(1 + rank) (after Radlinski &
Craswell 2013, "Optimized interleaving"): who threw the coin adds no noise, and what both rank alike says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from recipes.evaluation.lift import POWER, Z95, LiftEstimate, two_sided
from recipes.evaluation.sequential import always_valid

MIN_USERS = 30  # from which on a mean credit is near enough to normal for a test at every look
USUAL_EFFECT = 0.1  # standard deviations of a user's credit that versions commonly differ by


@dataclass(frozen=True)
class Draft:
    """A list of both rankings' items.

    Attributes:
        items: what is shown, in order.
        teams: for each, 0 if the first ranking added it, 1 if the second did.
        advantages: for each, its discount in the second ranking less that in the first, over the list's length.
    """

    items: list[int]
    teams: list[int]
    advantages: list[float]


def team_draft(first: Sequence[int], second: Sequence[int], size: int, rng: np.random.Generator) -> Draft:
    """Interleave two rankings of distinct items.

    >>> draft = team_draft([1, 2, 3], [2, 4, 5], 4, np.random.default_rng(1))
    >>> draft.items, draft.teams, [round(value, 2) for value in draft.advantages]
    ([1, 2, 4, 3], [0, 1, 1, 0], [-1.0, 0.37, 0.63, -0.5])

    Args:
        first: one ranking, best first.
        second: the other.
        size: of the list.
        rng: throws the coins.
    """
    rankings, places = (first, second), [0, 0]
    items: list[int] = []
    teams: list[int] = []
    taken: set[int] = set()
    while len(items) < size:
        before, coin = len(items), int(rng.integers(2))
        for team in (coin, 1 - coin):
            ranking = rankings[team]
            while places[team] < len(ranking) and ranking[places[team]] in taken:
                places[team] += 1
            if places[team] < len(ranking) and len(items) < size:
                taken.add(ranking[places[team]])
                items.append(ranking[places[team]])
                teams.append(team)
        if len(items) == before:
            break
    discounts = [{item: 1 / math.log2(2 + rank) for rank, item in enumerate(ranking[:size])} for ranking in rankings]
    return Draft(items, teams, [discounts[1].get(item, 0.0) - discounts[0].get(item, 0.0) for item in items])


def credit(draft: Draft, chosen: Iterable[int]) -> float:
    """What the chosen items count for the second ranking; below 0 for the first.

    >>> credit(Draft([1, 2, 4], [0, 1, 1], [-1.0, 0.37, 0.63]), [2, 1, 9])
    -0.63
    """
    worth = dict(zip(draft.items, draft.advantages, strict=True))
    return sum(worth.get(item, 0.0) for item in set(chosen))


@dataclass(frozen=True)
class Credits:
    """Each user's credit over all lists, summed.

    Attributes:
        users: who were given an interleaved list.
        total: sum of their credits.
        squares: sum of the squares.
        first, second: users whose choices favour either.
    """

    users: int
    total: float
    squares: float
    first: int
    second: int

    @classmethod
    def of(cls, credits_: Iterable[float]) -> Credits:
        """From each user's credit."""
        values = np.fromiter(credits_, np.float64)
        first, second = int((values < 0).sum()), int((values > 0).sum())
        return cls(len(values), float(values.sum()), float(np.square(values).sum()), first, second)

    @property
    def variance(self) -> float:
        """Of a user's credit, unbiased; 0 below two users."""
        return max(0.0, self.squares - self.total**2 / self.users) / (self.users - 1) if self.users > 1 else 0.0


def preference(found: Credits) -> LiftEstimate | None:
    """The mean credit of a user, above 0 where the second ranking is favoured, for one look; None without a difference.

    >>> estimate = preference(Credits.of([1.0, 1.0, 0.0, -0.5] * 25))
    >>> [round(number, 3) for number in (estimate.value, estimate.low, estimate.high, estimate.p_value)]
    [0.375, 0.247, 0.503, 0.0]
    """
    if not found.variance:
        return None
    mean, error = found.total / found.users, math.sqrt(found.variance / found.users)
    return LiftEstimate(mean, mean - Z95 * error, mean + Z95 * error, two_sided(mean / error))


def always_valid_preference(found: Credits) -> LiftEstimate | None:
    """As `preference`, with an interval and a p-value that hold at every look; None below 30 users who favour one."""
    if found.first + found.second < MIN_USERS or not found.variance:
        return None
    mean, variance = found.total / found.users, found.variance / found.users
    mixture = always_valid(mean, variance, found.variance * USUAL_EFFECT**2)
    return LiftEstimate(mean, mean - mixture.reach, mean + mixture.reach, mixture.p_value)


def users_needed(mean: float, variance: float) -> int | None:
    """Users with whom a mean credit is found with a power of 80 % at the level of 5 %, two-sided; None for none.

    ((1.96 + 0.84) / 0.1)² · 1:

    >>> users_needed(0.1, 1.0)
    785
    """
    return math.ceil((Z95 + float(ndtri(POWER))) ** 2 * variance / mean**2) if mean else None
