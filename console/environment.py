"""Environment variables as the settings read them: a value that means nothing ends the program in a sentence.

Blanks and one pair of quotes around a value, as files of variables leave them there, do not count; an empty value is none.
"""

from __future__ import annotations

import math
import os

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class EnvironmentVariableError(SystemExit):
    """A variable cannot be used; the message names it, its value and what is allowed."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        """Say so."""
        super().__init__(f"{name} is {value!r}; allowed are {allowed}.")


def text(name: str, default: str = "") -> str:
    """Any text."""
    value = os.environ.get(name, "").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value or default


def choice(name: str, allowed: tuple[str, ...]) -> str:
    """One of a few words, in lower or upper case; the first is the default."""
    value = text(name, allowed[0])
    found = next((word for word in allowed if word.lower() == value.lower()), None)
    if found is None:
        raise EnvironmentVariableError(name, value, ", ".join(allowed))
    return found


def names(name: str, default: str = "") -> list[str]:
    """Names with commas between them."""
    return [part for part in map(str.strip, text(name, default).split(",")) if part]


def flag(name: str, *, default: bool) -> bool:
    """Yes or no."""
    value = text(name, "yes" if default else "no")
    if value.lower() not in YES | NO:
        raise EnvironmentVariableError(name, value, "1, true, yes, on, 0, false, no and off")
    return value.lower() in YES


def whole(name: str, default: int, low: int = 0, high: int | None = None) -> int:
    """A whole number."""
    value = text(name, str(default))
    number = int(value) if value.removeprefix("-").isdecimal() and len(value) < 20 else None
    if number is None or number < low or (high is not None and number > high):
        raise EnvironmentVariableError(
            name, value, f"whole numbers from {low}{'' if high is None else f' to {high}'}, in digits"
        )
    return number


def number(name: str, default: float) -> float:
    """A number, not below 0."""
    value = text(name, f"{default:g}")
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise EnvironmentVariableError(name, value, "numbers from 0")
    return found
