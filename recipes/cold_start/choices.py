"""On which scale a new item's relevance is where users choose from lists: learned from which of the shown items they took.

Over the whole catalogue, what is recommended is taken because it is shown: scores look surer than they are, and items that
lists leave out look worse than they are. Within lists that does not count, and how often young items are taken from lists
is known (Joachims et al. 2005, "Accurately interpreting clickthrough data as implicit feedback").
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recipes.cold_start.calibration import LEVEL_SPREAD, SCALES, SLOPE_SPREAD, Calibration, Withheld
from recipes.numerics.arrays import Floats, Indexes

MIN_TAKEN = 40  # items taken from lists: fewer tell less than the whole catalogue does
MIN_SHARE = 1e-30
RATE = -1.0  # where the search for it begins
YOUTH_SPREAD = 0.35  # of how young items did in the newest lists around how they did in all
SURER = 0.6  # of the scale by the whole catalogue, in which scores look surer than they are: what is shown is taken
SCALE_SPREAD, LEAST_SLOPE = 1.0, 0.05  # of what is left of it in lists around what is left of the slope
SPREAD = (np.inf, LEVEL_SPREAD, SLOPE_SPREAD, YOUTH_SPREAD)
BOUNDS = ((-10.0, 10.0), (-4.0, 4.0), (0.0, 3.0), (-4.0, 4.0))
MAX_LOG_CHANCE = 5.0
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """Places of the lists that queries were followed by.

    Attributes:
        row, item: (T,) query and item shown.
        log_rate: (T,) log of the rate at which the place is taken from.
        taken: (T,) whether it was.
        is_young: (T,) whether the item is new to the log.
        age_level: (T,) log of how likely young items are taken for their age, against ordinary ones; 0 for these.
    """

    row: Indexes
    item: Indexes
    log_rate: Values
    taken: NDArray[np.bool_]
    is_young: NDArray[np.bool_]
    age_level: Values

    @property
    def tells(self) -> bool:
        """Whether enough was taken."""
        return int(self.taken.sum()) >= MIN_TAKEN

    def calibrated(
        self,
        withheld: Withheld,
        scores: Floats,
        seen: tuple[Indexes, Indexes],
        usual: float = 1.0,
        usual_scale: float = 1.0,
    ) -> Calibration:
        """The scale, level, slope and youth under which what was taken is likeliest.

        Args:
            withheld: what was observed by withholding some items as if they were new.
            scores: (Q, C) of all items.
            seen: rows and columns of the items of the histories.
            usual: how young items did in all lists against what was expected; these are only the newest.
            usual_scale: of the scores by the whole catalogue.
        """
        place = np.minimum(np.searchsorted(withheld.items, self.item), len(withheld.items) - 1)
        is_withheld = withheld.items[place] == self.item
        is_new = is_withheld | self.is_young
        lifts = np.where(is_withheld, withheld.lifts[self.row, place], withheld.tastes[self.row, self.item])
        facts = np.stack([np.ones(len(is_new)), is_new, np.where(is_new, lifts, 0), self.is_young]).astype(np.float64)
        ordinary = scores.astype(np.float64)
        ordinary[seen] = -np.inf
        ordinary[:, np.union1d(withheld.items, self.item[self.is_young])] = -np.inf
        own = scores[self.row, self.item].astype(np.float64)
        belief = np.array([0.0, 0.0, withheld.calibration.slope, np.log(usual)])
        best = replace(withheld.calibration, likelihood=-np.inf, usual=usual)
        for scale in SCALES:
            advantage = np.where(is_new, 0, scale * own - _log_mean(scale, ordinary)[self.row])
            found, likelihood = _likeliest(self.log_rate + self.age_level + advantage, facts, self.taken, belief)
            level, slope, youth = found[1:]
            kept = np.log((slope + LEAST_SLOPE) / (withheld.calibration.slope + LEAST_SLOPE))  # of what lifts count
            likelihood -= 0.5 * ((np.log(scale / (SURER * usual_scale)) - kept) / SCALE_SPREAD) ** 2
            if likelihood > best.likelihood:
                best = replace(best, scale=float(scale), level=level, slope=slope, youth=youth, likelihood=likelihood)
        return best


def _log_mean(scale: float, scores: Values) -> Values:
    """(Q,) log of the mean chance of the (Q, C) items whose score is finite."""
    top = np.maximum(scores.max(axis=1), np.finfo(np.float64).min)
    number = np.maximum(np.isfinite(scores).sum(axis=1), 1)
    mean = np.exp(scale * (scores - top[:, None])).sum(axis=1) / number
    found: Values = scale * top + np.log(np.maximum(mean, MIN_SHARE))
    return found


def _likeliest(base: Values, facts: Values, taken: NDArray[np.bool_], belief: Values) -> tuple[list[float], float]:
    """The weights of the (4, T) facts under which what was taken is likeliest, a Poisson regression, and the likelihood.

    The facts are rate, level, slope and youth; `belief` (4,) is what is thought of their weights, all but the rate's.
    """
    happened, precision = taken.astype(np.float64), 1 / np.array(SPREAD) ** 2

    def loss(weights: Values) -> tuple[float, Values]:
        log_chance = np.minimum(base + weights @ facts, MAX_LOG_CHANCE)
        chance, off = np.exp(log_chance), weights - belief
        penalty = 0.5 * float(precision @ off**2)
        return penalty + float(chance.sum() - happened @ log_chance), precision * off + facts @ (chance - happened)

    found = minimize(loss, np.array([RATE, *belief[1:]]), jac=True, bounds=BOUNDS, method="L-BFGS-B")
    return found.x.tolist(), -float(found.fun)
