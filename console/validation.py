"""Holds parameters to the shapes of the service models, in AWS's words."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_to_aware_datetime

from console.errors import InvalidInputException
from console.json_values import is_storable, shown
from console.shapes import JSONDict, python_pattern

Check = Callable[[Any], bool]


def validate(shape: Shape, params: JSONDict) -> None:
    """Hold `params` to `shape`, in AWS's words.

    Raises:
        InvalidInputException: for the first member that breaks a constraint; names it, its value and what is allowed.
    """
    if is_right(shape)(params):  # as nearly always; the walk below finds the words for what is wrong
        return
    for path, value, constraint in violations(shape, params, ""):
        field = re.split(r"[.\[]", path)[0]
        message = f"Value {shown(value)} at '{path}' failed to satisfy constraint: {constraint}"
        raise InvalidInputException(message, field=field)


def violations(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    """Every rule of the model that a value breaks, with where and what the rule is."""
    wanted, is_right = TYPES[shape.type_name]
    if not is_right(value):
        yield path, value, f"Member must be {wanted}{_unit_hint(shape, value)}"
        return
    match shape.type_name:
        case "structure":
            yield from _of_structure(shape, value, path)
        case "list":
            for position, member in enumerate(value):
                yield from violations(shape.member, member, f"{path}[{position}]")
        case "map":
            for key, member in value.items():
                yield from violations(shape.key, key, f"{path}.{_part(key)}")
                yield from violations(shape.value, member, f"{path}.{_part(key)}")
    yield from _limits(shape, value, path)


def _unit_hint(shape: Shape, value: Any) -> str:
    """What a number that is no time may be."""
    if shape.type_name != "timestamp" or isinstance(value, bool):
        return ""
    number = str(value).strip() if isinstance(value, str | int | float) else ""
    return "; it looks like milliseconds" if re.fullmatch(r"1\d{12}(\.\d+)?", number) else ""


def _of_structure(shape: Shape, value: JSONDict, path: str) -> Iterator[tuple[str, Any, str]]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}".lstrip("."), None, "Member must not be null"
    for name, member in value.items():
        place = f"{path}.{_part(name)}".lstrip(".")
        if name in shape.members:
            yield from violations(shape.members[name], member, place)
        else:
            yield place, member, f"Unknown parameter; allowed are {', '.join(shape.members)}"


def _part(name: str) -> str:
    """A key of a request as a part of a path that messages show."""
    return shown(name)[1:-1]


def _limits(shape: Shape, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None or most is not None:
        number = isinstance(value, int | float)
        size, what = (value, "value") if number else (len(value), "length")
        if least is not None and size < least:
            yield path, value, f"Member must have {what} greater than or equal to {least}"
        if most is not None and size > most:
            yield path, value, f"Member must have {what} less than or equal to {most}"
    if shape.type_name == "string":
        yield from _string_limits(shape, value, path)


def _string_limits(shape: Shape, value: str, path: str) -> Iterator[tuple[str, Any, str]]:
    pattern = shape.metadata.get("pattern")
    if not is_storable(value):
        yield path, value, "Member must be valid Unicode text without NUL characters"
    if pattern and not python_pattern(pattern).fullmatch(value):
        yield path, value, f"Member must satisfy regular expression pattern: {pattern}"
    if shape.enum and value not in shape.enum:
        yield path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


@cache
def is_right(shape: Shape) -> Check:
    """Whether a value keeps every rule of a shape: what `violations` finds nothing in, compiled once for all requests."""
    is_of_type = TYPES[shape.type_name][1]
    checks = [is_of_type, *_checks_of_members(shape), *_checks_of_limits(shape)]
    return is_of_type if len(checks) == 1 else partial(_keeps_all, checks)


def _keeps_all(checks: list[Check], value: Any) -> bool:
    """Whether a value passes every check, in a plain loop: a request makes dozens, and a generator takes twice the time."""
    for check in checks:  # noqa: SIM110
        if not check(value):
            return False
    return True


def _has_right_members(members: Mapping[str, Check], value: Mapping[str, Any]) -> bool:
    for name, member in value.items():  # noqa: SIM110
        if name not in members or not members[name](member):
            return False
    return True


def _checks_of_members(shape: Shape) -> Iterator[Check]:
    match shape.type_name:
        case "structure":
            members = {name: is_right(member) for name, member in shape.members.items()}
            if required := shape.required_members:
                yield lambda value: all(value.get(name) is not None for name in required)
            yield partial(_has_right_members, members)
        case "list":
            is_member = is_right(shape.member)
            yield lambda value: all(is_member(member) for member in value)
        case "map":
            is_key, is_value = is_right(shape.key), is_right(shape.value)
            yield lambda value: all(is_key(key) and is_value(member) for key, member in value.items())


def _checks_of_limits(shape: Shape) -> Iterator[Check]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None or most is not None:
        low, high = (-LARGEST_FLOAT if least is None else least), (LARGEST_FLOAT if most is None else most)
        yield lambda value: low <= (value if isinstance(value, int | float) else len(value)) <= high
    if shape.type_name != "string":
        return
    yield is_storable
    if pattern := shape.metadata.get("pattern"):
        matches = python_pattern(pattern).fullmatch
        yield lambda value: matches(value) is not None
    if shape.enum:
        allowed = set(shape.enum)
        yield lambda value: value in allowed


def _whole(bits: int) -> Callable[[Any], bool]:
    """Whether a value is a whole number of so many bits; to Python True is a number as well."""
    return lambda value: type(value) is int and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a column can hold; JSON's have no bounds."""
    return type(value) in {int, float} and -LARGEST_FLOAT <= value <= LARGEST_FLOAT


def _is_time(value: Any) -> bool:
    """Whether a value is a time within the calendar: seconds since 1970, or text that says which."""
    if type(value) in {int, float} and 0 <= value < LATEST_S:
        return True
    if isinstance(value, str) and not TIME_TEXT.fullmatch(value.strip()):
        return False  # which of 05/06/2026 is the month is a guess, and 12:00 is of any day
    try:
        return not isinstance(value, bool) and bool(parse_to_aware_datetime(value))
    except (TypeError, ValueError, AttributeError, RuntimeError, OverflowError, OSError):
        return False  # botocore's parser, and dateutil's below it, let all of these through


TIME_TEXT = re.compile(
    r"[+-]?\d+(\.\d*)?([eE]\+?\d+)?|\d{4}-\d\d.*|\d{8}T.*|([A-Za-z]{3,9}\.?,? )?(\d{1,2} [A-Za-z]{3,9}|[A-Za-z]{3,9} \d{1,2})\b.*"
)
LATEST_S = 253_370_764_800  # a day and more before the end of the calendar, wherever one is
LARGEST_FLOAT = sys.float_info.max
TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "structure": ("an object", lambda value: isinstance(value, dict)),
    "map": ("an object", lambda value: isinstance(value, dict)),
    "list": ("a list", lambda value: isinstance(value, list | tuple)),
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number of 32 bits", _whole(32)),
    "long": ("a whole number of 64 bits", _whole(64)),
    "float": ("a number", _is_number),
    "double": ("a number", _is_number),
    "timestamp": ("a time: seconds since 1970, or text such as 2026-01-31T23:59:59Z", _is_time),
}
