"""Numbers that tell times: the units they are counted in, and numbers that are in another unit than their column.

A number in a coarser unit than its column's lies in 1970 without breaking any other rule, and so do days written as 20240301, days
of spreadsheets, minutes and years where seconds are expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

PER_SECOND = {"": 1, "s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EXCEL, EXCEL_EPOCH_DAYS, DAY_S = "excel", 25_569, 86_400  # spreadsheets count days, 1970-01-01 is their 25,569th
UNIT_NAMES = {
    "": "seconds since 1970", "s": "seconds since 1970", "ms": "milliseconds since 1970",
    "us": "microseconds since 1970", "ns": "nanoseconds since 1970", EXCEL: "days since 1899-12-30",
}  # fmt: skip
FIRST_YEAR_S = 365 * DAY_S  # 1971-01-01
PLAUSIBLE_S = 631_152_000  # 1990-01-01
MOST = 0.95  # of a column's times in 1970 must look like another unit for small numbers to be doubted
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


def may_be_misread(seconds: pa.Array, unit: str, *, is_event: bool) -> bool:
    """Whether times that were read in `unit` lie in 1970, as those do that are in another unit."""
    if unit not in PER_SECOND or not (is_event or PER_SECOND[unit] > 1):
        return False
    early = pc.and_(pc.greater_equal(seconds, 0), pc.less(seconds, FIRST_YEAR_S))
    return bool(pc.any(early).as_py())


def misread(numbers: Numbers, unit: str, latest: int, *, is_event: bool) -> dict[str, Mask]:
    """Which numbers of a column are in another unit, by what they look like: they lie in 1970 as they are, else between 1990 and `latest`.

    Where events have other small numbers, as times that count from a data set's beginning, none is doubted.

    >>> {hint: mask.tolist() for hint, mask in misread(np.array([1.7e12, 1.7e9]), "ms", 2_000_000_000, is_event=True).items()}
    {'seconds since 1970': [False, True]}
    """
    per = PER_SECOND[unit]
    early = (numbers >= 0) & (numbers < FIRST_YEAR_S * per)
    found = {name: early & mask for name, mask in _coarser(numbers, per, latest) if mask.any()}
    if not is_event:
        return found
    found |= {name: early & mask for name, mask in _days_and_minutes(numbers, latest) if mask.any()}
    doubted = np.logical_or.reduce([np.zeros(len(numbers), bool), *found.values()])
    return found if doubted.sum() >= MOST * (early & (numbers > 0)).sum() else {}


def are_small(cells: Iterable[bytes], unit: str, latest: int) -> bool:
    """Whether an event's times, by a file's first rows, lie in 1970 and look like no other unit."""
    numbers = np.array([number_of(cell) for cell in cells])
    early = (numbers > 0) & (numbers < FIRST_YEAR_S * PER_SECOND[unit])
    return bool(early.any()) and not misread(numbers, unit, latest, is_event=True)


def is_coarser(number: float, unit: str, latest: int) -> bool:
    """Whether one number is in a coarser unit than `unit`."""
    return bool(misread(np.array([number]), unit, latest, is_event=False))


def _coarser(numbers: Numbers, per: int, latest: int) -> Iterable[tuple[str, Mask]]:
    """Numbers in seconds, milliseconds and microseconds; whole days of the column's unit are what they are."""
    is_day = numbers % (DAY_S * per) == 0
    for unit in ("s", "ms", "us"):
        if (coarse := PER_SECOND[unit]) < per:
            yield UNIT_NAMES[unit], ~is_day & (numbers >= PLAUSIBLE_S * coarse) & (numbers <= latest * coarse)


def _days_and_minutes(numbers: Numbers, latest: int) -> Iterable[tuple[str, Mask]]:
    newest = datetime.fromtimestamp(latest, UTC)
    month, day = numbers // 100 % 100, numbers % 100
    digits = (numbers >= 19_900_101) & (numbers < 10_000 * (newest.year + 1))
    written = digits & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (day % 1 == 0)
    minutes = (numbers >= PLAUSIBLE_S / 60) & (numbers <= latest / 60)
    if 2 * written.sum() >= minutes.sum():
        yield "a date in the form 20240131", written
    days = (numbers >= EXCEL_EPOCH_DAYS + PLAUSIBLE_S / DAY_S) & (numbers <= EXCEL_EPOCH_DAYS + latest / DAY_S)
    yield "a spreadsheet's number of days", days
    yield "minutes since 1970", minutes
    yield "a year", (numbers >= 1990) & (numbers <= newest.year) & (numbers % 1 == 0)


def number_of(text: str | bytes | None) -> float:
    """The number that a cell is, NaN where it is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan
