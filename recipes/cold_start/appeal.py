"""How much likelier than others a user is to take an item, from the profiles of those who took it and from its metadata.

The takers of an item are normally distributed around a point of their own, with variance 1 in every direction. Where that
point is, metadata say beforehand (a ridge regression learned on other items) and takers say the better the more there are:
an empirical Bayes estimate. Where metadata say nothing the regression is 0, and an item without takers suits everybody alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import Floats, Indexes

RIDGES = (1.0, 10.0, 100.0, 1000.0)  # tried, and no regression at all
LEAST_SPREAD = 1e-3  # variance of items around what metadata say, at least
MAX_LIFT = np.float32(8.0)  # what is said of who is far from most is an extrapolation
LEAST_EXPECTED, LEAST_ITEMS = 2.0, 20  # events of an item, and items, from which is learned what metadata say of appeal
APPEAL_PRIOR = 2.0  # events' worth of belief that an item is taken as often as expected
MAX_APPEAL = 2.0  # log of it
MAX_ITEMS = 20_000  # that the regression is learned on
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """What is known of an item's point before anybody took it.

    Attributes:
        slopes: (F, K) from metadata to the expected point.
        spread: (K,) variance around it.
    """

    slopes: Floats
    spread: Floats


@dataclass(frozen=True)
class Points:
    """Where items are: mean and variance, (N, K) each."""

    mean: Floats
    variance: Floats


def learn_prior(features: Floats, sums: Values, counts: NDArray[np.int64], between: Floats) -> Prior:
    """Regress items' points on their metadata, each item predicted from the others.

    Args:
        features: (N, F) metadata.
        sums: (N, K) summed profiles of the takers.
        counts: (N,) takers.
        between: (K,) variance of the points, the prior's where metadata say nothing.
    """
    usable = (
        np.flatnonzero((counts > 0) & np.any(features != 0, axis=1)) if features.shape[1] else np.zeros(0, np.int64)
    )
    usable = usable[np.argsort(-counts[usable], kind="stable")[:MAX_ITEMS]]
    slopes = np.zeros((features.shape[1], len(between)), np.float32)
    if len(usable) <= 2:
        return Prior(slopes, between)
    known, number = features[usable].astype(np.float64), counts[usable].astype(np.float64)[:, None]
    mean = sums[usable] / number
    weight = 1 / (1 / number + float(between.mean()))
    best = _error(mean, weight, number)
    spread = np.maximum(np.minimum(best, between), LEAST_SPREAD)
    for fitted, errors in _ridges(known, weight, mean):
        error = _error(errors, weight, number)
        better = error < best
        best = np.where(better, error, best)
        slopes[:, better] = fitted[:, better]
        spread[better] = np.clip(error[better], LEAST_SPREAD, between[better])
    return Prior(slopes, spread.astype(np.float32))


def appeal_of_metadata(features: Floats, events: Values, expected: Values) -> Values:
    """(N,) how many times as often as expected items are taken, as far as metadata tell; mean 1, and 1 where they tell nothing.

    A ridge regression of the logarithm, each item predicted from the others.

    Args:
        features: (N, F) metadata.
        events: (N,) of items.
        expected: (N,) of items like others; where it is little, events tell little.
    """
    usable = np.flatnonzero((expected >= LEAST_EXPECTED) & np.any(features != 0, axis=1))
    usable = usable[np.argsort(-expected[usable], kind="stable")[:MAX_ITEMS]]
    if len(usable) <= LEAST_ITEMS:
        return np.ones(len(features))
    known, weight = features[usable].astype(np.float64), expected[usable] / (expected[usable] + APPEAL_PRIOR)
    ratios = np.log((events[usable] + APPEAL_PRIOR) / (expected[usable] + APPEAL_PRIOR))
    ratios = ratios - np.average(ratios, weights=weight)
    centre = np.average(known, axis=0, weights=weight)
    best, slopes = float(weight @ ratios**2), np.zeros(features.shape[1])
    for fitted, errors in _ridges(known - centre, weight[:, None], ratios[:, None]):
        error = float(weight @ errors[:, 0] ** 2)
        if error < best:
            best, slopes = error, fitted[:, 0]
    appeal = np.exp(np.clip((features - centre) @ slopes, -MAX_APPEAL, MAX_APPEAL))
    appeal = np.where(np.any(features != 0, axis=1), appeal, 1.0)
    return np.asarray(appeal / np.average(appeal[usable], weights=weight), np.float64)


def _ridges(known: Values, weight: Values, targets: Values) -> Iterator[tuple[Values, Values]]:
    """Regressions of each strength: (F, K) slopes, and (n, K) errors of each item predicted from the others.

    Args:
        known: (n, F) of the items.
        weight: (n, 1) of each item.
        targets: (n, K) of each item.
    """
    weighted = (known * weight).T
    for ridge in RIDGES:
        solved = np.linalg.solve(weighted @ known + ridge * np.eye(known.shape[1]), weighted)
        leverage = np.minimum(np.einsum("nf,fn->n", known, solved), 0.99)[:, None]
        slopes = solved @ targets
        yield slopes, (targets - known @ slopes) / (1 - leverage)


def _error(residual: Values, weight: Values, number: Values) -> Values:
    """(K,) mean squared residual less what the takers' own variance adds."""
    error: Values = (weight * (residual**2 - 1 / number)).sum(axis=0) / weight.sum()
    return error


def posterior(prior: Prior, features: Floats, sums: Values, counts: Values) -> Points:
    """Where items are, given metadata (N, F), summed profiles of takers (N, K) and what those count together (N,)."""
    variance = 1 / (1 / prior.spread + counts[:, None])
    mean = variance * ((features @ prior.slopes) / prior.spread + sums)
    return Points(mean.astype(np.float32), variance.astype(np.float32))


@dataclass(frozen=True)
class Lift:
    """Log of how much likelier a user is to take each of Y items than an average one, as a product of arrays.

    Attributes:
        square, linear: (K, Y) of a profile's squares and of the profile.
        constant: (Y,).
    """

    square: Floats
    linear: Floats
    constant: Floats

    @classmethod
    def of(cls, points: Points, between: Floats) -> Lift:
        """The predictive density of an item's takers over that of everybody."""
        inside, outside = 1 + points.variance, 1 + between
        constant = -(points.mean**2) / inside - np.log(inside) + np.log(outside)
        return cls(
            np.ascontiguousarray((0.5 / outside - 0.5 / inside).T, np.float32),
            np.ascontiguousarray((points.mean / inside).T, np.float32),
            np.asarray(0.5 * constant.sum(axis=1), np.float32),
        )

    def only(self, items: Indexes) -> Lift:
        """Of some of the items."""
        square, linear = (np.ascontiguousarray(part[:, items]) for part in (self.square, self.linear))
        return Lift(square, linear, self.constant[items])

    def of_profiles(self, people: Floats) -> Floats:
        """(B, Y) for (B, K) profiles."""
        lifts = np.asarray((people * people) @ self.square, np.float32)
        lifts += people @ self.linear
        lifts += self.constant
        return lifts.clip(-MAX_LIFT, MAX_LIFT, out=lifts)
