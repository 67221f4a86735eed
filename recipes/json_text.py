"""JSON that people give: what is nested too deeply is refused as what is no JSON is, before any recursion ends in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 64


def read_json(text: str | bytes, *, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of a JSON text.

    Args:
        text: the text.
        parse_constant: what becomes of NaN and the infinities, as in json.loads.

    Raises:
        ValueError: it is no JSON, or has more than MAX_DEPTH levels.
    """
    try:
        value = json.loads(text, parse_constant=parse_constant)
    except RecursionError:
        raise _too_deep() from None
    brackets = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, brackets)) > MAX_DEPTH:  # type: ignore[arg-type]
        check_depth(value)
    return value


def check_depth(value: object) -> None:
    """Refuse a value with more than MAX_DEPTH levels; those who walk it later do so by recursion.

    Raises:
        ValueError: it has more.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        children = (
            each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)
        )
        level = [member for members in children for member in members if isinstance(member, dict | list)]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> ValueError:
    return ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
