"""What data are like before anyone trains on them: statistics of every dataset and column, and what to be warned of.

The parts are those of Amazon Personalize's data insights; thresholds are its own where it names them. Everything is plain
values, ready for JSON by `dataclasses.asdict`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.columns import Kind, guess_kind

MIN_INTERACTIONS, MIN_USERS, MIN_EVENTS = 1000, 25, 2
COMPLETE, TEXT_COMPLETE = 0.7, 0.85
MAX_CATEGORIES, MAX_EVENT_TYPES = 1000, 10
ALONE = 0.5  # share of items or users without interactions that is worth a word
SAME_MOMENT = 0.3  # share of events that share user and timestamp with another: their order is unknown
FAR = 3.0  # times the middle half's width beyond it, past which a number is an outlier
OUTLIERS = 0.01  # share of them that is worth a word
BARS, TOP = 20, 20
LATEST = 4_102_444_800  # the year 2100, in seconds: later timestamps are milliseconds
KEYS = {"USER_ID", "ITEM_ID", "ACTION_ID"}


@dataclass(frozen=True)
class Bar:
    """One bar of a distribution: a category, or a range of numbers from `low` to `high`."""

    count: int
    label: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    Attributes:
        name: as in the schema.
        kind: how it is read: numeric, categorical, text or label.
        missing: rows without a value.
        completeness: share of rows with one, 0 to 1.
        unique: distinct values; of categorical columns, distinct categories.
        minimum, maximum, mean, median: of numbers.
        outliers: numbers far from the middle half.
        distribution: a histogram of numbers, or the most frequent categories.
    """

    name: str
    kind: str
    missing: int
    completeness: float
    unique: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    median: float | None = None
    outliers: int = 0
    distribution: list[Bar] = field(default_factory=list)


@dataclass(frozen=True)
class DatasetProfile:
    """One dataset: `rows`, `incomplete_rows` with a missing value, and its columns."""

    dataset: str
    rows: int
    incomplete_rows: int
    columns: list[ColumnProfile]

    def column(self, name: str) -> ColumnProfile:
        """The profile of one column.

        Raises:
            KeyError: there is none of that name.
        """
        return {column.name: column for column in self.columns}[name]


@dataclass(frozen=True)
class EventsProfile:
    """Who did how much, and when.

    Attributes:
        users, items: distinct ones.
        repeating_users: users with at least two interactions.
        per_user, per_item: mean interactions.
        first, last: epoch seconds of the oldest and newest.
        same_moment: share of interactions at the same moment as another of the same user.
        event_types: interactions by type, most frequent first.
        items_alone, users_alone: ids of Items and Users without interactions; None without that dataset.
    """

    users: int
    items: int
    repeating_users: int
    per_user: float
    per_item: float
    first: int | None
    last: int | None
    same_moment: float
    event_types: dict[str, int]
    items_alone: int | None = None
    users_alone: int | None = None


@dataclass(frozen=True)
class Insight:
    """Something to know before training; `blocking` if it cannot succeed as it is."""

    code: str
    message: str
    dataset: str
    column: str | None = None
    value: float | None = None
    blocking: bool = False


@dataclass(frozen=True)
class Profile:
    """All there is to know of a dataset group's data."""

    datasets: dict[str, DatasetProfile]
    events: EventsProfile | None
    insights: list[Insight]


def profile(tables: Mapping[str, pa.Table], kinds: Mapping[str, Mapping[str, Kind]] | None = None) -> Profile:
    """Look at all of the data.

    Args:
        tables: by dataset type: "INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS".
        kinds: by dataset type and column, as in `TrainingData.from_tables`; guessed where nothing is said.
    """
    kinds = kinds or {}
    datasets = {name: profile_dataset(name, table, kinds.get(name)) for name, table in tables.items()}
    events = profile_events(tables) if "INTERACTIONS" in tables else None
    insights = [
        *(_of_events(events, datasets) if events else ()),
        *(insight for dataset in datasets.values() for insight in _of_dataset(dataset)),
    ]
    return Profile(datasets, events, sorted(insights, key=lambda insight: not insight.blocking))


def profile_dataset(name: str, table: pa.Table, kinds: Mapping[str, Kind] | None = None) -> DatasetProfile:
    """Statistics of one dataset and its columns."""
    missing = np.zeros(table.num_rows, bool)
    columns = []
    for column in table.column_names:
        values = table[column].combine_chunks()
        values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        absent = _absent(values)
        missing |= absent
        columns.append(
            _profile_column(column, values.filter(pa.array(~absent)), int(absent.sum()), (kinds or {}).get(column))
        )
    return DatasetProfile(name, table.num_rows, int(missing.sum()), columns)


def profile_events(tables: Mapping[str, pa.Table]) -> EventsProfile:
    """Who did how much and when, over the table "INTERACTIONS" and, where given, "ITEMS" and "USERS"."""
    table = tables["INTERACTIONS"]
    users, items = (pc.value_counts(_strings(table[name])) for name in ("USER_ID", "ITEM_ID"))
    counts = users.field("counts").to_numpy()
    times = table["TIMESTAMP"].cast(pa.int64(), safe=False)
    types: dict[str, int] = {}
    if "EVENT_TYPE" in table.column_names:
        found = pc.value_counts(pc.drop_null(_strings(table["EVENT_TYPE"]))).to_pylist()
        types = {each["values"]: each["counts"] for each in sorted(found, key=lambda each: -each["counts"])}
    return EventsProfile(
        len(users),
        len(items),
        int(np.count_nonzero(counts >= MIN_EVENTS)),
        table.num_rows / max(1, len(users)),
        table.num_rows / max(1, len(items)),
        pc.min(times).as_py(),
        pc.max(times).as_py(),
        _same_moment(table["USER_ID"], times),
        types,
        _alone(tables.get("ITEMS"), "ITEM_ID", items),
        _alone(tables.get("USERS"), "USER_ID", users),
    )


def _same_moment(users: pa.ChunkedArray, times: pa.ChunkedArray) -> float:
    """The share of events whose user has another at the same time; by sorting, as a table of all moments would not fit."""
    if len(users) < 2:
        return 0.0
    codes = np.asarray(_strings(users).dictionary_encode().indices.fill_null(-1), np.int64) + 1
    moments = times.fill_null(0).to_numpy()
    span = int(moments.max()) - int(moments.min()) + 1
    if int(codes.max() + 1) * span >= 2**63:
        moments = np.unique(moments, return_inverse=True)[1]
        span = len(moments)
    keys = codes * span + (moments - moments.min())
    keys.sort()
    same = keys[1:] == keys[:-1]
    return float(np.count_nonzero(np.append(same, False) | np.insert(same, 0, False)) / len(keys))


def _alone(entities: pa.Table | None, key: str, seen: pa.StructArray) -> int | None:
    if entities is None:
        return None
    listed = pc.unique(pc.drop_null(_strings(entities[key])))
    return len(listed) - int(pc.sum(pc.is_in(listed, seen.field("values"))).as_py() or 0)


def _absent(values: pa.Array) -> NDArray[np.bool_]:
    """(R,) rows without a value: null, an empty string, not a number."""
    absent = np.asarray(pc.is_null(values, nan_is_null=True))
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        absent = absent | np.asarray(pc.fill_null(pc.equal(values, ""), fill_value=True))
    return absent


def _profile_column(name: str, known: pa.Array, missing: int, kind: Kind | None) -> ColumnProfile:
    """From the values that are there."""
    rows = len(known) + missing
    kind = Kind.LABEL if name in KEYS else kind or (guess_kind(known) if len(known) else Kind.LABEL)
    completeness = len(known) / rows if rows else 1.0
    if kind is Kind.NUMERIC:
        numbers = pc.cast(known, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return _numeric(name, numbers, missing, completeness)
    values = _strings(known)
    if kind is Kind.CATEGORICAL:
        values = pc.split_pattern(values, "|").flatten()
    counted = pc.value_counts(values)
    counts = counted.field("counts").to_numpy(zero_copy_only=False)
    most = np.argsort(-counts, kind="stable")[:TOP] if kind is Kind.CATEGORICAL or len(counts) <= TOP else ()
    bars = [Bar(int(counts[place]), counted.field("values")[int(place)].as_py()) for place in most]
    return ColumnProfile(name, kind.value, missing, completeness, len(counted), distribution=bars)


def _numeric(name: str, numbers: NDArray[np.float64], missing: int, completeness: float) -> ColumnProfile:
    if not len(numbers):
        return ColumnProfile(name, Kind.NUMERIC.value, missing, completeness, 0)
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    width = FAR * (high - low)
    outliers = np.count_nonzero((numbers < low - width) | (numbers > high + width)) if width > 0 else 0
    counts, edges = np.histogram(numbers, bins=BARS)
    bars = [
        Bar(int(count), low=float(left), high=float(right))
        for count, left, right in zip(counts, edges, edges[1:], strict=False)
    ]
    return ColumnProfile(
        name,
        Kind.NUMERIC.value,
        missing,
        completeness,
        len(np.unique(numbers)),
        float(numbers.min()),
        float(numbers.max()),
        float(numbers.mean()),
        float(middle),
        int(outliers),
        bars,
    )


def _strings(values: Any) -> Any:
    return (
        pc.cast(values, pa.string()).combine_chunks()
        if isinstance(values, pa.ChunkedArray)
        else pc.cast(values, pa.string())
    )


def _of_events(events: EventsProfile, datasets: Mapping[str, DatasetProfile]) -> Iterator[Insight]:
    name, rows = "INTERACTIONS", datasets["INTERACTIONS"].rows
    if rows < MIN_INTERACTIONS:
        text = f"There are {rows:,} interactions; training needs at least {MIN_INTERACTIONS:,}."
        yield Insight("too_few_interactions", text, name, value=rows, blocking=True)
    if events.repeating_users < MIN_USERS:
        text = f"{events.repeating_users} users have two or more interactions; training needs at least {MIN_USERS}."
        yield Insight("too_few_users", text, name, value=events.repeating_users, blocking=True)
    if len(events.event_types) > MAX_EVENT_TYPES:
        text = f"There are {len(events.event_types)} event types; training allows {MAX_EVENT_TYPES}."
        yield Insight("many_event_types", text, name, "EVENT_TYPE", len(events.event_types), blocking=True)
    if events.same_moment > SAME_MOMENT:
        text = f"{events.same_moment:.0%} of the interactions are at the same moment as another of the same user: their order is unknown."
        yield Insight("same_timestamp", text, name, "TIMESTAMP", events.same_moment)
    if events.last is not None and events.last > LATEST:
        text = "Timestamps lie beyond the year 2100: they are probably milliseconds, seconds are expected."
        yield Insight("far_future", text, name, "TIMESTAMP", events.last)
    for dataset, alone in (("ITEMS", events.items_alone), ("USERS", events.users_alone)):
        if alone is not None and alone > ALONE * datasets[dataset].rows:
            text = f"{alone:,} of {datasets[dataset].rows:,} {dataset.lower()} have no interaction."
            yield Insight(f"{dataset.lower()}_without_interactions", text, dataset, value=alone)


def _of_dataset(dataset: DatasetProfile) -> Iterator[Insight]:
    if dataset.incomplete_rows:
        text = f"{dataset.incomplete_rows:,} of {dataset.rows:,} rows miss at least one value."
        yield Insight("missing_values", text, dataset.dataset, value=dataset.incomplete_rows)
    for column in dataset.columns:
        yield from _of_column(column, dataset)


def _of_column(column: ColumnProfile, dataset: DatasetProfile) -> Iterator[Insight]:
    where = (dataset.dataset, column.name)
    if column.kind == Kind.TEXT and column.completeness < TEXT_COMPLETE:
        text = f"{column.name} is {column.completeness:.0%} complete; texts are used from {TEXT_COMPLETE:.0%} on."
        yield Insight("incomplete_text", text, *where, column.completeness)
    elif column.completeness < COMPLETE:
        text = f"{column.name} is {column.completeness:.0%} complete; columns below {COMPLETE:.0%} teach little."
        yield Insight("incomplete_column", text, *where, column.completeness)
    if column.kind == Kind.CATEGORICAL and column.unique > MAX_CATEGORIES:
        text = f"{column.name} has {column.unique:,} categories; more than {MAX_CATEGORIES:,} seldom help."
        yield Insight("many_categories", text, *where, column.unique)
    if column.outliers > OUTLIERS * dataset.rows and not column.name.endswith("TIMESTAMP"):
        text = f"{column.name} has {column.outliers:,} values far from the rest (median {column.median:g}, from {column.minimum:g} to {column.maximum:g})."
        yield Insight("outliers", text, *where, column.outliers)
