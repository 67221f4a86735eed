"""Which column of a file becomes which column of the schema, and how the file is laid out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.errors import JobError
from console.ingest.schema import DatasetSchema
from recipes.tables.dialect import CsvFormat, column_key
from recipes.tables.field import Field
from recipes.tables.guess import column_name
from recipes.tables.moments import moment_of
from recipes.tables.rows import ColumnPlan
from recipes.tables.samples import SEPARATORS, understood, unit_words

JSONDict = dict[str, Any]
__all__ = ["SEPARATORS", "JSONDict", "Reading", "Source", "column_name", "epoch_of", "plan", "sample", "unit_words"]


@dataclass(frozen=True)
class Source:
    """Where a schema's column comes from: a named column of the file, or a constant; the rest as in ColumnPlan.

    `clock` is the name of the column of the time of day.
    """

    name: str = ""
    unit: str = ""
    constant: str | None = None
    decimal: str = ""
    separator: str = ""
    clock: str = ""


@dataclass(frozen=True)
class Reading:
    """How files are read: layout, and sources by schema column. Without sources columns are found by their names."""

    form: CsvFormat = field(default_factory=CsvFormat)
    sources: dict[str, Source] = field(default_factory=dict)

    @classmethod
    def from_options(cls, options: JSONDict) -> Reading:
        """Read what CreateDatasetFromFile has put into DatasetImportJob.options."""
        sources = {name: Source(**source) for name, source in options.get("sources", {}).items()}
        return cls(CsvFormat(**options.get("format", {})), sources)


def plan(schema: DatasetSchema, reading: Reading, header: list[str], name: str) -> list[ColumnPlan]:
    """Find the schema's columns among the columns `header` of the file called `name`.

    Raises:
        JobError: columns that may not be null are missing.
    """
    plans = [_plan(entry, header, reading) for entry in schema.fields]
    missing = [
        reading.sources[plan.field.name].name if plan.field.name in reading.sources else plan.field.name
        for plan in plans
        if plan.position is None and plan.constant is None and not plan.field.nullable
    ]
    if missing:
        found = ", ".join(column or '""' for column in header[:50])
        raise JobError(
            f"Input CSV is missing the following columns: [{', '.join(missing)}]. {name} has the columns {found}."
        )
    return plans


def _plan(entry: Field, header: list[str], reading: Reading) -> ColumnPlan:
    source = reading.sources.get(entry.name)
    if source is None:
        return ColumnPlan(entry, None if reading.sources else _position(entry.name, header))
    position = _position(source.name, header) if source.name else None
    clock = _position(source.clock, header) if source.clock else None
    return ColumnPlan(entry, position, source.unit, source.constant, source.decimal, source.separator, clock)


def epoch_of(date: str) -> str:
    """The epoch second of a date as browsers send it, "" if it is none.

    >>> epoch_of("2024-01-31"), epoch_of("soon")
    ('1706659200', '')
    """
    moment = moment_of(date, "iso")
    return f"{moment.timestamp():.0f}" if moment else ""


def sample(text: str, column: JSONDict) -> str:
    """A cell as a column of CreateDatasetFromFile would read it, for people; "" where it cannot."""
    given = (column.get(member) or "" for member in ("timestampUnit", "decimal", "separator"))
    return understood(text, column.get("type", "string"), *given)


def _position(name: str, header: list[str]) -> int | None:
    """The column of that name, whatever its case and punctuation when none is spelt exactly so."""
    if name in header:
        return header.index(name)
    for spelling in (str.lower, column_key):
        names = [spelling(column) for column in header]
        if spelling(name) and spelling(name) in names:
            return names.index(spelling(name))
    return None
