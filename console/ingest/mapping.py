"""Which column of a file becomes which column of the schema, and how the file is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console.errors import JobError
from console.ingest.rows import ColumnPlan
from console.ingest.schema import DatasetSchema, Field
from console.ingest.sources import Block, CsvFormat, header_of
from console.storage import Location

JSONDict = dict[str, Any]
DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Source:
    """Where a schema's column comes from: a named column of the file, or a constant; `unit` as in ColumnPlan."""

    name: str = ""
    unit: str = ""
    constant: str | None = None


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


def plan(
    schema: DatasetSchema, reading: Reading, first: Block, location: Location
) -> tuple[CsvFormat, list[ColumnPlan], int, Block]:
    """Find the schema's columns in a file's first block; also returns the layout, the width and the block's rows.

    Raises:
        JobError: the file is empty, or columns that may not be null are missing.
    """
    if not first.data.strip():
        raise JobError(f"{location} is empty; expected is a header with the columns {', '.join(schema.names)}.")
    wanted = [source.name for source in reading.sources.values() if source.name] or list(schema.names)
    form = reading.form if reading.form.delimiter else _best_form(reading.form, first, wanted)
    header, rest = header_of(first, form)
    plans = [_plan(entry, header, reading) for entry in schema.fields]
    missing = [
        reading.sources[plan.field.name].name if plan.field.name in reading.sources else plan.field.name
        for plan in plans
        if plan.position is None and plan.constant is None and not plan.field.nullable
    ]
    if missing:
        found = ", ".join(name or '""' for name in header[:50])
        raise JobError(
            f"Input CSV is missing the following columns: [{', '.join(missing)}]. {location} has the columns {found}."
        )
    return form, plans, len(header), rest


def _best_form(form: CsvFormat, first: Block, wanted: Sequence[str]) -> CsvFormat:
    """The layout whose delimiter finds most of the wanted names in the header."""

    def found(delimiter: str) -> int:
        names = header_of(first, replace(form, delimiter=delimiter))[0]
        return len({name.upper() for name in names} & {name.upper() for name in wanted})

    return replace(form, delimiter=max(DELIMITERS, key=found))


def _plan(entry: Field, header: list[str], reading: Reading) -> ColumnPlan:
    source = reading.sources.get(entry.name)
    if source is None:
        return ColumnPlan(entry, None if reading.sources else _position(entry.name, header))
    position = _position(source.name, header) if source.name else None
    return ColumnPlan(entry, position, source.unit, source.constant)


def _position(name: str, header: list[str]) -> int | None:
    """The column of that name, whatever its case when none is spelt exactly so."""
    if name in header:
        return header.index(name)
    lower = [column.lower() for column in header]
    return lower.index(name.lower()) if name.lower() in lower else None
