"""The service models, read once: names, types and limits of all operations; ours (service_model/) beside AWS's.

AWS's limits stand in botocore's data and nowhere in our code. What OpenPersonalize offers beyond AWS is declared in the
same format, so that it is validated, documented and served the same way.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.utils import parse_to_aware_datetime

from console.errors import InvalidInputException, SerializationException

JSONDict = dict[str, Any]

AWS_SERVICES = ("personalize", "personalize-runtime", "personalize-events")
OURS = "openpersonalize"


def _services() -> dict[str, ServiceModel]:
    loader = Loader()
    services = {name: ServiceModel(loader.load_service_model(name, "service-2"), name) for name in AWS_SERVICES}
    return services | {OURS: ServiceModel(_our_model(), OURS)}


def _our_model() -> JSONDict:
    """Our own operations: one file for each family below service_model/, over its metadata."""
    folder = Path(__file__).with_name("service_model")
    model: JSONDict = json.loads((folder / "metadata.json").read_text()) | {"operations": {}, "shapes": {}}
    for path in sorted(folder.glob("*.json")):
        family = json.loads(path.read_text())
        model["operations"] |= family.get("operations", {})
        model["shapes"] |= family.get("shapes", {})
    return model


SERVICES = _services()
OPERATION_MODELS: dict[str, OperationModel] = {
    name: service.operation_model(name) for service in SERVICES.values() for name in service.operation_names
}
SERVICE_OF = {name: key for key, service in SERVICES.items() for name in service.operation_names}

# The models' patterns are Java regular expressions; these are all that `re` lacks.
JAVA_CLASSES = {r"[\p{L}\p{Z}\p{N}_.:/=+\-@]": r"[\w\s.:/=+\-@]", r"\p{ASCII}": r"[\x00-\x7F]"}


@cache
def python_pattern(java: str) -> re.Pattern[str]:
    """The compiled Python equivalent of a pattern of the service model."""
    for theirs, ours in JAVA_CLASSES.items():
        java = java.replace(theirs, ours)
    return re.compile(java)


@cache
def parameter_names(operation: str) -> Mapping[str, str]:
    """`{"dataset_group_arn": "datasetGroupArn", …}` for an operation's top-level members."""
    shape = OPERATION_MODELS[operation].input_shape
    return {xform_name(member): member for member in shape.members} if shape else {}


@cache
def parameters_by_wire_name(operation: str) -> Mapping[str, str]:
    """The same the other way round."""
    return {member: parameter for parameter, member in parameter_names(operation).items()}


def operation_name(function: str) -> str:
    """The wire name of the operation a function implements.

    >>> operation_name("create_solution_version")
    'CreateSolutionVersion'
    """
    return _BY_SNAKE[function]


_BY_SNAKE = {xform_name(name): name for name in OPERATION_MODELS}


def read_object(body: bytes) -> JSONDict:
    """A request's JSON body; an empty one is an object without members.

    Raises:
        SerializationException: it is not JSON in UTF-8, not an object, nested too deeply, or holds a NUL.
    """
    body = _unpacked(body)
    try:
        value = _DECODER.decode(body.decode("utf-8-sig") or "{}")
    except (ValueError, RecursionError) as error:
        raise SerializationException(f"The body is not JSON in UTF-8: {error}") from None
    if not isinstance(value, dict):
        raise SerializationException(f"The body is JSON's {json_kind(value)}, allowed is an object.")
    if b"\\u0000" in body and _holds_nul(value):
        raise SerializationException("The body holds a NUL character, which no name or value may.")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deep(value):
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep, which is what is allowed.")
    return value


def _unpacked(body: bytes) -> bytes:
    """A body that is packed as gzip or deflate say, which no JSON begins like; whatever Content-Encoding says.

    Raises:
        SerializationException: it is damaged, or larger than any body may be.
    """
    is_zlib = body[:1] == b"x" and len(body) > 1 and int.from_bytes(body[:2], "big") % 31 == 0
    if not is_zlib and not body.startswith(b"\x1f\x8b"):
        return body
    reader = zlib.decompressobj(wbits=47)  # of either kind
    try:
        found = reader.decompress(body, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise SerializationException(f"The body looks packed but cannot be unpacked: {error}.") from None
    if len(found) > MAX_UNPACKED_BYTES:
        raise SerializationException(f"The body is larger than {MAX_UNPACKED_BYTES} bytes, which is what is allowed.")
    if not reader.eof:
        raise SerializationException("The body looks packed but ends early.")
    return found


def _holds_nul(value: Any) -> bool:
    """Whether a text or a name in the value has a NUL, which PostgreSQL cannot keep."""
    level = [value]
    while level:
        if any(isinstance(each, str) and "\0" in each for each in level):
            return True
        parts = (
            [*each, *each.values()] if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        )
        level = [part for found in parts for part in found]
    return False


def _is_deep(value: Any) -> bool:
    """Whether a value has more than MAX_DEPTH levels; those who walk it later do so by recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        children = (each.values() if isinstance(each, dict) else each for each in level)
        level = [member for members in children for member in members if isinstance(member, dict | list)]
        if not level:
            return False
    return True


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def json_kind(value: object) -> str:
    """What JSON calls a value's type.

    >>> json_kind(None), json_kind([1]), json_kind(True)
    ('null', 'array', 'boolean')
    """
    kinds = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def without_nulls(value: Any) -> Any:
    """`value` without the members of its objects that are null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value


def is_storable(text: str) -> bool:
    """Whether databases can keep the text: PostgreSQL refuses NUL, and half of a surrogate pair has no UTF-8."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


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


def shown(value: object) -> str:
    """A value of a request as a message quotes it: short, and fit for any log and any encoding."""
    if value is None:
        return "null"
    try:
        written = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, RecursionError):  # such as a number of more digits than Python writes out
        written = f"({type(value).__name__})"
    written = written.encode(errors="replace").decode()
    return f"'{written if len(written) <= MOST_SHOWN else written[:MOST_SHOWN] + '…'}'"


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


Check = Callable[[Any], bool]


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


MOST_SHOWN = 100
MAX_UNPACKED_BYTES = 5 * 2**20
MAX_DEPTH = 64  # what operations take is no deeper than ten
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


def prune(shape: Shape, value: Any) -> Any:
    """Keep only what `shape` declares and drop None, so that one `wire()` serves Describe and List."""
    cut = pruner(shape)
    return value if cut is None or value is None else cut(value)


def pruner(shape: Shape) -> Callable[[Any], Any] | None:
    """What cuts values to `shape`, made once for all of them; None where there is nothing to cut."""
    match shape.type_name:
        case "list":
            cut_member = pruner(shape.member)
            if cut_member is None:
                return None
            if _is_flat(shape.member):
                return partial(_cut_flat, frozenset(shape.member.members))
            return lambda values: [cut_member(value) for value in values]
        case "structure":
            if _is_flat(shape):
                names = frozenset(shape.members)
                return lambda value: _cut_flat(names, [value])[0]
            return partial(_cut, [(name, pruner(member)) for name, member in shape.members.items()])
        case _:
            return None


def _is_flat(shape: Shape) -> bool:
    """Whether nothing within the members of a structure is cut."""
    return shape.type_name == "structure" and all(pruner(member) is None for member in shape.members.values())


def _cut_flat(names: frozenset[str], values: list[JSONDict]) -> list[JSONDict]:
    """Flat structures without what is not among `names`; as they are where that holds for all, as for lists of items."""
    if all(map(names.issuperset, values)) and None not in chain.from_iterable(map(dict.values, values)):
        return values
    return [{name: found for name, found in value.items() if found is not None and name in names} for value in values]


def _cut(members: list[tuple[str, Callable[[Any], Any] | None]], value: Any) -> JSONDict:
    kept: JSONDict = {}
    for name, cut in members:
        found = value.get(name)
        if found is not None:
            kept[name] = found if cut is None else cut(found)
    return kept
