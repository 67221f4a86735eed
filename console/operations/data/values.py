"""One value of a column as it comes in a JSON request: held to the column's type."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from botocore.utils import parse_to_aware_datetime

from console.errors import InvalidInputException
from console.json_values import is_storable, shown
from recipes.tables.cells import MAX_SKEW_S
from recipes.tables.field import MAX_TEXT_LENGTH, Field
from recipes.tables.values import value_of

LIKELY_FROM_S = 631_152_000  # 1990; as milliseconds a smaller number is an older event, and as seconds the better guess
ANY = {bool: "boolean", int: "long", float: "double", str: "string"}


def column_value(field: Field | None, value: object, path: str) -> Any:
    """`value` as the column keeps it, by the rules of files; of an unknown column (None) as any scalar.

    Numbers may come as strings, and any scalar may stand for a string.

    Raises:
        InvalidInputException: it cannot be read so; names the place, the value, the rule and what is allowed.
    """
    kind = ANY.get(type(value), "string") if field is None else field.type
    try:
        found = value_of(field or Field("", kind, nullable=True), value)
        if isinstance(found, str) and not is_storable(found):
            raise ValueError("holds characters that cannot be kept")  # noqa: TRY301  raised like all others
    except ValueError as rule:
        hint = ""
        if isinstance(value, list):
            hint = f" Several categories are one text separated by |: {json.dumps(_joined(value), ensure_ascii=False)}."
        message = f"{path} is {shown(value)}, allowed is {_allowed(kind)}; it {rule}.{hint}"
        raise InvalidInputException(message, field="properties") from None
    return found


def _joined(values: list[Any]) -> str:
    """What a list's sender may have meant, short.

    >>> _joined(["Action", "Comedy"]), _joined([])
    ('Action|Comedy', 'Action|Comedy')
    """
    words = [str(value) for value in values[:3] if isinstance(value, str | int | float)]
    return "|".join(words)[:100] or "Action|Comedy"


def epoch_seconds(moment: float | str | datetime) -> int:
    """A time of a request, which its shape has found to be one, in whole seconds."""
    if isinstance(moment, int | float):
        return int(moment)
    return int(parse_to_aware_datetime(moment).timestamp())


def event_seconds(moment: float | str | datetime, path: str) -> int:
    """When an event happened: from 1970 until a day ahead of the clock, as in files.

    Raises:
        InvalidInputException: it lies outside; an event of the future would make all others old.
    """
    seconds, latest = epoch_seconds(moment), int(time.time()) + MAX_SKEW_S
    if not 0 <= seconds <= latest:
        hint = " It looks like milliseconds." if LIKELY_FROM_S <= seconds // 1000 <= latest else ""
        raise InvalidInputException(
            f"{path} is {moment}; allowed are seconds from 1970 until at most a day ahead of the server's clock.{hint}",
            field=path.partition("[")[0],
        )
    return seconds


def _allowed(kind: str) -> str:
    match kind:
        case "boolean":
            return "true or false"
        case "int" | "long":
            return "a whole number"
        case "float" | "double":
            return "a number"
        case _:
            return f"text of at most {MAX_TEXT_LENGTH} characters"
