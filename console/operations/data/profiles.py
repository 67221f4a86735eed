"""What a dataset holds, for people: counts, ranges and warnings (AWS's console calls it data insights)."""

from __future__ import annotations

from collections.abc import Iterator

from console.models import Account, Dataset
from console.models.base import JSONDict
from console.operations.base import operation
from console.operations.data.datasets import find_dataset
from console.streamed import streamed_types
from recipes.columns import Kind

MIN_INTERACTIONS = 1_000
MIN_COMPLETENESS, MIN_TEXT_COMPLETENESS = 0.7, 0.85
MAX_CATEGORIES, MAX_EVENT_TYPES = 1_000, 10
WARNING, NOTE = "warning", "note"


@operation
def profile_dataset(account: Account, *, dataset_arn: str) -> JSONDict:
    """Statistics of the bulk rows as the last import counted them, and what in them may harm recommendations."""
    dataset = find_dataset(account, dataset_arn)
    facts = dataset.statistics
    timeline = facts.get("timeline") or {}
    return {
        "datasetArn": dataset.arn,
        "datasetType": dataset.type,
        "rows": dataset.rows,
        "streamedRows": _streamed(dataset),
        "bytes": facts.get("bytes"),
        "users": facts.get("users"),
        "items": facts.get("items"),
        "actions": facts.get("actions"),
        "interactionsPerUser": _mean(dataset, "users"),
        "interactionsPerItem": _mean(dataset, "items"),
        "first": facts.get("first"),
        "last": facts.get("last"),
        "eventTypes": _pairs(facts.get("event_types", {}).items()),
        "timeline": {
            "start": timeline.get("start"),
            "widthSeconds": timeline.get("width"),
            "counts": timeline.get("counts"),
        },
        "columns": [_column(name, column) for name, column in facts.get("columns", {}).items()],
        "insights": [{"level": level, "text": text} for level, text in _insights(dataset)],
    }


def _streamed(dataset: Dataset) -> int:
    is_action = dataset.type == "ACTION_INTERACTIONS"
    if dataset.type == "INTERACTIONS" or is_action:
        return streamed_types(dataset.dataset_group, is_action=is_action).total()
    return dataset.records.count()


def _mean(dataset: Dataset, what: str) -> float | None:
    distinct = dataset.statistics.get(what)
    return dataset.rows / distinct if distinct and dataset.type == "INTERACTIONS" else None


def _pairs(pairs: object) -> list[JSONDict]:
    return [{"value": value, "count": count} for value, count in pairs]  # type: ignore[attr-defined]


def _column(name: str, facts: JSONDict) -> JSONDict:
    kept = {key: facts.get(key) for key in ("type", "kind", "nulls", "completeness", "distinct", "min", "max", "mean")}
    return kept | {
        "name": name,
        "distinctIsLowerBound": facts.get("distinct_is_lower_bound"),
        "top": _pairs(facts.get("top", [])),
    }


def _insights(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """What people should know, the gravest first."""
    if not dataset.parts:
        yield NOTE, "Nothing was imported in bulk yet."
        return
    if dataset.type == "INTERACTIONS":
        yield from _of_interactions(dataset)
    yield from _of_other_dataset(dataset)
    for name, facts in dataset.statistics.get("columns", {}).items():
        yield from _of_column(name, facts)


def _of_interactions(dataset: Dataset) -> Iterator[tuple[str, str]]:
    facts = dataset.statistics
    if dataset.rows < MIN_INTERACTIONS:
        yield WARNING, f"{dataset.rows:,} interactions; training needs at least {MIN_INTERACTIONS:,}."
    if len(facts.get("event_types", {})) > MAX_EVENT_TYPES:
        yield WARNING, f"{len(facts['event_types'])} event types; training takes at most {MAX_EVENT_TYPES}."
    if facts.get("users") and dataset.rows / facts["users"] < 2:
        yield (
            WARNING,
            f"{dataset.rows / facts['users']:.1f} interactions a user; most users show no pattern to learn from.",
        )
    if facts.get("first") is not None and facts["first"] == facts["last"] and dataset.rows > 1:
        yield WARNING, "All interactions have the same timestamp, so their order is unknown."


def _of_other_dataset(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Entities that have no interactions, as far as the counts tell."""
    counted = {"ITEMS": "items", "USERS": "users"}.get(dataset.type)
    events = dataset.dataset_group.datasets.filter(type="INTERACTIONS").first()
    active = events.statistics.get(counted) if events and counted else None
    if active is None:
        return
    if dataset.rows > active:
        share = 1 - active / dataset.rows
        yield (
            NOTE,
            f"At least {100 * share:.0f} % of the {counted} have no interactions; only their metadata can recommend them.",
        )


def _of_column(name: str, facts: JSONDict) -> Iterator[tuple[str, str]]:
    completeness, kind = facts["completeness"], facts["kind"]
    if kind == Kind.TEXT and completeness < MIN_TEXT_COMPLETENESS:
        yield (
            WARNING,
            f"Only {100 * completeness:.0f} % of {name} is filled; text helps from {100 * MIN_TEXT_COMPLETENESS:.0f} % on.",
        )
    elif completeness < MIN_COMPLETENESS:
        yield WARNING, f"Only {100 * completeness:.0f} % of {name} is filled."
    elif facts["nulls"]:
        yield NOTE, f"{facts['nulls']:,} rows have no {name}."
    if kind == Kind.CATEGORICAL and facts.get("distinct", 0) > MAX_CATEGORIES:
        yield NOTE, f"{name} has {facts['distinct']:,} different values; rare categories teach little."
