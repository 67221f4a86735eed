"""Estimators for rounds with one action each: IPS, SNIPS, DR, Switch-DR and DR with optimistic shrinkage.

With w = p_e(a | x) / p_b(a | x), reward r, and a reward model q:

    IPS        mean of w r                                          Horvitz & Thompson 1952; Precup et al. 2000
    SNIPS      sum of w r / sum of w                                Swaminathan & Joachims 2015, eq. 7
    DR         mean of E_e[q] + w (r - q)                           Dudík et al. 2011, eq. 2
    Switch-DR  mean of E_e[q] + w 1[w <= t] (r - q)                 Wang, Agarwal & Dudík 2017, eq. 9
    DRos       mean of E_e[q] + s w / (w² + s) (r - q)              Su et al. 2020, eq. 6

The threshold t and the shrinkage s are those of least estimated mean squared error: variance, and the square of the upper bound
of what the change of the weights moves the estimate by (Su et al. 2020, section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipes.evaluation.off_policy.estimates import Array, Estimate, of_rounds

THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # quantiles of the weights above 0
SHRINKAGES = (1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, np.inf)  # times the mean squared weight
BIAS_REACH = 1.0  # standard errors above the estimated bias that are held against a parameter


@dataclass(frozen=True)
class Logged:
    """Independent rounds of a logging policy; leading axes, if any, are separate logs.

    Attributes:
        reward: (..., n) what was earned.
        behaviour: (..., n) probability, above 0, with which the logging policy chose the action it chose.
        target: (..., n) probability with which the evaluated policy would have.
        predicted: (..., n) reward predicted for the action chosen; 0 without a reward model.
        expected: (..., n) reward predicted for the evaluated policy's choice, its mean over all actions.
    """

    reward: Array
    behaviour: Array
    target: Array
    predicted: Array | None = None
    expected: Array | None = None

    def __post_init__(self) -> None:
        """Hold the probabilities to what they can be."""
        if not ((self.behaviour > 0) & (self.behaviour <= 1 + 1e-9)).all():
            raise ValueError(
                "A logging probability is not above 0 and at most 1; record the chance of what was chosen."
            )
        if not ((self.target >= 0) & (self.target <= 1 + 1e-9)).all():
            raise ValueError("A probability of the evaluated policy is not between 0 and 1.")
        if (self.predicted is None) is not (self.expected is None):
            raise ValueError("predicted and expected come together: both are of one reward model.")

    @property
    def weight(self) -> Array:
        """(..., n) importance weights."""
        return self.target / self.behaviour

    @property
    def residual(self) -> Array:
        """(..., n) reward beyond what was predicted."""
        return self.reward if self.predicted is None else self.reward - self.predicted

    @property
    def baseline(self) -> Array:
        """(..., n) what the reward model expects of the evaluated policy."""
        return np.zeros_like(self.reward) if self.expected is None else self.expected


def ips(log: Logged) -> Estimate:
    """Inverse propensity scoring.

    Two rounds of probability 1/2, the evaluated policy does the first only: (2 · 1 + 0 · 1) / 2.

    >>> log = Logged(np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    >>> float(ips(log).value)
    1.0
    """
    return of_rounds("IPS", log.weight * log.reward)


def snips(log: Logged) -> Estimate:
    """Self-normalised IPS; its interval is that of its linearisation, V + w (r - V) / mean w.

    Weights 2 and 1, rewards 1 and 0: 2 / 3.

    >>> log = Logged(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([1.0, 0.5]))
    >>> round(float(snips(log).value), 4)
    0.6667
    """
    mean = log.weight.mean(axis=-1)
    safe = np.where(mean > 0, mean, 1.0)
    value = (log.weight * log.reward).mean(axis=-1) / safe
    influence = log.weight * (log.reward - value[..., None]) / safe[..., None]
    return of_rounds("SNIPS", value[..., None] + influence)


def dr(log: Logged) -> Estimate:
    """Doubly robust: unbiased if either the propensities or the reward model are right.

    Predicted 0.5 everywhere, rewards 1 and 0 with weights 2 and 0: 0.5 + (2 · 0.5 + 0) / 2.

    >>> half = np.array([0.5, 0.5])
    >>> float(dr(Logged(np.array([1.0, 0.0]), half, np.array([1.0, 0.0]), half, half)).value)
    1.0
    """
    return of_rounds("DR", log.baseline + log.weight * log.residual)


def switch_dr(log: Logged, thresholds: Sequence[float] | None = None) -> Estimate:
    """DR that trusts the reward model alone where the weight is above a threshold.

    Args:
        log: the rounds.
        thresholds: to choose among; quantiles of the weights by default.
    """
    weight = log.weight
    if thresholds is None:
        matched = np.where(weight > 0, weight, np.nan)
        grid = np.nanquantile(matched, THRESHOLDS, axis=-1) if (weight > 0).any() else np.ones((1, *weight.shape[:-1]))
    else:
        grid = np.stack([np.full(weight.shape[:-1], threshold) for threshold in thresholds])
    return _least_error("Switch-DR", log, grid, lambda limit: np.where(weight <= limit[..., None], weight, 0.0))


def dr_os(log: Logged, shrinkages: Sequence[float] | None = None) -> Estimate:
    """DR with optimistic shrinkage: s w / (w² + s), which is w for s without bound and 0 for s = 0.

    Args:
        log: the rounds.
        shrinkages: to choose among; multiples of the mean squared weight by default.
    """
    weight = log.weight
    scale = np.maximum(np.square(weight).mean(axis=-1), 1e-12)
    grid = np.stack(
        [scale * size if shrinkages is None else np.full_like(scale, size) for size in shrinkages or SHRINKAGES]
    )

    def shrunk(size: Array) -> Array:
        finite = np.where(np.isfinite(size), size, 1.0)[..., None]
        return np.where(np.isfinite(size)[..., None], finite * weight / (np.square(weight) + finite), weight)

    return _least_error("DRos", log, grid, shrunk)


ESTIMATORS: dict[str, Callable[[Logged], Estimate]] = {
    "IPS": ips,
    "SNIPS": snips,
    "DR": dr,
    "Switch-DR": switch_dr,
    "DRos": dr_os,
}


def _least_error(name: str, log: Logged, grid: Array, changed: Callable[[Array], Array]) -> Estimate:
    """The estimate under the parameter of least estimated error, its interval widened by what the parameter may move it.

    Args:
        name: of the estimator.
        log: the rounds.
        grid: (P, ...) parameters for each log.
        changed: the (..., n) weights under (...) parameters.
    """
    full, count = log.weight * log.residual, log.reward.shape[-1]
    rounds = np.stack([log.baseline + changed(parameter) * log.residual for parameter in grid])  # (P, ..., n)
    moved = rounds - (log.baseline + full)
    variance = np.maximum(rounds.var(axis=-1, ddof=1) / count, 1e-300)
    bias = np.abs(moved.mean(axis=-1)) + BIAS_REACH * np.sqrt(moved.var(axis=-1, ddof=1) / count)
    best = np.argmin(variance + bias**2, axis=0)[None, ...]
    chosen, parameter, wider = (
        np.take_along_axis(table, place, axis=0)[0]
        for table, place in ((rounds, best[..., None]), (grid, best), (np.sqrt(1 + bias**2 / variance), best))
    )
    found = of_rounds(name, chosen, parameter)
    low, high = found.value - wider * (found.value - found.low), found.value + wider * (found.high - found.value)
    return replace(found, low=low, high=high)
