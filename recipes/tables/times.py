"""How times are written in files: numbers since 1970 in some unit, ISO 8601, or another format of strptime."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from statistics import median

import pyarrow as pa

from recipes.tables import cells

RANGES = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EARLIEST, LATEST = 300_000_000, 2_500_000_000  # 1979 to 2049: what numbers must lie between to be taken for times
FORMATS = (
    "%Y%m%d", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%m %d, %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y",
    "%d-%b-%Y", "%m/%d/%y", "%d/%m/%y", "%m/%d/%y %H:%M", "%d/%m/%y %H:%M", "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y", "%Y-%m-%d %H:%M:%S UTC", "%I:%M %p %m/%d/%Y", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip
SAMPLE = 300
MOST = 0.95  # of the values that must be times for the column to be one
FIRST_YEAR = -30_610_224_000  # 1000-01-01
SWAPPED = {"%m/%d": "%d/%m", "%d/%m": "%m/%d"}


def unit_of(values: list[str]) -> str:
    """How these values tell times: s, ms, us, ns, iso, a strptime format, or "" if they are no times."""
    known = [value.strip() for value in values if value and value.strip()][:SAMPLE]
    if not known:
        return ""
    has_negative = any(re.fullmatch(r"-\d+(\.\d+)?", value) for value in known)  # of what is older than 1970
    pattern = r"-?\d{1,20}(\.\d+)?" if has_negative else r"\d{9,20}(\.\d+)?"
    numbers = [float(value) for value in known if re.fullmatch(pattern, value)]
    if len(numbers) >= MOST * len(known):
        middle = max(map(abs, numbers)) if has_negative else median(numbers)
        return next((unit for unit, per in RANGES.items() if EARLIEST <= middle / per <= LATEST), "")
    words = [value for value in known if len(value) >= 6 and re.search(r"\d", value)]
    if len(words) < MOST * len(known):
        return ""
    if _most_fit([value for value in words if len(value) >= 10 and not value.isdigit()], "", len(known)):
        return "iso"
    exact = next((form for form in FORMATS if _most_fit(words, form, len(known))), "")
    return exact or next((form for form in FORMATS if _most_fit(words, form, len(known), exactly=False)), "")


def seconds(texts: pa.Array, unit: str) -> pa.Array:
    """Epoch seconds, null for what is no time."""
    rules = cells.no_rules(len(texts))
    return cells.times(texts, unit, rules)


def shown(moment: float) -> str:
    """A moment for people."""
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(moment)


def is_ambiguous(unit: str, examples: list[str]) -> bool:
    """Whether day and month could as well be the other way round."""
    swapped = next((unit.replace(pair, other) for pair, other in SWAPPED.items() if pair in unit), "")
    return bool(swapped) and all(_fits(value, swapped) for value in examples)


def _most_fit(values: list[str], form: str, number: int, *, exactly: bool = True) -> bool:
    """Whether nearly all of `number` values fit; the first few decide for most formats."""
    fits = _fits if exactly else _fits_loosely
    if sum(fits(value, form) for value in values[:10]) < MOST * min(len(values), 10) or not values:
        return False
    return sum(fits(value, form) for value in values) >= MOST * number


def _fits(value: str, form: str) -> bool:
    try:
        moment = datetime.strptime(value, form) if form else datetime.fromisoformat(value)  # noqa: DTZ007
    except ValueError:
        return False
    return 1000 <= moment.year <= 2100


def _fits_loosely(value: str, form: str) -> bool:
    """Whether the value fits once a clock may be there or not."""
    moment = cells.text_time(value, form)
    return moment is not None and FIRST_YEAR <= moment <= cells.MAX_TIME
