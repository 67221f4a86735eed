"""CUPED: what users did before an experiment takes out of their outcomes what no arm has caused.

Deng, Xu, Kohavi & Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data", eq. 4 and 5:
y - θ (x - mean x) with θ = cov(x, y) / var(x), pooled over both arms; the variance falls by the square of their correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from recipes.evaluation.lift import Z95, LiftEstimate, two_sided


@dataclass(frozen=True)
class Sums:
    """Sums over the users of one arm of their outcome y and their activity before, x.

    Attributes:
        users: n.
        y, x: sums.
        yy, xx, xy: sums of squares and products.
    """

    users: int
    y: float
    x: float
    yy: float
    xx: float
    xy: float

    def __add__(self, other: Sums) -> Sums:
        """Both groups of users together."""
        return Sums(*(getattr(self, name) + getattr(other, name) for name in ("users", "y", "x", "yy", "xx", "xy")))


@dataclass(frozen=True)
class Adjusted:
    """A lift in outcomes per user, adjusted for activity before.

    Attributes:
        lift: with its 95 % interval for one look.
        correlation: of outcome and activity before; its square is the share of the variance that the adjustment takes out.
        variance_left: the variance of the adjusted difference over that of the plain one.
    """

    lift: LiftEstimate
    correlation: float
    variance_left: float


def adjusted_lift(control: Sums, treatment: Sums) -> Adjusted | None:
    """The lift of the mean outcome, adjusted; None while the control has no outcome, an arm is below two users, or nobody did anything before.

    Four users an arm; outcomes equal what was done before plus 1 in the treatment, whose users were no more active:

    >>> before = Sums(4, 6.0, 6.0, 14.0, 14.0, 14.0)
    >>> after = Sums(4, 10.0, 6.0, 30.0, 14.0, 20.0)
    >>> found = adjusted_lift(before, after)
    >>> round(found.lift.value, 3), round(found.variance_left, 3)
    (0.667, 0.0)
    """
    if min(control.users, treatment.users) < 2 or control.y <= 0:
        return None
    slope = _slope(control, treatment)
    if slope is None:
        return None
    middle = (control.x + treatment.x) / (control.users + treatment.users)
    q, own = _adjusted(control, slope, middle)
    p, other = _adjusted(treatment, slope, middle)
    if q <= 0:
        return None
    plain = _adjusted(control, 0.0, middle)[1] + _adjusted(treatment, 0.0, middle)[1]
    spread = math.sqrt(other / q**2 + own * p**2 / q**4)
    deviation = math.sqrt(own + other)
    p_value = two_sided((p - q) / deviation) if deviation else float(p == q)
    lift = LiftEstimate(p / q - 1, p / q - 1 - Z95 * spread, p / q - 1 + Z95 * spread, p_value)
    left = (own + other) / plain if plain else 1.0
    return Adjusted(lift, math.copysign(math.sqrt(max(0.0, 1 - left)), slope), left)


def _slope(control: Sums, treatment: Sums) -> float | None:
    """θ from the spread within the arms."""
    covariance = variance = 0.0
    for arm in (control, treatment):
        covariance += arm.xy - arm.x * arm.y / arm.users
        variance += arm.xx - arm.x**2 / arm.users
    return covariance / variance if variance > 0 else None


def _adjusted(arm: Sums, slope: float, middle: float) -> tuple[float, float]:
    """The adjusted mean and its variance."""
    n = arm.users
    mean = arm.y / n - slope * (arm.x / n - middle)
    yy, xx, xy = arm.yy - arm.y**2 / n, arm.xx - arm.x**2 / n, arm.xy - arm.x * arm.y / n
    return mean, max(0.0, yy - 2 * slope * xy + slope**2 * xx) / (n - 1) / n
