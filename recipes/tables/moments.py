"""How a column tells times: epoch numbers, ISO 8601, Excel's days, dates in any order, also several ways in one column.

The answer is a `unit`: s, ms, us, ns, iso, excel or a strptime format, or several of these joined by `|` and tried in that
order. Where day and month could be either way round, and nothing in the column tells, `other` is the unit read that way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from recipes.tables import dates

EPOCHS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EARLIEST, LATEST = 300_000_000, 2_500_000_000  # 1979 to 2049: what numbers must lie between to be taken for times
EXCEL_DAYS = (25_569, 60_000)  # 1970 to 2064, in days since 1899-12-30
EXCEL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
MOST = 0.95  # of the values must be times
SAMPLE = 2000
DATE = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{4}|\d{1,2})"
    r"(?:(?P<gap>,? |T| - )(?P<h>\d{1,2})(?P<hm>[:.h])(?P<m>\d{2})(?:(?P<ms>[:.])(?P<s>\d{2})(?P<f>[.,]\d{1,6})?)?"
    r"(?P<am> ?[AaPp]\.?[Mm]\.?)?)?(?P<zone> ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}(?: [A-Z]{3,4})?))?"
)
WORDED = (
    "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%m %d, %Y", "%b %d %Y", "%d/%b/%Y:%H:%M:%S %z", "%b %d, %Y %H:%M",
    "%b %d, %Y, %I:%M %p", "%b %d, %Y, %I:%M:%S %p", "%d %b %Y %H:%M", "%d %b %Y, %H:%M", "%d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %Z", "%a, %d %b %Y %H:%M:%S %z", "%I:%M %p %m/%d/%Y", "%B %d, %Y %H:%M", "%B %d, %Y at %I:%M %p",
    "%Y年%m月%d日", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H:%M:%S", "%Y년 %m월 %d일",
    *dates.FORMS,
)  # fmt: skip
DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
ORDERS = ("DM", "MD")


@dataclass(frozen=True)
class TimeForm:
    """How a column is read (`unit`, "" if it holds no times), and how else it could be."""

    unit: str = ""
    other: str = ""


def recognise(values: Sequence[str], named_time: bool = False) -> TimeForm:
    """Find how these values tell times.

    Args:
        values: filled cells, at most the first `SAMPLE` are looked at.
        named_time: whether the column's name says that it holds times; small numbers are times of Excel only then.
    """
    known = [dates.plain(text) for value in values[:SAMPLE] if (text := value.strip())]
    if not known:
        return TimeForm()
    has_negative = any(re.fullmatch(r"-\d+(\.\d+)?", text) for text in known)  # of what is older than 1970
    pattern = r"-?\d{1,20}(\.\d+)?" if has_negative else r"\d{5,20}(\.\d+)?|\d(\.\d+)?[eE]\+?\d{1,2}"
    numbers = [float(text) for text in known if re.fullmatch(pattern, text)]
    if len(numbers) >= MOST * len(known):
        return TimeForm(_epoch(max(map(abs, numbers))) if has_negative else _numeric(known, numbers, named_time))
    return _dates(known)


def are_days(values: Sequence[str]) -> bool:
    """Whether all values are days written as 20240131."""
    return all(_fits(dates.plain(value), DIGITS[8]) for value in values)


def _numeric(known: list[str], numbers: list[float], named_time: bool) -> str:
    width = Counter(map(len, known)).most_common(1)[0][0]
    digits = DIGITS.get(width)
    if digits and sum(_fits(text, digits) for text in known) >= MOST * len(known):
        return digits
    middle = median(numbers)
    if named_time and EXCEL_DAYS[0] <= middle <= EXCEL_DAYS[1]:
        return "excel"
    if min(numbers) < EARLIEST:
        return ""
    return _epoch(middle)


def _epoch(middle: float) -> str:
    return next((unit for unit, per in EPOCHS.items() if EARLIEST <= middle / per <= LATEST), "")


def _dates(known: list[str]) -> TimeForm:
    """Sort the values by the way they are written and give each way its format."""
    iso = [text for text in known if _is_iso(text)]
    if len(iso) >= MOST * len(known) and len(iso) == len([t for t in known if not _date(t) or _is_iso(t)]):
        return TimeForm("iso")
    others = [text for text in known if not _is_iso(text)]
    matches = [match for text in others if (match := _date(text))]
    orders = _possible_orders(matches)
    left = [text for text in others if not _date(text)]
    worded = _worded(left)
    fitting = len(iso) + len(matches) + sum(any(_fits(text, form) for form in worded) for text in left)
    if not orders or fitting < MOST * len(known):
        return TimeForm()
    units = [_unit(iso, matches, worded, order) for order in orders]
    return TimeForm(units[0], units[1] if len(set(units)) > 1 else "")


def _date(text: str) -> re.Match[str] | None:
    """The parts of a date in digits; a day of one digit may stand behind a year only, else it is a number of versions."""
    match = DATE.fullmatch(text)
    return match if match and (len(match["c"]) > 1 or len(match["a"]) == 4) else None


def _unit(iso: list[str], matches: list[re.Match[str]], worded: list[str], order: str) -> str:
    found = Counter(_format(match, order) for match in matches)
    if iso:
        found["iso"] = len(iso)
    return "|".join([form for form, _ in found.most_common()] + worded)


def _worded(texts: list[str]) -> list[str]:
    """The formats with month names that fit, those of most values first."""
    named = [
        text for text in texts[:20] if dates.names_month(text)
    ]  # to read in all forms takes a thousand times as long
    likely = [
        form for form in WORDED if any(_fits(text, form) for text in (named if "%b" in form.lower() else texts[:20]))
    ]
    counts = {form: sum(_fits(text, form) for text in texts[:200]) for form in likely}
    return sorted(counts, key=lambda one: -counts[one])[:4]


def _possible_orders(matches: list[re.Match[str]]) -> list[str]:
    """Which of day-month and month-day every value allows, the likelier first; a dot and a day-first range say which."""
    pairs = [(int(match["a"]), int(match["b"]), match["sep"]) for match in matches if len(match["a"]) <= 2]
    if not pairs:
        return ["DM"]
    day_first = sum(a > 12 >= b for a, b, _ in pairs)
    month_first = sum(b > 12 >= a for a, b, _ in pairs)
    if day_first or month_first:
        wrong = min(day_first, month_first)
        best = "DM" if day_first >= month_first else "MD"
        return [best] if wrong <= (1 - MOST) * len(pairs) else []
    if any(sep == "." for *_, sep in pairs):
        return ["DM"]
    return [_ordered(matches)] if _ordered(matches) else list(ORDERS)


def _ordered(matches: list[re.Match[str]]) -> str:
    """The order in which the file's rows run forwards or backwards, if they do so in one order only."""
    rising = []
    for order in ORDERS:
        moments = [moment for match in matches if (moment := _parsed(match.group(), _format(match, order)))]
        if len(set(moments)) > 5 and (moments in (sorted(moments), sorted(moments, reverse=True))):
            rising.append(order)
    return rising[0] if len(rising) == 1 else ""


def _format(match: re.Match[str], order: str) -> str:
    """The strptime format of a date as it is written."""
    year = "%Y" if len(match["c"]) == 4 or len(match["a"]) == 4 else "%y"
    first, second = ("%d", "%m") if order == "DM" else ("%m", "%d")
    parts = ("%Y", "%m", "%d") if len(match["a"]) == 4 else (first, second, year)
    return match["sep"].join(parts) + _clock(match) + _zone(match)


def _clock(match: re.Match[str]) -> str:
    if match["h"] is None:
        return ""
    form = f"{match['gap']}{'%I' if match['am'] else '%H'}{match['hm']}%M"
    if match["s"]:
        form += f"{match['ms']}%S" + (f"{match['f'][0]}%f" if match["f"] else "")
    return form + ((" " if match["am"][0] == " " else "") + "%p" if match["am"] else "")


def _zone(match: re.Match[str]) -> str:
    zone = match["zone"]
    if not zone:
        return ""
    offset, _, name = zone.strip().partition(" ")
    written = "%z" if offset[0] in "+-Z" else offset
    return (" " if zone[0] == " " else "") + written + (f" {name}" if name else "")


def _is_iso(text: str) -> bool:
    return len(text) >= 10 and not text.isdigit() and _parsed(text, "") is not None


def _fits(text: str, form: str) -> bool:
    moment = _parsed(text, form)
    return moment is not None and 1900 <= moment.year <= 2100


def _parsed(text: str, form: str) -> datetime | None:
    moment = dates.read(text, form)
    return moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment


def moment_of(text: str, unit: str) -> datetime | None:
    """The moment a cell tells, read as `unit` says; None where it tells none.

    >>> moment_of("07.03.2025", "%d.%m.%Y %H:%M|%d.%m.%Y").isoformat()
    '2025-03-07T00:00:00+00:00'
    """
    text = text.strip()
    return next((moment for form in unit.split("|") if (moment := _moment(text, form)) is not None), None)


def _moment(text: str, form: str) -> datetime | None:
    if "%" in form or form == "iso":
        return _parsed(text, form if "%" in form else "")
    try:
        number = float(text)
        if form == "excel":
            return EXCEL_ZERO + timedelta(days=number)
        return datetime.fromtimestamp(number / EPOCHS[form or "s"], UTC)
    except (ValueError, OverflowError, OSError):
        return None
