"""One value of a column as programs send it, converted and refused as a cell of a file is."""

from __future__ import annotations

import math
import re
from typing import Any

import pyarrow as pa

from recipes.tables import cells
from recipes.tables.field import MAX_TEXT_LENGTH, Field

Scalar = str | int | float | bool


def value_of(field: Field, value: object, latest: int = cells.MAX_TIME) -> Any:
    """The value as `field` keeps it; None for text that stands for nothing, such as "N/A" for a number.

    Args:
        field: the column.
        value: text, a number or a boolean; any of them may stand for text.
        latest: the newest time that an event may have, epoch seconds.

    Raises:
        ValueError: the column cannot hold it; says which rule it breaks.
    """
    if not isinstance(value, Scalar):
        raise ValueError("is neither text nor a number nor a boolean")  # noqa: TRY004  of data, not of an argument
    if field.type == "string":
        return _text(field, value)
    if isinstance(value, bool):
        if field.type != "boolean":
            raise ValueError("is not a number")
        return value
    if field.type in {"float", "double"} and not isinstance(value, str):
        return _finite(value)
    values, rules = cells.check(field, pa.array([_written(value)], pa.string()), "", ".", latest)
    broken = [rule for rule in rules.tolist() if rule and rule != cells.REQUIRED]
    if broken:
        raise ValueError(broken[0])
    return values[0].as_py()


def _text(field: Field, value: Scalar) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    most = field.max_length or MAX_TEXT_LENGTH
    if len(text) > most and (field.is_id or not re.match(cells.VECTOR, text)):
        raise ValueError(f"has more than {most:,} characters")
    return text


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("does not fit into 64 bits")
    return number


def _written(value: str | float) -> str:
    """The value as a file has it; whole floats in all their digits."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
