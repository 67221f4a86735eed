"""The members of an input line of a batch job: read as people write them, or refused by name with what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from console.errors import InvalidInputException
from console.json_values import shown
from console.models import Filter
from console.serving.targets import bind
from recipes.filters import Bound

MEMBERS = ("userId", "itemId", "itemList", "itemAttributes", "context", "filterValues")
OTHER_NAMES = {"user": "userId", "item": "itemId", "items": "itemList", "inputlist": "itemList", "itemids": "itemList"}


def check_names(line: Mapping[str, Any]) -> None:
    """Refuse another spelling of a member, such as user_id or filtervalues; members of other names are the caller's own.

    Raises:
        InvalidInputException: names the member as it is written and as it must be.
    """
    known = {_plain(name): name for name in MEMBERS}
    for name in line:
        wanted = known.get(_plain(name))
        if wanted and name not in MEMBERS:
            raise InvalidInputException(f"The line has the member {name}; it must be written {wanted}.", field=wanted)


def id_of(line: Mapping[str, Any], name: str, *, needed: bool) -> str | None:
    """An id, which may be written as a whole number (7.0 is one); None where it is missing and not needed.

    Raises:
        InvalidInputException: it is needed and missing, or is no id.
    """
    if name not in line:
        if needed:
            raise _missing(line, name)
        return None
    value = line[name]
    if value is None and not needed:
        return None
    if not _is_id(value):
        raise InvalidInputException(f"{name} is {shown(value)}; expected a text that is not empty.", field=name)
    return _id_text(value)


def ids_of(line: Mapping[str, Any], name: str) -> list[str]:
    """A list of ids.

    Raises:
        InvalidInputException: it is missing, empty, no list, or has something else in it.
    """
    if name not in line:
        raise _missing(line, name)
    found = line[name]
    if not isinstance(found, list) or not found:
        raise InvalidInputException(f"{name} is {shown(found)}; expected a list of item ids.", field=name)
    if wrong := [value for value in found if not _is_id(value)]:
        raise InvalidInputException(f"{name} has {shown(wrong[0])} in it; expected item ids only.", field=name)
    return [_id_text(value) for value in found]


def text_of(line: Mapping[str, Any], name: str, example: str) -> str:
    """A text.

    Raises:
        InvalidInputException: it is missing or no text.
    """
    if name not in line:
        raise _missing(line, name)
    found = line[name]
    if not isinstance(found, str):
        raise InvalidInputException(f"{name} is {shown(found)}; expected a text such as {example}.", field=name)
    return found


def texts_of(line: Mapping[str, Any], name: str, *, lists: bool = False) -> dict[str, str]:
    """A member that maps names to values, as texts; empty where it is missing.

    Args:
        line: the input line.
        name: the member's.
        lists: whether a value may be a list of texts and numbers, which becomes its JSON.

    Raises:
        InvalidInputException: it is no object, or a value in it is null, an object or a list that may not be.
    """
    found = line.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        message = f'{name} is {shown(found)}; expected an object of texts, such as {{"NAME": "value"}}.'
        raise InvalidInputException(message, field=name)
    return {key: _value(f"{name}.{key}", value, lists=lists) for key, value in found.items()}


def bound_of(row: Filter | None, line: Mapping[str, Any]) -> Bound | None:
    """The job's filter with the line's values; None if the job has none.

    Raises:
        InvalidInputException: a value is missing or wrong, or there are values and no filter.
    """
    values = texts_of(line, "filterValues", lists=True)
    _check_filter_names(row, line)
    if row is not None:
        return bind(row.expression, values)
    if values:
        raise InvalidInputException("The line has filterValues; the job has no filterArn.", field="filterValues")
    return None


def _check_filter_names(row: Filter | None, line: Mapping[str, Any]) -> None:
    """Refuse what is meant for the filter and stands under another name: the list would not be filtered, unnoticed."""
    if line.get("filterArn", row.arn if row else None) != (row.arn if row else None):
        raise InvalidInputException(
            "The line has a filterArn of its own; the job's filter holds for all lines.", field="filterArn"
        )
    parameters = {f"${name}" for name in re.findall(r"\$(\w+)", row.expression)} if row else set()
    for name in line.keys() - {*MEMBERS, "filterArn"}:
        if name in parameters or f"${name}" in parameters or _plain(name).startswith("filter"):
            raise InvalidInputException(
                f"The line has the member {name}; the values of a filter belong into filterValues.",
                field="filterValues",
            )


def _value(name: str, value: object, *, lists: bool) -> str:
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case list() if lists and value and all(isinstance(each, str | int | float) for each in value):
            return json.dumps(value, ensure_ascii=False)
        case _:
            allowed = "a text, a number or a list of them" if lists else "a text or a number"
            raise InvalidInputException(f"{name} is {shown(value)}; expected {allowed}.", field=name.partition(".")[0])


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _id_text(value: str | float) -> str:
    return value.strip() if isinstance(value, str) else str(int(value))


def _missing(line: Mapping[str, Any], name: str) -> InvalidInputException:
    other = next((each for each in line if OTHER_NAMES.get(_plain(each)) == name), None)
    members = f"the line has {', '.join(map(str, list(line)[:5]))}" if line else "the line is empty"
    hint = f"; {other} must be written {name}" if other else ""
    return InvalidInputException(f"{name} is missing: {members}{hint}.", field=name)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").casefold()
