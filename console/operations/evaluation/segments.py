"""Ours: for whom a version does well: by segment, and user by user against another version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException, InvalidNextTokenException, ResourceNotFoundException
from console.models import Account
from console.operations.base import operation
from console.operations.evaluation.evaluated import EvaluatedVersion, evaluated
from console.operations.evaluation.exposure import CUTOFF, HEADLINE, RESAMPLES
from console.serving.display import Cards
from console.serving.loader import MODEL_CACHE, LoadedModel
from console.shapes import JSONDict
from recipes.columns import Categorical, Column, Numeric
from recipes.evaluation import significance
from recipes.evaluation.intervals import bootstrap
from recipes.evaluation.shown import TIERS, Shown

BUCKETS = 4
MOST_VALUES = 8
MIN_QUERIES = 10  # queries of a segment that may be called the worst
PAGE = 25


@dataclass(frozen=True)
class Segment:
    """A part of the test: some of the users, or what is asked for cut down to some of the items."""

    kind: str
    label: str
    users: NDArray[np.bool_] | None = None
    items: NDArray[np.bool_] | None = None

    def values(self, shown: Shown, metric: str, k: int) -> NDArray[np.float32]:
        """(Q,) of the metric; NaN for those who are not in the segment."""
        found = shown.values(metric, k, self.items)
        return found if self.users is None else np.where(self.users, found, np.nan).astype(np.float32)


@operation
def get_metric_segments(
    account: Account,
    *,
    solution_version_arns: list[str],
    shared_evaluation_arn: str | None = None,
    metric: str = HEADLINE,
    cutoff: int = CUTOFF,
    column: str | None = None,
) -> JSONDict:
    """A metric by activity, by kinds of items and by a column of the users."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    loaded = MODEL_CACHE.get(entries[0].version.artefact)
    columns = [name for name, found in loaded.data.users.items() if isinstance(found, Numeric | Categorical)]
    if column and column not in columns:
        raise InvalidInputException(
            f"There is no column {column} of the users; there are {', '.join(columns) or 'none'}.", field="column"
        )
    parts = [list(_segments(entry.shown, loaded, column)) for entry in entries]
    tables = [_measured(entry.shown, own, metric, cutoff) for entry, own in zip(entries, parts, strict=True)]
    cells = _differences(entries, parts, metric, cutoff)
    return {
        "metric": metric, "cutoff": cutoff, "columns": columns, "column": column,
        "segments": [_row(segment, place, entries, tables, cells) for place, segment in enumerate(parts[0])],
        "worst": [
            found | {"solutionVersionArn": entry.arn}
            for entry, table in zip(entries, tables, strict=True)
            for found in _worst(parts[0], table)
        ],
    }  # fmt: skip


@operation
def compare_user_outcomes(
    account: Account,
    *,
    solution_version_arns: list[str],
    shared_evaluation_arn: str | None = None,
    metric: str = HEADLINE,
    cutoff: int = CUTOFF,
    order: str = "HURT_FIRST",
    next_token: str | None = None,
    max_results: int = PAGE,
) -> JSONDict:
    """The second version against the first, user by user."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    if len(entries) != 2:
        raise InvalidInputException("Give two different versions, the baseline first.", field="solutionVersionArns")
    shown = entries[0].shown
    before, after = (np.nan_to_num(entry.shown.values(metric, cutoff)) for entry in entries)
    difference = after - before
    ranked = np.argsort(difference if order == "HURT_FIRST" else -difference, kind="stable")
    start = _start(next_token)
    chosen = ranked[start : start + max_results]
    return {
        "users": [
            {
                "userId": shown.user_ids[int(row)], "events": int(shown.history_sizes[row]),
                "before": float(before[row]), "after": float(after[row]), "difference": float(difference[row]),
            }
            for row in chosen
        ],
        "helped": int((difference > 0).sum()), "hurt": int((difference < 0).sum()), "same": int((difference == 0).sum()),
        "nextToken": str(start + max_results) if start + max_results < len(ranked) else None,
    }  # fmt: skip


@operation
def get_judged_lists(
    account: Account,
    *,
    solution_version_arns: list[str],
    user_id: str,
    shared_evaluation_arn: str | None = None,
    cutoff: int = CUTOFF,
) -> JSONDict:
    """What one user was shown in the test, and what that user took."""
    entries = evaluated(account, solution_version_arns, shared_evaluation_arn)
    shown = entries[0].shown
    row = shown.user_ids.index(user_id)
    if row < 0:
        raise ResourceNotFoundException(
            f"The user {user_id} is not among the {len(shown.user_ids)} who were asked for in this test.",
            field="userId",
        )
    taken = list(dict.fromkeys(shown.truth[shown.offsets[row] : shown.offsets[row + 1]].tolist()))
    version = entries[0].version
    cards = Cards.of(MODEL_CACHE.get(version.artefact), version.solution.dataset_group_id)
    return {
        "lists": [{"solutionVersionArn": entry.arn, "items": _listed(entry, user_id, cards, cutoff)} for entry in entries],
        "taken": [_item(cards, shown.item_ids[item]) for item in taken],
        "told": int(shown.history_sizes[row]),
    }  # fmt: skip


def _listed(entry: EvaluatedVersion, user_id: str, cards: Cards, cutoff: int) -> list[JSONDict]:
    shown = entry.shown
    row = shown.user_ids.index(user_id)
    taken = set(shown.truth[shown.offsets[row] : shown.offsets[row + 1]].tolist())
    return [
        _item(cards, shown.item_ids[item]) | {"isHit": item in taken}
        for item in shown.ranked[row, :cutoff].tolist()
        if item >= 0
    ]


def _item(cards: Cards, item_id: str) -> JSONDict:
    return {"itemId": item_id, "title": cards.title(cards.loaded.data.item_ids.index(item_id))}


def _start(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdecimal():
        raise InvalidNextTokenException(
            f"nextToken {token[:40]} is not one of this list; pass on the token of its last page.", field="nextToken"
        )
    return int(token)


def _segments(shown: Shown, loaded: LoadedModel, column: str | None) -> Iterator[Segment]:
    for label, users in _buckets(shown.history_sizes.astype(np.float64), "events"):
        yield Segment("activity", label, users=users)
    yield Segment("items", "new items", items=shown.is_new)
    yield Segment("items", "older items", items=~shown.is_new)
    for place, tier in enumerate(TIERS):
        yield Segment("items", f"{tier} of the catalogue", items=shown.tiers == place)
    if column:
        rows = loaded.data.user_ids.indexes(shown.user_ids.array.to_pylist())
        for label, users in _by_column(loaded.data.users[column], rows):
            yield Segment(column, label, users=users)


def _by_column(column: Column, rows: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if isinstance(column, Numeric):
        yield from _buckets(np.where(rows >= 0, column.values[rows], np.nan), "")
        return
    assert isinstance(column, Categorical)  # noqa: S101  only such columns are offered
    sizes = np.diff(column.offsets)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    member = np.zeros((len(column.categories), len(sizes) + 1), bool)  # the last one is for -1
    member[column.codes, owner] = True
    asked = member[:, rows]
    for code in np.argsort(-asked.sum(axis=1), kind="stable")[:MOST_VALUES]:
        if asked[code].any():
            yield column.categories[code], asked[code]


def _buckets(values: NDArray[np.float64], unit: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Quarters of about the same size, named by their least and greatest value."""
    known = values[~np.isnan(values)]
    if not len(known):
        return
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BUCKETS + 1)))
    inner = edges[1:-1]
    place = np.where(np.isnan(values), -1, np.searchsorted(inner, values, "left"))
    for bucket in range(len(inner) + 1):
        users = place == bucket
        if users.any():
            low, high = values[users].min(), values[users].max()
            label = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            yield f"{label} {unit}".strip(), users


def _measured(shown: Shown, segments: list[Segment], metric: str, k: int) -> list[JSONDict]:
    """The whole first, then each segment: value, interval, queries."""
    values = {str(place): segment.values(shown, metric, k) for place, segment in enumerate(segments)}
    values["all"] = shown.values(metric, k)
    intervals = bootstrap(values, RESAMPLES)
    return [_figure(values[key], intervals[key]) for key in ("all", *map(str, range(len(segments))))]


def _figure(values: NDArray[np.float32], interval: tuple[float, float]) -> JSONDict:
    count = int(np.count_nonzero(~np.isnan(values)))
    if not count:
        return {"queries": 0}
    return {"queries": count, "value": float(np.nanmean(values)), "low": interval[0], "high": interval[1]}


def _differences(
    entries: list[EvaluatedVersion], parts: list[list[Segment]], metric: str, k: int
) -> dict[str, significance.Cell]:
    """By "place of the segment/ARN": each version against the first one, all of them evaluated together."""
    found: dict[str, NDArray[np.float32]] = {}
    for place, first in enumerate(parts[0]):
        baseline = first.values(entries[0].shown, metric, k)
        for entry, own in zip(entries[1:], parts[1:], strict=True):
            if place < len(own) and own[place].label == first.label:
                found[f"{place}/{entry.arn}"] = own[place].values(entry.shown, metric, k) - baseline
    return significance.matrix(found)


def _cell_wire(cell: significance.Cell | None) -> JSONDict:
    if cell is None:
        return {}
    return {
        "difference": cell.difference, "differenceLow": cell.low, "differenceHigh": cell.high, "p": cell.adjusted,
        "verdict": cell.verdict,
    }  # fmt: skip


def _row(
    segment: Segment,
    place: int,
    entries: list[EvaluatedVersion],
    tables: list[list[JSONDict]],
    cells: dict[str, significance.Cell],
) -> JSONDict:
    found = [table[place + 1] for table in tables]
    return {
        "kind": segment.kind, "label": segment.label, "numQueries": found[0]["queries"],
        "values": [
            {"solutionVersionArn": entry.arn}
            | {name: one[name] for name in ("value", "low", "high") if name in one}
            | _cell_wire(cells.get(f"{place}/{entry.arn}"))
            for entry, one in zip(entries, found, strict=True)
        ],
    }  # fmt: skip


def _worst(segments: list[Segment], table: list[JSONDict]) -> Iterator[JSONDict]:
    """Of the segments of users and of those of items, the one with the lowest value, where it is surely below the whole."""
    whole = table[0].get("value", 0.0)
    for of_items in (False, True):
        below = [
            (one["value"], place)
            for place, one in enumerate(table[1:])
            if (segments[place].items is not None) == of_items and one["queries"] >= MIN_QUERIES and one["high"] < whole
        ]
        if below:
            value, place = min(below)
            one = table[place + 1]
            yield {
                "kind": segments[place].kind, "label": segments[place].label, "value": value, "low": one["low"],
                "high": one["high"], "overall": whole, "numQueries": one["queries"],
            }  # fmt: skip
