"""Ours: what the tests of versions showed to people: how concentrated it was, and which share popular and new items had."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Account
from console.operations.base import operation
from console.operations.evaluation.evaluated import EvaluatedVersion, evaluated
from console.serving.loader import MODEL_CACHE
from console.shapes import JSONDict
from recipes.columns import Categorical, Kind
from recipes.data import TrainingData
from recipes.evaluation.intervals import bootstrap
from recipes.evaluation.shown import KEPT, TIERS, Shown, gini_curve

CUTOFF = 10
MOST_CATEGORIES = 12
HEADLINE = "normalized_discounted_cumulative_gain"
RESAMPLES = 300


@operation
def get_recommendation_exposure(
    account: Account,
    *,
    solution_version_arns: list[str],
    shared_evaluation_arn: str | None = None,
    column: str | None = None,
    cutoff: int = CUTOFF,
) -> JSONDict:
    """How the places of all lists were shared out among the catalogue's items."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    first = entries[0].shown
    data = MODEL_CACHE.get(entries[0].version.artefact).data
    columns = [n for n, c in data.items.items() if isinstance(c, Categorical) and c.kind is Kind.CATEGORICAL]
    if column and column not in columns:
        raise InvalidInputException(
            f"There is no categorical column {column} of the items; there are {', '.join(columns) or 'none'}.", field="column"
        )  # fmt: skip
    chosen = column or next(iter(columns), None)
    asked = np.bincount(first.truth, minlength=len(first.item_ids))
    return {
        "columns": columns, "column": chosen, "cutoff": cutoff, "numItems": first.num_items,
        "taken": _tiers(first, asked),
        "newCatalogue": first.new_items / max(1, first.num_items), "newTaken": _share(asked[first.is_new], asked),
        "versions": [_exposed(entry, data, chosen, cutoff) for entry in entries],
    }  # fmt: skip


@operation
def get_metric_curve(
    account: Account,
    *,
    solution_version_arns: list[str],
    shared_evaluation_arn: str | None = None,
    metric: str = HEADLINE,
) -> JSONDict:
    """A metric for every length of the list."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    return {"metric": metric, "curves": [_curve(entry, metric) for entry in entries]}


def _curve(entry: EvaluatedVersion, metric: str) -> JSONDict:
    values = {str(k): entry.shown.values(metric, k) for k in range(1, KEPT + 1)}
    intervals = bootstrap(values, RESAMPLES)
    points = [
        {"k": int(k), "value": float(np.nanmean(found)), "low": intervals[k][0], "high": intervals[k][1]}
        for k, found in values.items()
    ]
    return {"solutionVersionArn": entry.arn, "points": points}


def _exposed(entry: EvaluatedVersion, data: TrainingData, column: str | None, cutoff: int) -> JSONDict:
    shown = entry.shown
    exposure = shown.exposure(cutoff)
    curve = gini_curve(exposure, shown.num_items)
    return {
        "solutionVersionArn": entry.arn,
        "coverage": np.count_nonzero(exposure) / max(1, shown.num_items),
        "gini": _gini(exposure, shown.num_items),
        "curve": [{"items": items, "share": share} for items, share in curve],
        "tiers": _tiers(shown, exposure),
        "newItems": _share(exposure[shown.is_new], exposure),
        "categories": _categories(shown, exposure, data, column) if column else [],
    }


def _tiers(shown: Shown, weights: NDArray[np.int64]) -> list[JSONDict]:
    """Each tier's share of the weights beside its share of the catalogue."""
    return [
        {
            "value": name,
            "recommended": _share(weights[shown.tiers == place], weights),
            "catalogue": float(shown.tier_sizes[place] / max(1, shown.num_items)),
        }
        for place, name in enumerate(TIERS)
    ]


def _categories(shown: Shown, exposure: NDArray[np.int64], data: TrainingData, column: str) -> list[JSONDict]:
    """The categories with most items: their share of the places and of the catalogue; an item of several counts in parts."""
    found = data.items[column]
    assert isinstance(found, Categorical)  # noqa: S101  only such columns are offered
    everything = _by_category(found, np.ones(data.num_items))
    weights = np.zeros(data.num_items)
    rows = data.item_ids.indexes(shown.item_ids.array.to_pylist())
    known = rows >= 0
    weights[rows[known]] = exposure[known]
    recommended = _by_category(found, weights)
    order = np.argsort(-everything, kind="stable")[:MOST_CATEGORIES]
    return [
        {
            "value": found.categories[code],
            "recommended": float(recommended[code] / max(1e-12, recommended.sum())),
            "catalogue": float(everything[code] / max(1e-12, everything.sum())),
        }
        for code in order
    ]


def _by_category(column: Categorical, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.diff(column.offsets)
    parts = np.repeat(weights / np.maximum(sizes, 1), sizes)
    return np.bincount(column.codes, parts, minlength=len(column.categories)).astype(np.float64)


def _gini(exposure: NDArray[np.int64], num_items: int) -> float:
    """0 if all items are shown equally often, near 1 if always the same few."""
    ordered = np.sort(exposure)
    total = int(ordered.sum())
    if total == 0:
        return 0.0
    ranks = np.arange(num_items - len(ordered) + 1, num_items + 1)
    return float(2 * (ranks * ordered).sum() / (num_items * total) - (num_items + 1) / num_items)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> float:
    return float(part.sum() / max(1, whole.sum()))
