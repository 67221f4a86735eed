"""Intervals that hold at every look: an experiment may be read each day and stopped at any time.

A mixture sequential probability ratio test (Robbins 1970; Johari, Koomen, Pekelis & Walsh 2022, "Always Valid Inference", eq. 9) on the
logarithm of the ratio of two rates. With the estimate d of variance v and effects expected around 0 with deviation t, the likelihood
ratio against no change, mixed over the effects, is

    sqrt(v / (v + t²)) · exp(t² d² / (2 v (v + t²)))

It exceeds 1/level with a probability of `level` at most, at whatever look. The effects between which it stays below are the interval:

    d ± sqrt(v (v + t²) / t² · (2 ln(1/level) + ln((v + t²) / v)))
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from recipes.evaluation.lift import Arm, LiftEstimate

LEVEL = 0.05
MIN_OUTCOMES = 20  # in each arm, from which on the logarithm of a rate is near enough to normal


def always_valid_lift(control: Arm, treatment: Arm, effect: float, level: float = LEVEL) -> LiftEstimate | None:
    """The treatment's lift with an interval and a p-value that hold at every look; None below 20 outcomes in an arm.

    The p-value of one look is the inverse of the likelihood ratio; the smallest of all looks so far is valid, too.

    >>> found = always_valid_lift(Arm(10_000, 1000), Arm(10_000, 1200), 0.1)
    >>> [round(number, 3) for number in (found.value, found.low, found.high, found.p_value)]
    [0.2, 0.061, 0.357, 0.0]

    Args:
        control: one arm.
        treatment: the other.
        effect: the least lift of interest, above 0: the interval is narrowest when that much is known.
        level: the chance of ever being wrong.
    """
    if min(control.converted, treatment.converted) < MIN_OUTCOMES:
        return None
    p, q = treatment.converted / treatment.users, control.converted / control.users
    variance = (1 - p) / treatment.converted + (1 - q) / control.converted
    if variance <= 0:
        return None
    mean, spread = math.log(p / q), math.log1p(abs(effect)) ** 2
    found = always_valid(mean, variance, spread, level)
    return LiftEstimate(math.expm1(mean), math.expm1(mean - found.reach), math.expm1(mean + found.reach), found.p_value)


@dataclass(frozen=True)
class Mixture:
    """Half the width of an always-valid interval, and the p-value of the effect being 0."""

    reach: float
    p_value: float


def always_valid(mean: float, variance: float, spread: float, level: float = LEVEL) -> Mixture:
    """The test for an estimate that is near enough to normal.

    Args:
        mean: the estimate.
        variance: its own, above 0.
        spread: t², of the effects to be expected.
        level: the chance of ever being wrong.
    """
    inflated = variance + spread
    reach = math.sqrt(variance * inflated / spread * (2 * math.log(1 / level) + math.log1p(spread / variance)))
    ratio = 0.5 * math.log(variance / inflated) + spread * mean**2 / (2 * variance * inflated)
    return Mixture(reach, min(1.0, math.exp(-ratio)))


@dataclass(frozen=True)
class Decision:
    """What may be decided at a look.

    Attributes:
        verdict: "BETTER", "WORSE", "FUTILE" (neither a gain nor a harm as large as was looked for is left) or "GO_ON".
        p_value: the smallest always-valid one so far; None before any.
        look: the first at which the verdict could be said; None for "GO_ON".
    """

    verdict: str
    p_value: float | None
    look: int | None


def decide(looks: Iterable[tuple[Arm, Arm]], effect: float, level: float = LEVEL) -> Decision:
    """Read an experiment look by look; whatever is shown first stays.

    Harm is said like gain: the test is two-sided, and "WORSE" comes as early as "BETTER" would.

    >>> decide([(Arm(500, 50), Arm(500, 52)), (Arm(10_000, 1000), Arm(10_000, 700))], 0.1).verdict
    'WORSE'

    Args:
        looks: both arms at each look, in order.
        effect: the least lift of interest, above 0.
        level: the chance of a false "BETTER" or "WORSE" at any look.
    """
    best: float | None = None
    for number, (control, treatment) in enumerate(looks):
        found = always_valid_lift(control, treatment, effect, level)
        if found is None:
            continue
        best = found.p_value if best is None else min(best, found.p_value)
        verdict = _verdict(found, effect)
        if verdict != "GO_ON":
            return Decision(verdict, best, number)
    return Decision("GO_ON", best, None)


def _verdict(found: LiftEstimate, effect: float) -> str:
    if found.low > 0:
        return "BETTER"
    if found.high is None:
        return "GO_ON"
    if found.high < 0:
        return "WORSE"
    return "FUTILE" if -effect < found.low and found.high < effect else "GO_ON"


def harm(control: Arm, treatment: Arm, allowed: float, level: float = LEVEL) -> LiftEstimate | None:
    """A guardrail: the always-valid interval of a lift that must not fall below -`allowed`; it is broken where `high` does.

    It is kept for sure where `low` is above -`allowed`; in between more users are needed.

    >>> found = harm(Arm(10_000, 1000), Arm(10_000, 700), 0.05)
    >>> found.high < -0.05
    True
    """
    return always_valid_lift(control, treatment, allowed, level)
