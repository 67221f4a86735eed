"""What a column says in every row: read as a cell of a file is, and refused when the call is made where it cannot be."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pyarrow as pa

from console.errors import InvalidInputException
from console.ingest.schema import DatasetSchema
from console.models.base import JSONDict
from recipes.tables import cells, moments
from recipes.tables.amounts import NUMBER
from recipes.tables.field import Field


def with_constants(columns: Sequence[JSONDict], schema: DatasetSchema) -> list[JSONDict]:
    """The columns of CreateDatasetFromFile, each constant as the import takes it; a date becomes its epoch second.

    Raises:
        InvalidInputException: a column of `schema` cannot hold its constant.
    """
    fields = {field.name: field for field in schema.fields}
    return [
        column | {"constant": _read(column, fields[column["name"]])}
        if not column.get("source") and column["name"] in fields
        else column
        for column in columns
    ]


def _read(column: JSONDict, field: Field) -> str | None:
    text = str(column["constant"])
    unit = _unit(column, text, field) if field.is_time else ""
    latest = int(time.time()) + cells.MAX_SKEW_S
    values, rules = cells.check(field, pa.array([text], pa.string()), unit, column.get("decimal") or ".", latest)
    if rules[0]:
        raise InvalidInputException(f"Column {field.name}: the constant {text[:100]!r} {rules[0]}.", field="columns")
    value = values[0].as_py()
    return None if value is None else str(value).lower() if field.type == "boolean" else str(value)


def _unit(column: JSONDict, text: str, field: Field) -> str:
    """How a time is written: as the call says, else as it is recognised; ISO 8601 is what is asked for where it is not."""
    if column.get("timestampUnit"):
        return str(column["timestampUnit"])
    form = moments.recognise([text], named_time=True)
    if form.other:
        raise InvalidInputException(
            f"Column {field.name}: of the constant {text[:100]!r} day and month can be either way round; "
            f"give timestampUnit {form.unit} or {form.other}, or the date as in 2024-01-31.",
            field="columns",
        )
    return form.unit or ("" if re.fullmatch(NUMBER, text.strip(), re.ASCII) else "iso")
