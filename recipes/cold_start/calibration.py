"""On which scale a new item's relevance is: learned on items that are withheld as if they were new.

All events of some items are taken out, their metadata stay. How often held-out events are with them, against how likely
they were thought to be, puts the lift of new items on the scale of the scores of all others: a multinomial logit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from recipes.numerics.arrays import Floats, Indexes

SLOPE, SLOPE_SPREAD = 0.7, 0.3  # belief in what lifts say, before they were tried
LEVEL_SPREAD = 0.7  # of how likely a new item is against an ordinary one, before any was tried
TAKER = 0.3  # what a taker counts who took an item from a list: those it is shown to are more alike than chance
TOP, TOP_PRIOR = 20, 5.0  # places of which is measured how often they follow, and events' worth of belief in the scores
SLOPES = np.linspace(0.0, 2.0, 21)
SCALES = np.geomspace(0.05, 8.0, 29)
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """Which traits make a profile: what metadata and the embedding count, and how far directions are alike."""

    content: float
    latent: float
    shrinkage: float


LOOKS = (
    Look(1.0, 0.0, 30.0),
    Look(1.0, 0.25, 10.0),
    Look(1.0, 0.5, 30.0),
    Look(0.5, 1.0, 10.0),
    Look(1.0, 0.0, 0.5),
)


@dataclass(frozen=True)
class Calibration:
    """How lifts become scores.

    Attributes:
        scale: by which scores must be multiplied to be log-odds of the next event.
        level: log of how likely an item that nothing is known of is, against an ordinary one.
        slope: what a lift counts.
        taker: what a taker counts.
        look: the traits that predicted best.
        likelihood: of what followed, by which looks are compared.
        youth: log of how likely young items are taken from lists, against those withheld as if new.
        usual: how young items together did then against what was expected of them.
        surplus: log of how much oftener what stands at the top of lists was expected to follow than it did.
    """

    scale: float = 1.0
    level: float = 0.0
    slope: float = SLOPE
    taker: float = TAKER
    look: Look = LOOKS[1]
    likelihood: float = -np.inf
    youth: float = 0.0
    usual: float = 1.0
    surplus: float = 0.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From what was stored."""
        return cls(**{**values, "look": Look(**values["look"])})


def _nothing() -> Floats:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Withheld:
    """What was observed by withholding some items as if they were new.

    Attributes:
        calibration: by the whole catalogue.
        items: (W,) columns of the withheld items, sorted; none where nothing was observed.
        lifts: (Q, W) of theirs, learned without their events.
        tastes: (Q, C) lifts of all items, by those who took them too.
    """

    calibration: Calibration
    items: Indexes = field(default_factory=lambda: np.zeros(0, np.int64))
    lifts: Floats = field(default_factory=_nothing)
    tastes: Floats = field(default_factory=_nothing)


@dataclass(frozen=True)
class Tests:
    """What followed Q queries, of which W items are withheld.

    Attributes:
        asked: (Q,) how many events followed.
        possible: (Q,) how many items that are not withheld may follow.
        allowed: (Q, W) which of the withheld may.
        row, place: of the events with withheld items.
    """

    asked: Values
    possible: Values
    allowed: NDArray[np.bool_]
    row: Indexes
    place: Indexes

    @classmethod
    def of(cls, possible: NDArray[np.bool_], withheld: Indexes, row: Indexes, item: Indexes) -> Tests:
        """Take apart what followed.

        Args:
            possible: (Q, C) which items may follow.
            withheld: (W,) columns, sorted.
            row: (P,) queries.
            item: (P,) what followed.
        """
        others = np.ones(possible.shape[1], bool)
        others[withheld] = False
        counted = possible[row, item]
        row, item = row[counted], item[counted]
        is_new = ~others[item]
        return cls(
            np.bincount(row, minlength=len(possible)).astype(np.float64),
            (possible & others).sum(axis=1).astype(np.float64),
            possible[:, withheld],
            row[is_new],
            np.searchsorted(withheld, item[is_new]),
        )

    def calibrated(self, lifts: Floats, look: Look, belief: Slope) -> Calibration:
        """The level and slope under which what followed is likeliest, given (Q, W) lifts and what is believed of the slope."""
        known = lifts.astype(np.float64)
        observed = known[self.row, self.place]

        def loss(values: Values) -> tuple[float, Values]:
            level, slope = values
            raised = np.where(self.allowed, np.exp(np.minimum(level + slope * known, 30.0)), 0.0)
            mass = raised.sum(axis=1)
            total = self.possible + mass
            share = self.asked / np.maximum(total, 1e-12)
            likelihood = level * len(observed) + slope * observed.sum() - self.asked @ np.log(np.maximum(total, 1e-12))
            penalty = 0.5 * (level / LEVEL_SPREAD) ** 2 + 0.5 * ((slope - belief.mean) / belief.spread) ** 2
            gradient = np.array([len(observed) - share @ mass, observed.sum() - share @ (raised * known).sum(axis=1)])
            prior = np.array([level / LEVEL_SPREAD**2, (slope - belief.mean) / belief.spread**2])
            return float(penalty - likelihood), prior - gradient

        bounds = [(-4.0, 4.0), (0.0, 3.0)]
        found = minimize(loss, np.array([0.0, belief.mean]), jac=True, bounds=bounds, method="L-BFGS-B")
        level, slope = found.x.tolist()
        return Calibration(1.0, level, slope, look=look, likelihood=-float(found.fun))


@dataclass(frozen=True)
class Slope:
    """What a lift counts: the mean and the standard deviation of what is believed of it, and the likelihood of the mean."""

    mean: float = SLOPE
    spread: float = SLOPE_SPREAD
    likelihood: float = 0.0

    @classmethod
    def learned(cls, lifts: Floats, row: Indexes, place: Indexes) -> Slope:
        """Learn it from which of the withheld items their takers took.

        There are many more of these events than held-out ones, so that they tell looks apart. How often each item was taken
        is given: a multinomial logit among the withheld items, in which only users' tastes tell.

        Args:
            lifts: (U, W) of users who took some.
            row: (P,) user of each event.
            place: (P,) item of each event.
        """
        if not len(row):
            return cls()
        taken = np.log(np.maximum(np.bincount(place, minlength=lifts.shape[1]), 0.5))
        asked, number = np.unique(row, return_counts=True)
        known, own = lifts[asked].astype(np.float64), float(lifts[row, place].sum())
        losses = [
            number @ logsumexp(slope * known + taken, axis=1)
            - slope * own
            + 0.5 * ((slope - SLOPE) / SLOPE_SPREAD) ** 2
            for slope in SLOPES
        ]
        best = int(np.clip(np.argmin(losses), 1, len(SLOPES) - 2))
        bend = (losses[best - 1] - 2 * losses[best] + losses[best + 1]) / (SLOPES[1] - SLOPES[0]) ** 2
        return cls(float(SLOPES[int(np.argmin(losses))]), float(max(bend, SLOPE_SPREAD**-2) ** -0.5), -min(losses))


def scale_of(scores: Floats, row: Indexes, item: Indexes) -> float:
    """By which (Q, C) scores, -inf for what cannot follow, must be multiplied to be log-odds of what followed."""
    counted = np.isfinite(scores[row, item])
    row, item = row[counted], item[counted]
    if not len(row):
        return 1.0
    asked, where = np.unique(row, return_inverse=True)
    known = scores[asked].astype(np.float64)
    own = known[where, item]
    top = known.max(axis=1)
    shifted = known - top[:, None]
    found = []
    for scale in SCALES:
        total = np.log(np.exp(scale * shifted).sum(axis=1)) + scale * top
        found.append(float(np.mean(scale * own - total[where])))
    return float(SCALES[int(np.argmax(found))])


def surplus_of(scores: Floats, scale: float, row: Indexes, item: Indexes) -> float:
    """Log of how much oftener the best `TOP` of (Q, C) scores, -inf for what cannot follow, should follow than they do.

    What is chosen for its score is chosen for the errors in it, too, so that the best disappoint. Items whose scores are
    learned in another way compete with these for the places at the top.
    """
    counted = np.isfinite(scores[row, item])
    row, item = row[counted], item[counted]
    if not len(row) or scores.shape[1] <= TOP:
        return 0.0
    asked, where, number = np.unique(row, return_inverse=True, return_counts=True)
    known = scale * scores[asked].astype(np.float64)
    bar = np.partition(known, -TOP, axis=1)[:, -TOP]
    raised = np.exp(known - known.max(axis=1, keepdims=True))
    share = (raised * (known >= bar[:, None])).sum(axis=1) / raised.sum(axis=1)
    expected, observed = float(share @ number), int((known[where, item] >= bar[where]).sum())
    return float(np.log((expected + TOP_PRIOR) / (observed + TOP_PRIOR)))
