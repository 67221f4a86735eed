"""A mean over logged rounds with a 95 % interval, and how far the weights behind it can be trusted.

Weighted rewards are skewed: most rounds count nothing, a few count much. The interval is Student's with Hall's correction for
skewness (Hall 1992, "On the removal of skewness by transformation", J. R. Stat. Soc. B 54, 221-228): where T is Student's
statistic and g the sample skewness, T + g T² / (3 √n) + g² T³ / (27 n) + g / (6 √n) is normal to the second order.
All functions work on the last axis, so that many logs are evaluated at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

LEVEL = 0.95
SMALL_EFFECTIVE_SIZE = 100.0  # rounds
LARGE_SHARE = 0.1  # of all weight on one round
OFF = 3.0  # standard errors between the mean weight and 1
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """The value of a policy: mean reward of a round.

    Attributes:
        name: of the estimator.
        value: (...) the estimate.
        low, high: (...) the ends of its 95 % interval.
        standard_error: (...).
        parameter: (...) the threshold or shrinkage that was chosen; None for estimators without one.
    """

    name: str
    value: Array
    low: Array
    high: Array
    standard_error: Array
    parameter: Array | None = None


@dataclass(frozen=True)
class Diagnostics:
    """What the importance weights are like.

    Attributes:
        rounds: n.
        effective_size: Kish's (sum w)² / sum w²; how many rounds of the evaluated policy itself would tell as much.
        largest_share: of the total weight, on one round.
        mean_weight: 1 on average if the log supports all that the evaluated policy does, less if it does not.
        mean_weight_error: its standard error.
        matched_share: rounds with a weight above 0.
        largest_weight: of a round.
    """

    rounds: int
    effective_size: float
    largest_share: float
    mean_weight: float
    mean_weight_error: float
    matched_share: float
    largest_weight: float

    @property
    def warnings(self) -> list[str]:
        """What stands against the estimates, in sentences."""
        found = []
        if self.effective_size < SMALL_EFFECTIVE_SIZE:
            found.append(
                f"The effective sample size is {self.effective_size:.0f} of {self.rounds:,} rounds: intervals are rough below "
                f"{SMALL_EFFECTIVE_SIZE:.0f}."
            )
        if self.largest_share > LARGE_SHARE:
            found.append(f"One round has {self.largest_share:.0%} of all weight.")
        if self.mean_weight < 1 - OFF * self.mean_weight_error:
            found.append(
                f"The mean weight is {self.mean_weight:.2f}, expected is 1: the policy does what the log never tried, which no "
                "estimate covers."
            )
        elif self.mean_weight > 1 + OFF * self.mean_weight_error:
            found.append(
                f"The mean weight is {self.mean_weight:.2f}, expected is 1: the recorded propensities are too low."
            )
        return found


def diagnose(weight: Array) -> Diagnostics:
    """Describe the (n,) importance weights of a log.

    >>> found = diagnose(np.array([2.0, 2.0, 0.0, 0.0]))
    >>> found.effective_size, found.largest_share, found.matched_share
    (2.0, 0.5, 0.5)
    """
    total, rounds = float(weight.sum()), len(weight)
    return Diagnostics(
        rounds,
        total**2 / float(np.square(weight).sum()) if total else 0.0,
        float(weight.max()) / total if total else 0.0,
        float(weight.mean()) if rounds else 0.0,
        float(weight.std(ddof=1)) / rounds**0.5 if rounds > 1 else 0.0,
        float(np.mean(weight > 0)) if rounds else 0.0,
        float(weight.max(initial=0.0)),
    )


def of_rounds(name: str, rounds: Array, parameter: Array | None = None) -> Estimate:
    """The estimate whose value is the mean of (..., n) contributions of independent rounds.

    >>> found = of_rounds("mean", np.array([1.0, 2.0, 3.0]))
    >>> round(float(found.value), 2), round(float(found.low), 2), round(float(found.high), 2)
    (2.0, -0.48, 4.48)
    """
    count = rounds.shape[-1]
    if count < 2:
        raise ValueError(f"There is {count} round; an interval needs two or more.")
    value = rounds.mean(axis=-1)
    off = rounds - value[..., None]
    square = np.square(off).mean(axis=-1)
    skew = np.divide((off**3).mean(axis=-1), square**1.5, out=np.zeros_like(square), where=square > 0)
    error = np.sqrt(square / (count - 1))
    reach = float(stdtrit(count - 1, 0.5 + LEVEL / 2))
    low, high = value - error * _untransformed(reach, skew, count), value - error * _untransformed(-reach, skew, count)
    return Estimate(name, value, low, high, error, parameter)


def _untransformed(quantile: float, skew: Array, count: int) -> Array:
    """Student's statistic whose transform is `quantile`: 3 √n / g · ((1 + g (z / √n - g / (6 n)))^(1/3) - 1)."""
    tiny = np.abs(skew) < 1e-9
    safe = np.where(tiny, 1.0, skew)
    inner = 1 + safe * (quantile / count**0.5 - safe / (6 * count))
    return np.where(tiny, quantile, 3 * count**0.5 / safe * (np.cbrt(inner) - 1))
