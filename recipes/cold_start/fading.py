"""How the appeal of items falls with their age, from the chances they had and took.

In lists an item is compared with itself at other ages, as which items are listed depends on how they do; where users come
upon items by themselves, items of different ages are compared with each other. A Poisson regression of both, in which
age can only make an item less likely to be taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
MAX_SPREAD = 6.0  # of log chances between a new item and an old one
MOST_EVENTS, MOST_TIMES = 3.0, 5.0  # of an item at a time, apart from what is expected and in times of it
PRIOR_EVENTS = 10.0  # events' worth of belief that age does not matter
DISPERSION = (
    3.0  # by which items differ more than by chance: an event of an item compared with others counts less by this
)


@dataclass(frozen=True)
class Exposures:
    """Chances that items had, by item and time: (C,) item, age in days, expected events of an ordinary item, and events.

    `stretch` is the number of the time in which users could come upon any item by themselves, -1 for places in lists.
    """

    item: NDArray[np.int64]
    age: Values
    expected: Values
    events: Values
    stretch: NDArray[np.int64]

    @property
    def is_listed(self) -> NDArray[np.bool_]:
        """(C,) places in lists."""
        return self.stretch < 0


@dataclass(frozen=True)
class Fading:
    """Log of the chance at an age against that of a new item: -(daily · days + early · log(1 + days))."""

    daily: float = 0.0
    early: float = 0.0

    def of(self, days: Values) -> Values:
        """(A,) for ages in days."""
        found: Values = -np.minimum(self.daily * days + self.early * np.log1p(days), MAX_SPREAD)
        return found


def learn_fading(cells: Exposures, num_items: int) -> Fading:
    """The likeliest curve."""
    if not len(cells.item) or not cells.events.any():
        return Fading()
    days = np.stack([cells.age, np.log1p(cells.age)])
    scale = np.maximum(days.std(axis=1), 1e-9)
    days = days / scale[:, None]
    # items in lists are each compared with themselves, all others with those of the same time: how much is taken at a
    # time, and how old items are then on average, says nothing of their age
    group = np.where(cells.is_listed, cells.item, num_items + cells.stretch)
    size = int(group.max()) + 1
    events = np.minimum(cells.events, MOST_EVENTS + MOST_TIMES * cells.expected)  # a sudden success is no sign of youth
    weight = np.where(cells.is_listed, 1.0, 1 / DISPERSION)
    taken = np.bincount(group, events * weight, minlength=size)
    observed = days @ (events * weight)

    def loss(slopes: Values) -> tuple[float, Values]:
        chance = cells.expected * np.exp(-np.minimum(slopes @ days, 30.0))
        total = np.maximum(np.bincount(group, chance, minlength=size), 1e-300)
        share = (taken / total)[group] * chance
        likelihood = -float(slopes @ observed) - float(taken @ np.log(total))
        belief = PRIOR_EVENTS * float(slopes.sum())
        return belief - likelihood, PRIOR_EVENTS + observed - days @ share

    minimize = import_module("scipy.optimize").minimize  # servers import this module and fit nothing: 10 MB
    found = minimize(loss, np.full(2, 0.05), jac=True, bounds=[(0.0, None)] * 2, method="L-BFGS-B").x / scale
    return Fading(float(found[0]), float(found[1]))
