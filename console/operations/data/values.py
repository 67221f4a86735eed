"""One value of a column as it comes in a JSON request: held to the column's type."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from botocore.utils import parse_to_aware_datetime

from console.errors import InvalidInputException
from console.shapes import is_storable, shown
from recipes.tables.field import MAX_TEXT_LENGTH

WORDS = {"true": True, "false": False}
INT64 = 2**63


def column_value(kind: str, value: object, path: str) -> Any:
    """`value` as Avro's `kind`; numbers may come as strings, and any scalar may stand for a string.

    Raises:
        InvalidInputException: it cannot be read so; names the place, the value and what is allowed.
    """
    hint = ""
    if isinstance(value, list):
        hint = f" Several categories are one text separated by |: {json.dumps(_joined(value), ensure_ascii=False)}."
    try:
        return _CONVERT[kind](_single(value))
    except (ValueError, KeyError, OverflowError):
        told = f"{path} is {shown(value)}, allowed is {_allowed(kind)}.{hint}"
        raise InvalidInputException(told, field="properties") from None


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


def _single(value: object) -> object:
    if isinstance(value, dict | list):
        raise ValueError(value)  # noqa: TRY004  told like any other value that cannot be read
    return value


def _text(value: object) -> str:
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if not is_storable(text) or len(text) > MAX_TEXT_LENGTH:
        raise ValueError(text)
    return text


def _whole(value: object) -> int:
    written = str(value)  # of True it is no number
    number = float(written) if {".", "e", "E"} & set(written) else int(written)
    if number != int(number) or not -INT64 <= number < INT64:
        raise ValueError(value)
    return int(number)


def _number(value: object) -> float:
    if not math.isfinite(number := float(str(value))):
        raise ValueError(value)
    return number


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else WORDS[str(value).lower()]


def _scalar(value: object) -> object:
    return value if isinstance(value, bool | int | float) else _text(value)


_CONVERT = {
    "string": _text,
    "int": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "any": _scalar,
}
