"""What a chart shows, apart from how it is drawn: series of points over two scales, with lines that mark a place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from console.web.languages import day_form, localised, month_form

MINUTE, HOUR, DAY = 60, 3600, 86_400
TIME_STEPS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR // 2, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
              30 * DAY, 61 * DAY, 91 * DAY, 182 * DAY, 365 * DAY, 730 * DAY, 1825 * DAY, 3650 * DAY)  # fmt: skip
MAX_TICKS = 6


class Look(StrEnum):
    """How the points of a series are drawn."""

    BARS = "bars"
    LINE = "line"
    STEPS = "dots"  # a line with a symbol at each point
    POINTS = "points"


class Colour(StrEnum):
    """What a colour means; the style sheet has it for both themes."""

    BASELINE = "even"
    RANDOM = "faint"
    GOOD = "good"
    BAD = "bad"
    ACCENT = "s0"
    SECOND = "s1"


SERIES = tuple(f"s{place}" for place in range(6))


@dataclass(frozen=True)
class Point:
    """One value at a place, with its 95 % interval where there is one.

    Attributes:
        x: place on the horizontal scale.
        y: value on the vertical scale; None leaves a gap.
        words: what is said of it on hover.
        url: where a click leads.
        group: which of several colours it takes, where not its series'.
    """

    x: float
    y: float | None
    low: float | None = None
    high: float | None = None
    words: str = ""
    url: str = ""


@dataclass(frozen=True)
class Series:
    """Points of one colour under one name."""

    name: str
    points: tuple[Point, ...]
    look: Look = Look.LINE
    colour: str = SERIES[0]
    style: int = 0  # which dashes and which symbol
    has_band: bool = False  # intervals as an area instead of whiskers
    is_on_right: bool = False


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` with their ticks; categories (`names`) stand at 0, 1, 2 and so on."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    title: str = ""
    names: tuple[str, ...] = ()

    def at(self, value: float) -> float:
        """Where a value stands, 0 at the low end and 1 at the high one; what lies outside stands at the end.

        >>> Scale(10, 20).at(12.5), Scale(10, 20).at(99)
        (0.25, 1.0)
        """
        return min(1.0, max(0.0, (value - self.low) / ((self.high - self.low) or 1)))


@dataclass(frozen=True)
class Mark:
    """A line across the plot at a value of the horizontal or the vertical scale."""

    value: float
    words: str = ""
    is_vertical: bool = True
    colour: str = Colour.GOOD


@dataclass(frozen=True)
class Plot:
    """Everything that is drawn."""

    series: tuple[Series, ...]
    x: Scale
    y: Scale
    right: Scale | None = None
    marks: tuple[Mark, ...] = ()
    is_stacked: bool = False
    is_parallel: bool = False  # each line is one thing measured on several scales side by side
    bar_width: float = 0.72  # in units of the horizontal scale
    height: int = 240


def numbers(
    values: Iterable[float | None],
    *,
    title: str = "",
    suffix: str = "",
    from_zero: bool = True,
    whole: bool = False,
    room: float = 0.0,
) -> Scale:
    """A scale that holds the values, with round ticks; `room` is the share of it that stays free beyond the highest.

    >>> [label for _, label in numbers([0.03, 0.19]).ticks]
    ['0', '0.05', '0.10', '0.15', '0.20']
    >>> [label for _, label in numbers([-3, 12], suffix=" %").ticks]
    ['−5 %', '0 %', '5 %', '10 %', '15 %']
    >>> coverage = numbers([0.4, 1.0], room=0.02)
    >>> coverage.high, coverage.ticks[-1]
    (1.02, (1.0, '1.0'))
    """
    known = [value for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        high = low + (abs(low) or 1.0)
    step = round_step((high - low) / (MAX_TICKS - 1))
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = tuple((at * step, _label(at * step, digits) + suffix) for at in range(first, last + 1))
    return Scale(first * step, max(last * step, high + room * (high - low)), ticks, title)


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is no less.

    >>> round_step(0.13), round_step(3), round_step(0.07)
    (0.2, 5.0, 0.1)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return float(next(power * times for times in (1, 2, 5, 10) if power * times >= least * (1 - 1e-9)))


def _label(value: float, digits: int) -> str:
    if abs(value) < 1e-12:
        return "0"
    if abs(value) >= 10_000:
        return localised(f"{value / 1000:,.0f}k".replace("-", "−"))
    return localised(f"{value:,.{digits}f}".replace("-", "−"))


def categories(names: Sequence[str], title: str = "") -> Scale:
    """Names side by side."""
    return Scale(-0.5, len(names) - 0.5, (), title, tuple(names))


def times(seconds: Sequence[float], *, width: float = 0) -> Scale:
    """A scale of epoch seconds with ticks at round UTC times; `width` is what a bar reaches beyond its start.

    >>> [label for _, label in times([1_700_000_000, 1_700_020_000]).ticks]
    ['23:00', '00:00', '01:00', '02:00', '03:00']
    >>> [label for _, label in times([1_700_000_000, 1_710_000_000]).ticks]
    ['19 Nov', '19 Dec', '18 Jan', '17 Feb']
    """
    low, high = min(seconds), max(seconds) + width
    if low == high:
        low, high = low - HOUR, high + HOUR
    span = high - low
    step = next((step for step in TIME_STEPS if span / step <= MAX_TICKS), TIME_STEPS[-1])
    form = (
        "%H:%M"
        if span <= 36 * HOUR
        else day_form()
        if span <= 300 * DAY
        else month_form()
        if span <= 2000 * DAY
        else "%Y"
    )
    first = math.ceil(low / step)
    places = [at * step for at in range(first, math.floor(high / step) + 1)]
    return Scale(low, high, tuple((place, datetime.fromtimestamp(place, UTC).strftime(form)) for place in places))
