"""What people want to know of a dataset: rows, ids, time span, completeness and ranges; gathered while rows stream by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.ingest import hashing
from console.ingest.hashing import Hashes
from console.ingest.schema import DatasetSchema
from recipes.tables.field import TIME_COLUMNS, Field

JSONDict = dict[str, Any]
MAX_COUNTED = 1_000  # columns with more values are not counted value by value
MAX_DISTINCT = 2_000_000  # beyond, a metadata column's number of values is a lower bound
TOP = 20
TIMELINE_BINS = 60
DAY_S = 86_400
MAX_DAYS = 100_000


@dataclass
class ColumnFacts:
    """One column of one block."""

    nulls: int
    low: float | None = None
    high: float | None = None
    total: float = 0.0
    values: Hashes | None = None
    counts: Counter[str] | None = None
    days: Counter[int] | None = None


@dataclass
class Facts:
    """One block: the rows' hashes and its columns."""

    hashes: Hashes
    columns: dict[str, ColumnFacts]

    @property
    def rows(self) -> int:
        """How many rows the block holds."""
        return len(self.hashes)


def examine(table: pa.Table, schema: DatasetSchema) -> tuple[pa.Table, Facts, int]:
    """Drop the block's own duplicates and gather its facts.

    An event is a duplicate when all its columns are equal, an entity when its id is; then the last one counts.

    Returns:
        The other rows, columns encoded as they are stored; the facts; how many rows were dropped.
    """
    stored = schema.stored()
    columns = {field.name: encoded(table[field.name], field.type) for field in stored}
    known = {name: hashing.strings(c.dictionary) for name, c in columns.items() if isinstance(c, pa.DictionaryArray)}
    keys = [schema.key] if schema.key else stored.names
    hashes = hashing.combined(hashing.column(columns[name], known.get(name)) for name in keys)
    keep = hashing.first_positions([hashes], last=bool(schema.key))
    dropped = 0
    if keep is not None:
        hashes, dropped = hashes[keep], int((~keep).sum())
        columns = {name: values.filter(pa.array(keep)) for name, values in columns.items()}
    facts = {entry.name: _facts(entry, columns[entry.name], known.get(entry.name)) for entry in schema.fields}
    return pa.table(list(columns.values()), schema=stored), Facts(hashes, facts), dropped


def encoded(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """A column in one piece and of the type that is stored."""
    values = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    wanted = pa.types.is_dictionary(kind) and not pa.types.is_dictionary(values.type)
    return values.dictionary_encode() if wanted else values


def _facts(entry: Field, values: pa.Array, known: Hashes | None) -> ColumnFacts:
    facts = ColumnFacts(values.null_count)
    if known is not None:
        _count_values(facts, values, known, categorical=entry.categorical)
    elif pa.types.is_boolean(values.type):
        counts = pc.value_counts(values.drop_null()).to_pylist()
        facts.counts = Counter({str(count["values"]).lower(): count["counts"] for count in counts})
    elif not pa.types.is_string(values.type) and len(values) > values.null_count:
        span = pc.min_max(values).as_py()
        facts.low, facts.high, facts.total = (
            span["min"],
            span["max"],
            float(pc.sum(values.cast(pa.float64(), safe=False)).as_py()),
        )
        if entry.name in TIME_COLUMNS:
            facts.days = _count_days(np.asarray(values.drop_null(), np.int64) // DAY_S)
    return facts


def _count_days(days: NDArray[np.int64]) -> Counter[int]:
    first = int(days.min())
    if int(days.max()) - first > MAX_DAYS:
        return Counter(days.tolist())
    numbers = np.bincount(days - first)
    return Counter({first + int(day): int(numbers[day]) for day in np.flatnonzero(numbers)})


def _count_values(facts: ColumnFacts, values: pa.Array, known: Hashes, *, categorical: bool) -> None:
    occurrences = np.bincount(np.asarray(values.indices.drop_null()), minlength=len(known))
    facts.values = known[occurrences > 0]
    if len(known) <= 5 * MAX_COUNTED:
        facts.counts = _count(values.dictionary.to_pylist(), occurrences, categorical)


def _count(names: list[str], occurrences: Any, categorical: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, number in zip(names, occurrences.tolist(), strict=True):
        for part in name.split("|") if categorical else (name,):
            if part and number:
                counts[part] += number
    return counts


@dataclass
class _Sums:
    """One column over all blocks."""

    nulls: int = 0
    low: float | None = None
    high: float | None = None
    total: float = 0.0
    distinct: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    pending: list[Hashes] = field(default_factory=list)
    capped: bool = False
    counts: Counter[str] | None = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, facts: ColumnFacts, *, exact: bool) -> None:
        self.nulls += facts.nulls
        self.total += facts.total
        lows = [value for value in (self.low, facts.low) if value is not None]
        highs = [value for value in (self.high, facts.high) if value is not None]
        self.low, self.high = min(lows, default=None), max(highs, default=None)
        if facts.days:
            self.days.update(facts.days)
        self._count(facts)
        self._distinguish(facts, exact=exact)

    def _count(self, facts: ColumnFacts) -> None:
        if facts.counts is None and facts.values is not None:
            self.counts = None
        if self.counts is not None and facts.counts:
            self.counts.update(facts.counts)
            if len(self.counts) > 5 * MAX_COUNTED:
                self.counts = None

    def _distinguish(self, facts: ColumnFacts, *, exact: bool) -> None:
        if facts.values is None or (self.capped and not exact):
            return
        self.pending.append(facts.values)
        if sum(map(len, self.pending)) > max(len(self.distinct), 1 << 20):
            self.settle()
        self.capped = not exact and len(self.distinct) > MAX_DISTINCT

    def settle(self) -> None:
        if self.pending:
            self.distinct = hashing.distinct([self.distinct, *self.pending])
            self.pending = []


class Profile:
    """The facts of all blocks together."""

    def __init__(self, schema: DatasetSchema) -> None:
        """Gather for datasets of `schema`."""
        self._schema = schema
        self.rows = 0
        self._columns = {entry.name: _Sums() for entry in schema.fields}

    def add(self, facts: Facts) -> None:
        """Take in a block."""
        self.rows += facts.rows
        for name, column in facts.columns.items():
            self._columns[name].add(column, exact=name in self._schema.id_columns)

    def summary(self) -> JSONDict:
        """The dataset's statistics: `rows`, `users`, `items`, `first`, `last`, `event_types`, `timeline`, `columns`."""
        columns = {entry.name: self._column(entry) for entry in self._schema.fields}
        found: JSONDict = {"rows": self.rows, "columns": columns}
        for name, key in (("USER_ID", "users"), ("ITEM_ID", "items"), ("ACTION_ID", "actions")):
            if name in columns:
                found[key] = columns[name]["distinct"]
        if "TIMESTAMP" in columns:
            sums = self._columns["TIMESTAMP"]
            found |= {"first": sums.low, "last": sums.high, "timeline": _timeline(sums.days)}
        if "EVENT_TYPE" in columns:
            found["event_types"] = dict(columns["EVENT_TYPE"].get("top", []))
        return found

    def _column(self, entry: Field) -> JSONDict:
        sums = self._columns[entry.name]
        sums.settle()
        filled = self.rows - sums.nulls
        facts: JSONDict = {
            "type": entry.type,
            "kind": str(entry.kind),
            "nulls": sums.nulls,
            "completeness": filled / self.rows if self.rows else 0.0,
        }
        if entry.type == "string":
            split = sums.counts if entry.categorical else None  # "a|b" are two categories
            facts |= {
                "distinct": len(split) if split else len(sums.distinct),
                "distinct_is_lower_bound": sums.capped and not split,
            }
        elif sums.low is not None:
            facts |= {"min": sums.low, "max": sums.high, "mean": sums.total / filled if filled else None}
        if sums.counts and (len(sums.counts) <= MAX_COUNTED or entry.categorical):
            facts["top"] = [list(pair) for pair in sums.counts.most_common(TOP)]
        return facts


def _timeline(days: Counter[int]) -> JSONDict:
    """Events over time in equal bins: epoch second of the first bin, width and counts."""
    if not days:
        return {"start": None, "width": None, "counts": []}
    first, last = min(days), max(days)
    width = max(1, -(-(last - first + 1) // TIMELINE_BINS))
    counts = [0] * ((last - first) // width + 1)
    for day, number in days.items():
        counts[(day - first) // width] += number
    return {"start": first * DAY_S, "width": width * DAY_S, "counts": counts}
