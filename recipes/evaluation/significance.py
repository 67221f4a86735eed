"""Is one model better than another, or was it luck? Paired comparison, query by query, on the same frozen test.

Intervals by the paired bootstrap, p-values by sign flips (under the null hypothesis each query's difference is as likely to be
the other way round; Fisher 1935, "The Design of Experiments"), held together over the metrics by Holm's step-down method.
Coverage and Gini belong to all lists together, not to one query: there whole lists change sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recipes.data import Ids
from recipes.evaluation.evaluate import DEPTH, Evaluation, is_aws_metric
from recipes.evaluation.intervals import Values, bootstrap
from recipes.evaluation.metrics import exposures, gini_of, less_is_better
from recipes.evaluation.shown import Shown
from recipes.numerics.arrays import Indexes

FLIPS = 4000
FLIP_CELLS = 4_000_000  # of signs held at a time
LEVEL = 0.05
MIN_DRAWS, MAX_DRAWS = 499, 1999  # of lists; fewer could show nothing once Holm has corrected for a dozen metrics
DRAWN_CELLS = 200_000_000  # places of lists looked at over all draws
SHAPES = ("coverage", "gini")


@dataclass(frozen=True)
class Comparison:
    """One metric of two models on the same queries.

    Attributes:
        metric: its name.
        first, second: the two means.
        difference: second - first.
        low, high: 95 % interval of the difference.
        p_value: of the hypothesis that there is no difference.
        adjusted: the p-value after Holm's correction for all metrics compared.
    """

    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    adjusted: float = 1.0

    @property
    def verdict(self) -> str:
        """ "better", "worse" or "no difference shown", of the second against the first."""
        if self.adjusted > LEVEL:
            return "no difference shown"
        return "better" if (self.difference > 0) is (not less_is_better(self.metric)) else "worse"

    def sentence(self) -> str:
        """The verdict with its figures, for people."""
        return (
            f"{self.metric}: {self.second:.4f} against {self.first:.4f}, {self.verdict} "
            f"({self.difference:+.4f}, 95 % interval {self.low:+.4f} to {self.high:+.4f}, p = {self.adjusted:.3g})"
        )


def compare(
    first: Evaluation, second: Evaluation, metrics: Sequence[str] | None = None, seed: int = 0
) -> list[Comparison]:
    """Compare two evaluations metric by metric.

    Args:
        first: what is compared against.
        second: what is compared, on the same frozen test.
        metrics: which per-query metrics, and "coverage" and "gini" where both evaluations hold their lists; AWS's by
            default. The more, the stricter Holm's correction.
        seed: of bootstrap and sign flips.

    Raises:
        ValueError: the tests differ, or a metric is not in both.
    """
    if first.fingerprint != second.fingerprint:
        raise ValueError(
            f"These were evaluated on different tests, {first.fingerprint[:12]} and {second.fingerprint[:12]}; "
            "only versions evaluated on the same frozen test set can be compared."
        )
    names = _names(first, second) if metrics is None else list(metrics)
    common = comparable(first, second)
    if missing := [name for name in names if name not in common]:
        raise ValueError(f"{missing[0]} is not in both evaluations, in both are {', '.join(common)}.")
    differences: Values = {name: second.values[name] - first.values[name] for name in names if name not in SHAPES}
    intervals = bootstrap(differences, seed=seed)
    p_values = sign_flip_p_values(differences, seed=seed)
    shapes = _shapes(first.shown, second.shown, seed) if set(SHAPES) & set(names) else {}
    found = [
        shapes[name]
        if name in shapes
        else Comparison(
            name, first.figures[name], second.figures[name], _mean(differences[name]), *intervals[name], p_values[name]
        )
        for name in names
    ]
    adjusted = holm([comparison.p_value for comparison in found])
    return [replace(comparison, adjusted=value) for comparison, value in zip(found, adjusted, strict=True)]


@dataclass(frozen=True)
class Cell:
    """One cell of a matrix of differences, such as a segment of the users and a version.

    Attributes:
        difference: the mean.
        low, high: its 95 % interval.
        adjusted: p-value after Holm's correction over the whole matrix.
        verdict: "better", "worse" or "no difference shown".
    """

    difference: float
    low: float
    high: float
    adjusted: float
    verdict: str


def matrix(differences: Values, seed: int = 0) -> dict[str, Cell]:
    """Test many differences together, so that of all the cells without any difference one is taken for one in 5 % of matrices.

    Args:
        differences: (Q,) per query by cell, higher is better; NaN for queries that are not of the cell.
        seed: of bootstrap and sign flips.
    """
    known = {name: values for name, values in differences.items() if np.isfinite(values).any()}
    intervals, p_values = bootstrap(known, seed=seed), sign_flip_p_values(known, seed=seed)
    adjusted = holm(list(p_values.values()))
    found = {}
    for (name, values), p_value in zip(known.items(), adjusted, strict=True):
        mean = _mean(values)
        verdict = "no difference shown" if p_value > LEVEL else "better" if mean > 0 else "worse"
        found[name] = Cell(mean, *intervals[name], p_value, verdict)
    return found


def comparable(first: Evaluation, second: Evaluation) -> list[str]:
    """The metrics by which two evaluations can be compared."""
    lists = first.shown is not None and second.shown is not None
    per_query = [name for name in first.values if name in second.values]
    return per_query + [name for name in SHAPES if lists and name in first.figures and name in second.figures]


def sign_flip_p_values(differences: Values, flips: int = FLIPS, seed: int = 0) -> dict[str, float]:
    """Two-sided p-values: how often random signs give a mean at least as far from 0 as the one observed.

    Args:
        differences: (Q,) per query, by metric; NaN is left out.
        flips: how many draws of signs; the smallest possible p-value is 1 / (flips + 1).
        seed: of the draws.
    """
    if not differences:
        return {}
    table = np.nan_to_num(np.stack(list(differences.values()), axis=1).astype(np.float64))  # (Q, M)
    observed = np.abs(table.sum(axis=0)) * (1 - 1e-12)  # equal sums may differ in the last bit
    rng, size = np.random.default_rng(seed), len(table)
    beyond = np.zeros(table.shape[1])
    for start in range(0, flips, step := max(1, FLIP_CELLS // max(1, size))):
        signs = rng.integers(0, 2, (min(step, flips - start), size)).astype(np.float64) * 2 - 1
        beyond += (np.abs(signs @ table) >= observed).sum(axis=0)
    return {name: float((1 + beyond[place]) / (1 + flips)) for place, name in enumerate(differences)}


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm 1979: the i-th smallest of m p-values times m - i + 1, never below the one before, at most 1.

    >>> [round(value, 2) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled)) if len(order) else scaled
    return [float(value) for value in adjusted]


def _names(first: Evaluation, second: Evaluation) -> list[str]:
    return [name for name in comparable(first, second) if is_aws_metric(name)]


def _shapes(first: Shown | None, second: Shown | None, seed: int) -> dict[str, Comparison]:
    """Coverage and Gini of two models' lists: p-values by swapping users' lists at random, intervals by resampling users.

    Resampling repeats lists and so lowers the coverage of both; the spread of the difference is kept, the shift is not.
    """
    if first is None or second is None:
        return {}
    one, other, size = _lists(first, second)
    rng, num_items = np.random.default_rng(seed), first.num_items
    draws = int(np.clip(DRAWN_CELLS // max(1, 2 * one.size), MIN_DRAWS, MAX_DRAWS))

    def difference(mine: Indexes, theirs: Indexes) -> NDArray[np.float64]:
        return _shape(theirs, size, num_items) - _shape(mine, size, num_items)

    observed = difference(one, other)
    swapped, drawn = np.zeros((draws, len(SHAPES))), np.zeros((draws // 2, len(SHAPES)))
    for draw in range(draws):
        swap = rng.random((len(one), 1)) < 0.5
        swapped[draw] = difference(np.where(swap, other, one), np.where(swap, one, other))
    for draw in range(len(drawn)):
        rows = rng.integers(0, len(one), len(one))
        drawn[draw] = difference(one[rows], other[rows])
    beyond = (np.abs(swapped) >= np.abs(observed) * (1 - 1e-12)).sum(axis=0)
    figures, spread = _shape(one, size, num_items), 1.96 * drawn.std(axis=0)
    return {
        name: Comparison(
            name,
            float(figures[place]),
            float(figures[place] + observed[place]),
            float(observed[place]),
            float(observed[place] - spread[place]),
            float(observed[place] + spread[place]),
            float((1 + beyond[place]) / (1 + draws)),
        )
        for place, name in enumerate(SHAPES)
    }


def _lists(first: Shown, second: Shown) -> tuple[Indexes, Indexes, int]:
    """Both models' (Q, K) lists in one numbering of the items that occur, -1 where there is none; and how many items."""
    names = list(dict.fromkeys([*first.item_ids.array.to_pylist(), *second.item_ids.array.to_pylist()]))
    joined = Ids(names)
    lists = []
    for shown in (first, second):
        place = np.append(joined.indexes(shown.item_ids.array.to_pylist()), -1)
        lists.append(place[shown.ranked[:, :DEPTH]])
    return lists[0], lists[1], len(names)


def _shape(lists: Indexes, size: int, num_items: int) -> NDArray[np.float64]:
    """(2,) coverage and Gini of lists over the first `size` items of a catalogue."""
    counts = exposures(lists, size)
    return np.array([np.count_nonzero(counts) / max(1, num_items), gini_of(counts, num_items)])


def _mean(values: NDArray[np.float32]) -> float:
    return float(np.nanmean(values, dtype=np.float64)) if np.isfinite(values).any() else 0.0
