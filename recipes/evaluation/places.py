"""Click rates of explored and of other places of the same lists, compared where both stand.

Explored items mostly stand far down a list, where less is clicked whatever stands there. The others' rate is therefore taken at
the places of the explored ones (direct standardization; Rothman 2012, "Epidemiology: An Introduction"). Intervals are Wilson's and
Newcombe's, which also hold where hardly anything was clicked; for a weighted rate they take the number of trials that would give
its variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from recipes.evaluation.lift import wilson

SHAPE = 2.0  # of the gamma distribution of items' appeal around an ordinary one's, as exploration takes it to be
PLACE_PRIOR = 5.0  # clicks at the mean rate added to every place
TAILS = (0.025, 0.975)
Counts = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """The explored places' rate and the others' at the same places, and the first less the second."""

    explored: Rate
    others: Rate
    difference: Rate


def rate_of(clicks: float, trials: float) -> Rate | None:
    """A click rate; None without trials.

    >>> rate_of(48, 80)
    Rate(value=0.6, low=0.490..., high=0.700...)
    """
    if not trials:
        return None
    low, high = wilson(clicks / trials, trials)
    return Rate(clicks / trials, low, high)


def at_same_places(
    explored: Counts, explored_clicks: Counts, others: Counts, other_clicks: Counts
) -> Difference | None:
    """Compare the rates at the places where both were shown; None where there is none.

    >>> explored, others = np.array([0, 100]), np.array([200, 100])
    >>> found = at_same_places(explored, np.array([0, 20]), others, np.array([80, 10]))
    >>> round(found.explored.value, 2), round(found.others.value, 2), found.difference.low > 0
    (0.2, 0.1, True)

    Args:
        explored: (K,) how often an explored item stood at each place.
        explored_clicks: (K,) how often it was clicked.
        others: (K,) how often another item stood there.
        other_clicks: (K,) how often that was clicked.
    """
    both = (explored > 0) & (others > 0)
    if not both.any():
        return None
    first = rate_of(float(explored_clicks[both].sum()), float(explored[both].sum()))
    second = _weighted(explored[both] / explored[both].sum(), other_clicks[both], others[both])
    if first is None:
        return None
    gap = first.value - second.value
    low = gap - math.hypot(first.value - first.low, second.high - second.value)
    high = gap + math.hypot(first.high - first.value, second.value - second.low)
    return Difference(first, second, Rate(gap, low, high))


def _weighted(weights: Values, clicks: Counts, trials: Counts) -> Rate:
    """A mean of rates with the interval of as many trials as have its variance."""
    smoothed = (clicks + 0.5) / (trials + 1)  # a rate of 0 has a variance too
    variance = float((weights**2 * smoothed * (1 - smoothed) / trials).sum())
    middle = float(weights @ smoothed)
    value = float(weights @ (clicks / trials))
    low, high = wilson(value, middle * (1 - middle) / variance)
    return Rate(value, low, high)


def place_rates(clicks: Counts, trials: Counts) -> Values:
    """(K,) chance of a click at each place, places with few trials near the mean of all."""
    mean = clicks.sum() / max(1, trials.sum())
    found: Values = (clicks + PLACE_PRIOR * mean) / (trials + PLACE_PRIOR)
    return found


def appeal(clicks: Counts, expected: Values) -> tuple[Values, Values, Values]:
    """Posterior mean and 95 % interval of items' appeal, 1 for an ordinary item.

    Clicks are Poisson with the rate that an ordinary item would have at the same places, times the appeal, which is gamma
    distributed around 1 beforehand.

    >>> [round(float(values[0]), 2) for values in appeal(np.array([0]), np.array([0.0]))]
    [1.0, 0.12, 2.79]

    Args:
        clicks: (I,) of each item.
        expected: (I,) clicks that an ordinary item would have had at the same places.
    """
    shape, scale = SHAPE + clicks, SHAPE + expected
    low, high = (gammaincinv(shape, tail) / scale for tail in TAILS)
    return shape / scale, low, high
