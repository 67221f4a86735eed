"""Times of day that stand in a column of their own, beside that of the day."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from recipes.tables import moments
from recipes.tables.describe import EXAMPLES, MOST, Guess, known_values
from recipes.tables.words import tokens

CLOCK = r"^\d{1,2}(:\d{2}){1,2}([.,]\d+)?( ?[AaPp]\.? ?[Mm]\.?)?( ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$|^\d{1,2} ?h ?\d{2}$"
POINTED = r"^([01]?\d|2[0-3])\.[0-5]\d(\.[0-5]\d)?( ?(Uhr|[AaPp]\.?[Mm]\.?))?$"  # a clock with points, or a number
DIGITS = r"^([01]\d|2[0-3])[0-5]\d([0-5]\d)?$"
HOUR = r"^([01]?\d|2[0-3])$"
CLOCK_NAMES = frozenset(
    ["ora", "ore", "orario", "hora", "heure", "uhrzeit", "zeit", "time", "tijd", "uur", "klokkeslaet", "tid", "godzina"]
)
UNTOLD = 2  # letters of a name, or a column's number, that say nothing
HOUR_NAMES = frozenset(["hour", "hr", "hh", "stunde", "heure", "hora", "ora", "uur", "godzina"])
NAMES = re.compile(
    r"erzet|uzeit|time|zeit|uhr|heure|hora|^ora|orario|tijd|clock|hour|stunde|\b(hr|hh|std|uur|godzina)\b"
)
NO_CLOCK = re.compile(r"dura|dauer|length|play|watch|spent|duree|lauf|elapsed")


def join_clocks(guesses: Sequence[Guess], columns: list[pa.Array]) -> None:
    """Let the columns of times say of which column the time of day is where they tell days alone; their cells get it."""
    for place, guess in enumerate(guesses):
        if guess.name in {"TIMESTAMP", "CREATION_TIMESTAMP"} and _tells_days(guess, columns[place]):
            clock = next(
                (n for n, other in enumerate(guesses) if other is not guess and _tells_clocks(other, columns[n])), None
            )
            if clock is not None:
                _join(guess, guesses[clock], columns, place, clock)


def _tells_days(guess: Guess, values: pa.Array) -> bool:
    is_day = guess.unit == "iso" or ("%d" in guess.unit and "%H" not in guess.unit and "%I" not in guess.unit)
    timed = pc.mean(pc.match_substring_regex(known_values(values), r"\d:\d\d")).as_py() or 0.0
    return is_day and bool(timed <= 1 - MOST)


def _tells_clocks(guess: Guess, values: pa.Array) -> bool:
    names = " ".join(tokens(guess.source))
    is_unnamed = len(names) <= UNTOLD
    if not (NAMES.search(names) or is_unnamed) or NO_CLOCK.search(names):
        return False
    if is_unnamed and not _are_surely_clocks(known_values(values)):
        return False
    if pc.all(pc.match_substring_regex(known_values(values), DIGITS)).as_py():
        return True
    if HOUR_NAMES & set(tokens(guess.source)) and pc.all(pc.match_substring_regex(known_values(values), HOUR)).as_py():
        return guess.known > 0
    pattern = f"{CLOCK}|{POINTED}" if CLOCK_NAMES & set(tokens(guess.source)) else CLOCK
    share = pc.mean(pc.match_substring_regex(known_values(values), pattern)).as_py() or 0.0
    return bool(share >= MOST)


def _are_surely_clocks(known: pa.Array) -> bool:
    """Whether the values are no durations: all have two digits of hours, and some are in the afternoon or have seconds."""
    every, some = r"^\d\d:\d\d", r"^(1[2-9]|2[0-3]):|^\d\d:\d\d:\d\d"
    return bool(
        pc.all(pc.match_substring_regex(known, every)).as_py() and pc.any(pc.match_substring_regex(known, some)).as_py()
    )


def _join(guess: Guess, clock: Guess, columns: list[pa.Array], place: int, other: int) -> None:
    joined = pc.fill_null(with_clock(columns[place], columns[other]), "")
    known = known_values(joined)
    form = moments.recognise(known[: moments.SAMPLE].to_pylist(), named_time=True)
    if form.unit:
        guess.unit, guess.other_unit, guess.recognised_unit, guess.clock = (
            form.unit,
            form.other,
            form.unit,
            clock.source,
        )
        guess.examples = [str(value) for value in known[:EXAMPLES].to_pylist()]
        clock.include = False
        columns[place] = joined


def with_clock(days: pa.Array, clocks: pa.Array) -> pa.Array:
    """Days and times of day as one text each, `093012` as 09:30:12 and `9` as 09:00; a day without the other stands alone."""
    day, clock = (pc.utf8_trim_whitespace(pc.fill_null(part.cast(pa.string()), "")) for part in (days, clocks))
    clock = pc.replace_substring_regex(clock, r"^(\d\d)(\d\d)(\d\d)?$", r"\1:\2:\3")
    clock = pc.replace_substring_regex(clock, r"^(\d)$", r"0\1")
    clock = pc.replace_substring_regex(clock, r"^(\d\d)$", r"\1:00")
    day = pc.replace_substring_regex(day, r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3")
    joined = pc.utf8_trim(pc.binary_join_element_wise(day, clock, " "), " :")
    return pc.if_else(pc.equal(day, ""), pa.scalar(None, pa.string()), joined)
