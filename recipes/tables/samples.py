"""Cells as they are understood, for people to check at a glance."""

from __future__ import annotations

import re

from recipes.tables import dates, moments
from recipes.tables.amounts import bare_text
from recipes.tables.describe import parts_of

SEPARATORS = {
    ",": "split at commas",
    ";": "split at semicolons",
    "|": "split at bars",
    "/": "split at slashes",
    " ": "split at blanks",
    "json": "a JSON array",
}
FORMS = {
    "s": "seconds since 1970", "ms": "milliseconds since 1970", "us": "microseconds since 1970", "ns": "nanoseconds since 1970",
    "iso": "ISO 8601", "excel": "Excel day number",
}  # fmt: skip


def understood(text: str, kind: str, unit: str = "", decimal: str = ".", separator: str = "") -> str:
    """A cell as it is read; "" where it cannot be.

    >>> understood("07.03.2025 06:28", "long", "%d.%m.%Y %H:%M"), understood("1.234,50 €", "double", decimal=",")
    ('7 March 2025, 06:28', '1,234.5')
    >>> understood("Büro,Papier", "string", separator=",")
    'Büro · Papier'
    """
    if unit:
        moment = moments.moment_of(text, unit)
        return "" if moment is None else f"{moment.day} {moment:%B %Y, %H:%M}".removesuffix(", 00:00")
    if kind in {"int", "long", "float", "double"}:
        bare = bare_text(text).replace("," if decimal == "." else ".", "").replace(decimal, ".")
        return (
            f"{float(bare):,.15g}" if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", bare, re.IGNORECASE) else ""
        )
    if separator:
        return " · ".join(parts_of(text, separator) or ())
    return text


def unit_words(unit: str) -> str:
    """How a unit of times is said.

    >>> unit_words("ms"), unit_words("%d.%m.%Y %H:%M|%d.%m.%Y")
    ('milliseconds since 1970', 'day.month.year hour:minute, or day.month.year')
    """
    return ", or ".join(FORMS.get(form) or dates.in_words(form) for form in unit.split("|"))
