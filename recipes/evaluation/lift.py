"""What a controlled experiment says: two arms of users, a share of whom did what was hoped for.

The lift of the rate comes with Koopman's score interval (Koopman 1984, Biometrics 40, 513-517), which leaves out no change
exactly when the pooled two-proportion test rejects it; the difference in points with Newcombe's hybrid interval (Newcombe 1998,
Statistics in Medicine 17, 873-890, method 10); events per user with the delta method. All are for one look at a planned size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import chdtrc, ndtr, ndtri

Z95 = float(ndtri(0.975))
POWER = 0.8
MISMATCH = 0.001  # of the sample-ratio test: it is looked at often, and a real mismatch is far beyond it
STEPS, WIDEST = 45, 40.0  # of bisection over logarithms: halved to 2e-12


@dataclass(frozen=True)
class Arm:
    """What came of the users of one arm.

    Attributes:
        users: how many were shown something.
        converted: how many of them did what counts at least once afterwards.
        events: how often they did so together.
        squares: sum of the squares of each user's count.
    """

    users: int = 0
    converted: int = 0
    events: int = 0
    squares: int = 0

    def __add__(self, other: Arm) -> Arm:
        """Both groups of users together."""
        return Arm(
            self.users + other.users,
            self.converted + other.converted,
            self.events + other.events,
            self.squares + other.squares,
        )

    @property
    def rate(self) -> float | None:
        """The share that converted; None without users."""
        return self.converted / self.users if self.users else None

    @property
    def per_user(self) -> float | None:
        """Events for each user; None without users."""
        return self.events / self.users if self.users else None

    @property
    def variance(self) -> float:
        """Of the events per user, unbiased; 0 below two users."""
        if self.users < 2:
            return 0.0
        return max(0.0, (self.squares - self.events**2 / self.users) / (self.users - 1))


@dataclass(frozen=True)
class LiftEstimate:
    """A number with its 95 % interval; `high` is None where nothing bounds it, `p_value` is of no change at all."""

    value: float
    low: float
    high: float | None
    p_value: float

    @property
    def is_significant(self) -> bool:
        """Whether no change is left out at 5 %."""
        return self.p_value < 0.05


def sample_ratio(control: Arm, treatment: Arm, share: float) -> float | None:
    """The p-value of the users having been split as planned (chi-square, one degree of freedom); None without users.

    >>> round(sample_ratio(Arm(5000), Arm(5200), 0.5), 4)
    0.0477

    Args:
        control: one arm.
        treatment: the other.
        share: of the users, planned for the treatment, between 0 and 1.
    """
    total = control.users + treatment.users
    if not total:
        return None
    planned = total * share
    off = (treatment.users - planned) ** 2
    return float(chdtrc(1, off / planned + off / (total - planned)))


def rate_interval(arm: Arm) -> tuple[float, float] | None:
    """Wilson's score interval of the share that converted, 95 %; None without users.

    >>> [round(bound, 4) for bound in rate_interval(Arm(80, 48))]
    [0.4905, 0.7004]
    """
    return None if arm.rate is None else wilson(arm.rate, arm.users)


def wilson(share: float, trials: float) -> tuple[float, float]:
    """Wilson's score interval of a share of so many trials, 95 %."""
    square = Z95**2
    middle = share + square / (2 * trials)
    reach = Z95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, (middle - reach) / (1 + square / trials)), min(1.0, (middle + reach) / (1 + square / trials))


def difference(control: Arm, treatment: Arm) -> LiftEstimate | None:
    """The treatment's rate less the control's; None without users in both arms.

    >>> found = difference(Arm(80, 48), Arm(70, 56))
    >>> [round(number, 4) for number in (found.value, found.low, found.high)]
    [0.2, 0.0524, 0.3339]
    """
    before, after = rate_interval(control), rate_interval(treatment)
    if before is None or after is None:
        return None
    p, q = treatment.converted / treatment.users, control.converted / control.users
    low = p - q - math.hypot(p - after[0], before[1] - q)
    high = p - q + math.hypot(after[1] - p, q - before[0])
    return LiftEstimate(p - q, low, high, two_sided(_score(control, treatment, 1.0)))


def lift(control: Arm, treatment: Arm) -> LiftEstimate | None:
    """By which part the treatment's rate is above the control's: 0.1 for ten percent; None while nobody of the control converted.

    >>> found = lift(Arm(80, 16), Arm(40, 36))
    >>> [round(1 + number, 2) for number in (found.value, found.low, found.high)]
    [4.5, 2.94, 7.15]
    """
    if not control.converted or not treatment.users:
        return None
    ratio = (treatment.converted / treatment.users) / (control.converted / control.users)
    low = _bound(lambda log: _score(control, treatment, math.exp(log)) > Z95) if treatment.converted else 0.0
    high = _bound(lambda log: _score(control, treatment, math.exp(log)) > -Z95)
    return LiftEstimate(ratio - 1, low - 1, high - 1, two_sided(_score(control, treatment, 1.0)))


def events_lift(control: Arm, treatment: Arm) -> LiftEstimate | None:
    """By which part the treatment has more events per user; None while the control has none, or an arm below two users."""
    before, after = control.per_user, treatment.per_user
    if not before or after is None or min(control.users, treatment.users) < 2:
        return None
    noise, own = control.variance / control.users, treatment.variance / treatment.users
    reach = Z95 * math.sqrt(own / before**2 + noise * after**2 / before**4)
    spread = math.sqrt(own + noise)
    p_value = two_sided((after - before) / spread) if spread else float(after == before)
    return LiftEstimate(after / before - 1, after / before - 1 - reach, after / before - 1 + reach, p_value)


def users_needed(rate: float | None, effect: float, share: float) -> int | None:
    """Users of both arms together with which a lift of `effect` is found with a power of 80 % at the level of 5 %, two-sided.

    >>> users_needed(0.1, 0.2, 0.5)
    7682

    Args:
        rate: of the control, between 0 and 1.
        effect: the lift to be found, 0.2 for a fifth more; below 0 for less.
        share: of the users that the treatment has, between 0 and 1.

    Returns:
        The number; None where no number does: there is no rate yet, or no rate is that much above it.
    """
    if not rate or rate >= 1 or not effect:
        return None
    other = rate * (1 + effect)
    if not 0 <= other <= 1:
        return None
    odds = share / (1 - share)
    pooled = (rate + odds * other) / (1 + odds)
    missed = Z95 * math.sqrt((1 + 1 / odds) * pooled * (1 - pooled))
    found = float(ndtri(POWER)) * math.sqrt(rate * (1 - rate) + other * (1 - other) / odds)
    of_control = ((missed + found) / (other - rate)) ** 2
    return math.ceil(of_control) + math.ceil(of_control * odds)


def _score(control: Arm, treatment: Arm, ratio: float) -> float:
    """Standard errors between what was seen and rates in this ratio, at the likeliest rates that have it."""
    n, m, x, y = treatment.users, control.users, treatment.converted, control.converted
    a, b, c = (n + m) * ratio, -(n * ratio + x + m + y * ratio), x + y
    rate = min(1.0, 2 * c / (-b + math.sqrt(max(0.0, b * b - 4 * a * c)))) if c else 0.0
    other = min(1.0, rate * ratio)
    variance = other * (1 - other) / n + ratio**2 * rate * (1 - rate) / m
    off = x / n - ratio * y / m
    if variance <= 0:
        return 0.0 if abs(off) < 1e-15 else math.copysign(math.inf, off)
    return off / math.sqrt(variance)


def _bound(is_below: Callable[[float], bool]) -> float:
    """The ratio at which `is_below`, of its logarithm, turns false."""
    low, high = -WIDEST, WIDEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return math.exp((low + high) / 2)


def two_sided(score: float) -> float:
    """The p-value of a standard normal score, on either side."""
    return float(2 * ndtr(-abs(score)))
