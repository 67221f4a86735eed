"""Dates as programs and people write them, brought into forms that strptime reads: without wrappings, words in English.

>>> plain('ISODate("2024-01-31T13:45:00Z")'), plain("31/01/2024 1:45 p. m."), plain("2024-01-31 13:45 CET")
('2024-01-31T13:45:00Z', '31/01/2024 1:45 PM', '2024-01-31 13:45 +0100')
>>> plain("3. 1. 2024 9:30")
'3.1.2024 9:30'
>>> plain("31/01/2024 à 13:45"), plain("31.01.2024, um 13:45 Uhr"), plain("31-01-2024 a las 13:45")
('31/01/2024 13:45', '31.01.2024 13:45', '31-01-2024 13:45')

>>> plain("mié. 31/01/2024"), plain("13:45 31.01.2024"), plain("45294,395833")
('31/01/2024', '31.01.2024 13:45', '45294.395833')

>>> plain("2024/3/1 下午1:00:05"), plain("1/3/2024, 1:00:05 μ.μ."), plain("2024-07-01 10:00:00 Europe/Berlin")
('2024/3/1 1:00:05 PM', '1/3/2024, 1:00:05 PM', '2024-07-01T10:00:00+02:00')

>>> canonical("31. Januar 2021, 15:45 Uhr"), canonical("Sunday, January 31st, 2021 at 3:45 p.m.")
('31 Jan 2021 15:45', 'Jan 31 2021 3:45 PM')
>>> canonical("31 de enero de 2021"), canonical("31-JAN-21 03.45.10.000000 PM"), canonical("31JAN2021:13:45:00")
('31 Jan 2021', '31 Jan 21 03:45:10.000000 PM', '31 Jan 2021 13:45:00')
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recipes.tables.words import folded

ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NAMES = (
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janner feber maerz apr mai jun jul aug sept okt nov dez",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "janv fevr mars avr mai juin juil aout sept oct nov dec",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago set oct nov dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
)
MONTHS = {name: ENGLISH[n] for names in NAMES for n, name in enumerate(names.split())}
MONTH_WORDS = frozenset(ENGLISH)
DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun "
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim "
    "lunes martes miercoles jueves viernes sabado domingo mie jue vie sab dom "
    "lunedi martedi mercoledi giovedi venerdi gio segunda terca quarta quinta sexta seg ter qua qui sex feira "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
)
FILLERS = "de del of the um uhr a as at le il den der op om h hrs alle ore las les el utc gmt z"
LEADING = frozenset(
    f"{DAYS} il le el am den der on op em dia vom du lo la il giorno".split()
)  # words before a date in digits
DROPPED = frozenset(DAYS.split()) - MONTHS.keys() | frozenset(FILLERS.split())
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %I:%M:%S.%f %p", " %H:%M:%S %z")
FORMS = (
    *(day + clock for day, clock in product(("%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %b %y"), CLOCKS)),
    "%b %d %H:%M:%S %Y", "%H:%M %d %b %Y", "%b %Y",
)  # fmt: skip
PARTS = {
    "%d": "day", "%m": "month", "%Y": "year", "%y": "year", "%b": "month", "%B": "month", "%a": "weekday", "%H": "hour", "%I": "hour", "%M": "minute",
    "%S": "second", "%f": "fraction", "%p": "AM/PM", "%z": "zone", "%Z": "zone",
}  # fmt: skip
BARE = re.compile(r"(?!\d{1,2}:[\d:]+ )[\d:./+-]+([ T][\d:./+-]+Z?)?")
AM, PM = "上午|午前|오전|π\\.?μ\\.?|ص", "下午|午後|오후|μ\\.?μ\\.?|م"
WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹،", "01234567890123456789,", "\u200e\u200f")
WRAPPINGS = [
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"[\u00a0\u202f\u2009]", " "),
        (r"^(\d{4})\. ?(\d{1,2})\. ?(\d{1,2})\.(?= |$)", r"\1.\2.\3"),
        (rf"({AM}) ?(\d{{1,2}}:\d\d(?::\d\d)?)$", r"\2 AM"),
        (rf"({PM}) ?(\d{{1,2}}:\d\d(?::\d\d)?)$", r"\2 PM"),
        (rf"(?<=\d) ?({AM})$", " AM"),
        (rf"(?<=\d) ?({PM})$", " PM"),
        (r"^(\d{1,2}\.) (\d{1,2}\.) ?(?=\d{4})", r"\1\2"),
        (r"^(new )?\w*date\w*\(\s*['\"]?(.*?)['\"]?\s*\)$|^/date\((\d+)[^)]*\)/$", r"\2\3"),
        (r"(?<=\dZ)\[[\w/]+\]$|(?<=[+-]\d\d:\d\d)\[[\w/]+\]$", ""),
        (r"^['\"\[]+|['\"\]]+$", ""),
        (r"(?<=\d) (uhr|hrs?|h)$", ""),
        (
            r"((?<=[./-]\d\d)|(?<=[./-]\d{4})),? (?:à|a|at|um|as|às|om|o|kl\.?|ore|alle(?: ore)?|a las?|godz\.?) (?=\d)",
            " ",
        ),
        (r"(?<=\d)( ?)([ap])\.\s?m\b\.?", r"\1\2m"),
        (r"^(\d{4}-\d\d-\d\d)t(?=\d)", r"\1T"),
        (r"(?<=\d)z$", "Z"),
        (r"(?<=\d)( ?)([ap]m)\b", lambda found: found[1] + found[2].upper()),
        (r"^((?:[^\W\d_]+\.?,? ){1,2})(?=\d{1,4}[./-]\d{1,2}[./-]\d)", lambda found: _unless_leading(found[1])),
        (
            r"^(\d{1,2}[:h]\d\d(?::\d\d)?(?: ?[AP]M)?)(?: uhr)?(?:,| -| am| le| il| el| on| op| em| del?)? (\d{1,4}[./-]\d{1,2}[./-]\d{1,4})$",
            r"\2 \1",
        ),
        (r"^(\d{5,}),(\d+)$", r"\1.\2"),
    )
]
ZONES = {
    "EST": " -0500", "EDT": " -0400", "CST": " -0600", "CDT": " -0500", "MST": " -0700", "MDT": " -0600", "PST": " -0800", "PDT": " -0700",
    "CET": " +0100", "CEST": " +0200", "MEZ": " +0100", "MESZ": " +0200", "BST": " +0100", "JST": " +0900",
}  # fmt: skip
ZONE = re.compile(r"(?<=\d) ([A-Z]{3,4})$")
PLACE = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*) ([A-Z]\w+(?:/[\w+-]+)+)")
LONGEST = 200  # characters of a cell that may be a date: what is kept of longer ones would fill the memory
STEPS = (
    (r"\(.*\)|[\[\]]", " "),
    (r"\b([ap])\.?\s?m\b\.?", r"\1m"),
    (r"(?<=\d)(st|nd|rd|th|er|re|e|o|a)\b", ""),
    (r"\b(gmt|utc)(?=[+-]\d)", " "),
    (r"(?<=[a-z\d])-(?=[a-z])|(?<=[a-z])-(?=\d)|[,/]", " "),
    (r"\b(\d{1,2})([a-z]{3,9})(\d{4}|\d\d)\b", r"\1 \2 \3"),
    (r"\b(\d{4}|\d\d(?=:\d\d:\d\d:)):(?=\d\d:)", r"\1 "),
    (r"\b(\d{1,2})\.(\d{2})\.(\d{2})(?=\b|\.\d)", r"\1:\2:\3"),
    (r"(?<=\d)h(?=\d\d\b)", ":"),
    (r"(\.\d{6})\d+", r"\1"),
)  # fmt: skip


def plain(text: str) -> str:
    """A date without what stands around it: quotes, constructors, zones in words, `Uhr`; what is too long for a date stays."""
    return text if len(text) > LONGEST else _plain(text)


@lru_cache(maxsize=1 << 16)
def _plain(text: str) -> str:
    text = text if text.isascii() else text.translate(WESTERN)
    if BARE.fullmatch(text):
        return text
    for pattern, instead in WRAPPINGS:
        text = pattern.sub(instead, text)
    text = PLACE.sub(lambda found: _with_offset(found[1], found[2]), text.strip())
    return ZONE.sub(lambda found: ZONES.get(found[1], found[0]), text)


def _with_offset(text: str, place: str) -> str:
    """An ISO time of a place, as in `Europe/Berlin`, with the offset that it had there then."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(place)).isoformat()
    except (ValueError, ZoneInfoNotFoundError):
        return f"{text} {place}"


def _unless_leading(words: str) -> str:
    """Nothing where all words are weekdays or articles, which a date in digits does not need; else the words."""
    return "" if all(word in LEADING for word in re.findall(r"[a-z]+", folded(words))) else words


def canonical(text: str) -> str:
    """A date in words with the English month's first letters and without the weekday, ordinals and other words; "" for what is too long."""
    return "" if len(text) > LONGEST else _canonical(text)


@lru_cache(maxsize=1 << 16)
def _canonical(text: str) -> str:
    found = folded(text)
    for pattern, instead in STEPS:
        found = re.sub(pattern, instead, found)
    words = (word.strip(".") for word in found.split())
    return " ".join(_english(word) for word in words if word and word not in DROPPED)


def in_words(form: str) -> str:
    """A format of strptime as people read it.

    >>> in_words("%d.%m.%Y %H:%M")
    'day.month.year hour:minute'
    """
    return re.sub(r"%\w", lambda part: PARTS.get(part[0], part[0]), form)


def names_month(text: str) -> bool:
    """Whether a text may be a date in words: it has digits and a month's name.

    >>> names_month("31 de enero de 2021"), names_month("in May"), names_month("a red car, 27")
    (True, False, False)
    """
    return any(map(str.isdigit, text)) and not MONTH_WORDS.isdisjoint(canonical(text).split())


def _english(word: str) -> str:
    return word.upper() if word in {"am", "pm"} else MONTHS.get(word, word)


def read(text: str, form: str) -> datetime | None:
    """The moment that a text tells as `form`, "" for ISO 8601, says; None where it does not. Without a zone it is naive."""
    tried = [text, plain(text)]
    if form in FORMS and any(letter.isalpha() for letter in text):
        tried.append(canonical(text))
    for one in dict.fromkeys(tried):
        try:
            return datetime.strptime(one, form) if form else datetime.fromisoformat(one)  # noqa: DTZ007
        except ValueError:
            continue
    return None
