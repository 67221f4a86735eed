"""JSON of requests: what is read from a body, what its types are called, and how a message shows a value."""

from __future__ import annotations

import json
import zlib
from typing import Any

from console.errors import SerializationException
from console.shapes import JSONDict

MAX_UNPACKED_BYTES = 5 * 2**20
MAX_DEPTH = 64  # what operations take is no deeper than ten
MOST_SHOWN = 100  # characters


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
