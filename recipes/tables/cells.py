"""Cells into values: what each kind of column takes, and the rule that a cell breaks which it does not take.

The conversions are those of whole columns; recipes.tables.values has the same for one value.
"""

from __future__ import annotations

import math
import re
import time
from datetime import UTC
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.tables import dates, epochs
from recipes.tables.amounts import NUMBER, plain_numbers
from recipes.tables.epochs import DAY_S, EXCEL, EXCEL_EPOCH_DAYS, PER_SECOND, UNIT_NAMES
from recipes.tables.field import MAX_TEXT_LENGTH, Field

MIN_TIME = -62_135_596_800  # 0001-01-01, for items older than 1970
MAX_TIME = 4_102_444_800  # 2100-01-01; milliseconds taken for seconds lie far behind it
FINER = {  # by how many of them a second has: what a number that is too large for seconds is in
    10**3: "; it looks like milliseconds",
    10**6: "; it looks like microseconds",
    10**9: "; it looks like nanoseconds",
}
MAX_SKEW_S = 86_400  # an event may lie so far ahead of the clock, which covers every time zone
INT64, INT64_DIGITS = 2**63, 19
NULL_WORDS = ["null", "nan", "na", "n/a", "none", r"\n"]
# what spreadsheets show where a formula has no value, and what programs write where they know no id
SHEET_ERRORS = [
    "#N/A",
    "#REF!",
    "#NAME?",
    "#VALUE!",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#NV",
    "#BEZUG!",
    "#WERT!",
    "#ZAHL!",
]
NO_IDS = ["null", "NULL", "Null", "nan", "NaN", "none", "None", "undefined", "[object Object]", r"\N", *SHEET_ERRORS]
NULL_MARK = r"\N"
VECTOR = r"^[\s\[({]*[+-]?\.?\d[\d\s.,;|eE+-]*[\s\])}]*$"
FORMULA = r'^="([^"]*)"$'
WHOLE = r"^[+-]?([0-8]\d{18}|\d{1,18})$"  # surely of 64 bits
HEX = r"^0[xX][0-9a-fA-F]{1,16}$"
TRUE_WORDS = ["true", "t", "yes", "y", "1", "on", "ja", "wahr", "oui", "vrai"]
FALSE_WORDS = ["false", "f", "no", "n", "0", "off", "nein", "falsch", "non", "faux"]
ISO = "ISO 8601 such as 2026-01-31T13:45:00Z"
CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f")
REPLACED = "\ufffd"
REQUIRED = "is required and must not be empty"
Rules = NDArray[np.object_]


def check(
    field: Field, texts: pa.Array, unit: str, decimal: str, latest: int, *, is_small: bool = False
) -> tuple[pa.Array, Rules]:
    """The typed values of a column of texts, null where a cell breaks a rule, and that rule ("" where none is broken).

    Args:
        field: the schema's column.
        texts: the cells, null where empty.
        unit: how times are written.
        decimal: the decimal point.
        latest: the newest time that an event may have, epoch seconds.
        is_small: whether the file's events are known to lie in 1970, so that no time there is doubted.
    """
    rules = no_rules(len(texts))
    texts = _readable(texts, rules)
    if field.is_time:
        values = times(texts, unit, rules, *bounds(field, latest), is_small=is_small)
    elif field.type == "string":
        values = _strings(field, texts, rules)
    elif field.type == "boolean":
        values = _booleans(texts, rules)
    else:
        values = _numbers(field, texts, decimal, rules)
    values = pc.if_else(pa.array(rules == ""), values, pa.scalar(None, values.type))
    if not field.nullable:
        mark(rules, pc.is_null(values), REQUIRED)
    return values.cast(field.arrow), rules


def bounds(field: Field, latest: int) -> tuple[int, int]:
    """The oldest and the newest time that a column takes: events happen from 1970 until now, items are older or to come."""
    return (0, min(latest, MAX_TIME)) if field.name == "TIMESTAMP" else (MIN_TIME, MAX_TIME)


def no_rules(rows: int) -> Rules:
    """Room for the rule that each of `rows` cells breaks."""
    return np.full(rows, "", object)


def mark(rules: Rules, mask: pa.Array, rule: str) -> None:
    """Note `rule` where `mask` is true and nothing else was found yet."""
    rows = np.flatnonzero(np.asarray(pc.fill_null(mask, False)))
    for row in rows:
        rules[row] = rules[row] or rule


def to_seconds(values: pa.Array, unit: str) -> pa.Array:
    """Epoch seconds of times written in `unit`.

    Raises:
        pa.ArrowInvalid: a text is not a time.
    """
    if unit == EXCEL:
        return _excel_seconds(values)
    if unit in PER_SECOND:
        return _whole_seconds(values, PER_SECOND[unit])
    return _parse_times(values, unit)


def _whole_seconds(values: pa.Array, per: int) -> pa.Array:
    """Whole numbers of a unit of which there are `per` in a second, rounded down; exact beyond 2^53."""
    if per == 1:
        return values
    towards_zero = pc.divide(values, per)
    is_below = pc.less(values, pc.multiply(towards_zero, per))
    return pc.subtract(towards_zero, pc.cast(is_below, pa.int64()))


def _excel_seconds(days: pa.Array) -> pa.Array:
    return pc.round(pc.multiply(pc.subtract(days.cast(pa.float64()), EXCEL_EPOCH_DAYS), DAY_S)).cast(pa.int64())


def _parse_times(texts: pa.Array, unit: str) -> pa.Array:
    if "|" in unit:
        raise pa.ArrowInvalid("Cells in several formats are checked one by one.")
    if "%" in unit:
        distinct = texts.dictionary_encode()
        stamps = pc.strptime(distinct.dictionary, format=unit, unit="s")
        overflown = pc.less_equal(pc.day(stamps), 3)  # what 30 February becomes
        for word, moment in zip(
            distinct.dictionary.filter(overflown), stamps.cast(pa.int64()).filter(overflown), strict=True
        ):
            if text_time(word.as_py(), unit) != moment.as_py():
                raise pa.ArrowInvalid(f"{word} is no day of the calendar.")
        return stamps.cast(pa.int64()).take(distinct.indices)
    try:
        stamps = texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        stamps = texts.cast(pa.timestamp("us", tz="UTC"))
    return pc.floor(pc.divide(stamps.cast(pa.int64()).cast(pa.float64()), 1e6)).cast(pa.int64())


def as_meant(texts: pa.Array) -> pa.Array:
    """The cells, those as ="007", in which spreadsheets keep text, without the marks."""
    return pc.replace_substring_regex(texts, FORMULA, r"\1")


def _readable(texts: pa.Array, rules: Rules) -> pa.Array:
    """The cells as they are meant, those that hold what is no text marked."""
    texts = as_meant(texts)
    mark(rules, pc.match_substring(texts, REPLACED), "is not UTF-8 text")
    mark(rules, pc.match_substring(texts, "\0"), "holds a NUL character")
    return texts


def _strings(field: Field, texts: pa.Array, rules: Rules) -> pa.Array:
    if field.is_id:
        texts = pc.utf8_trim_whitespace(texts)
        mark(rules, pc.is_in(texts, pa.array(SHEET_ERRORS)), "is the error of a spreadsheet's formula and no id")
        missing = pc.or_(pc.equal(texts, ""), pc.is_in(texts, pa.array(NO_IDS)))
        texts = pc.if_else(missing, pa.scalar(None, pa.string()), texts)
    else:
        texts = pc.if_else(pc.equal(texts, NULL_MARK), pa.scalar(None, pa.string()), texts)
    if field.textual:
        return shortened(texts)
    if field.max_length is not None:
        too_long = pc.greater(pc.utf8_length(texts), field.max_length)
        if not field.is_id:
            too_long = pc.and_(too_long, pc.invert(pc.match_substring_regex(texts, VECTOR)))
        mark(rules, too_long, f"has more than {field.max_length:,} characters")
    return texts


def shortened(texts: pa.Array) -> pa.Array:
    """Texts of at most MAX_TEXT_LENGTH characters; of a vector, which is a list of numbers however long, nothing is cut off."""
    is_long = pc.greater(pc.utf8_length(texts), MAX_TEXT_LENGTH)
    is_prose = pc.and_(is_long, pc.invert(pc.match_substring_regex(texts, VECTOR)))
    return pc.if_else(is_prose, pc.utf8_slice_codeunits(texts, 0, MAX_TEXT_LENGTH), texts)


def _booleans(texts: pa.Array, rules: Rules) -> pa.Array:
    words = without_null_words(pc.utf8_lower(pc.utf8_trim_whitespace(texts)))
    true = pc.is_in(words, pa.array(TRUE_WORDS))
    known = pc.or_(true, pc.is_in(words, pa.array(FALSE_WORDS)))
    mark(rules, pc.and_(pc.is_valid(words), pc.invert(known)), "is neither true nor false")
    return pc.if_else(known, true, pa.scalar(None, pa.bool_()))


def _numbers(field: Field, texts: pa.Array, decimal: str, rules: Rules) -> pa.Array:
    words = plain_numbers(without_null_words(pc.utf8_trim_whitespace(texts)), decimal)
    words = words if field.type in {"float", "double"} else _without_hex(words)
    matched = pc.match_substring_regex(words, NUMBER)
    mark(rules, pc.invert(matched), "is not a number")
    words = pc.if_else(pc.fill_null(matched, False), words, pa.scalar(None, pa.string()))
    numbers = words.cast(pa.float64())
    mark(rules, pc.invert(pc.is_finite(numbers)), "does not fit into 64 bits")
    if field.type in {"float", "double"}:
        return numbers
    return _whole(words, numbers, rules)


def _whole(words: pa.Array, numbers: pa.Array, rules: Rules) -> pa.Array:
    """64-bit integers: exact, also of forms such as 1995.0 and 1e3."""
    broken = pc.not_equal(numbers, pc.floor(numbers))
    mark(rules, broken, "is not a whole number")
    short = pc.fill_null(pc.match_substring_regex(words, WHOLE), False)
    exact = _exact(words, short)
    others = np.flatnonzero(np.asarray(pc.and_(pc.is_valid(words), pc.invert(short))))
    if not len(others):
        return exact
    values = exact.to_pylist()
    for row in others.tolist():
        values[row] = whole_of(words[row].as_py())
    found = pa.array(values, pa.int64())
    mark(rules, pc.and_(pc.is_valid(words), pc.is_null(found)), "does not fit into 64 bits")
    return found


def _exact(words: pa.Array, mask: pa.Array) -> pa.Array:
    """The whole numbers where `mask` is true, null elsewhere."""
    kept = pc.if_else(mask, pc.utf8_ltrim(words, "+"), pa.scalar(None, pa.string()))
    return kept.cast(pa.int64())


def _without_hex(words: pa.Array) -> pa.Array:
    """Hexadecimal numbers of 64 bits, which the parser of clean blocks reads, as decimal ones."""
    if not pc.any(pc.match_substring_regex(words, HEX)).as_py():
        return words
    return pa.array([_decimal(word) if word else word for word in words.to_pylist()], pa.string())


def _decimal(word: str) -> str:
    if not re.fullmatch(HEX, word):
        return word
    number = int(word, 16)
    return str(number if number < INT64 else number - 2 * INT64)


def whole_of(text: str) -> int | None:
    """A whole number of 64 bits written in any form of NUMBER; None if it is too large, the nearest below if it is broken."""
    try:
        number = int(text)
    except ValueError:
        exact = Decimal(text)
        if not exact.is_finite() or exact.adjusted() > INT64_DIGITS:
            return None
        number = math.floor(exact)
    return number if -INT64 <= number < INT64 else None


def without_null_words(words: pa.Array) -> pa.Array:
    """Words that stand for nothing, such as NaN and N/A, as nulls."""
    blank = pc.or_(pc.equal(words, ""), pc.is_in(pc.utf8_lower(words), pa.array(NULL_WORDS)))
    return pc.if_else(blank, pa.scalar(None, pa.string()), words)


def times(
    texts: pa.Array,
    unit: str,
    rules: Rules,
    earliest: int = MIN_TIME,
    latest: int = MAX_TIME,
    *,
    is_small: bool = False,
) -> pa.Array:
    """Epoch seconds of a column of texts; what is no time is null and has its rule noted."""
    words = without_null_words(pc.utf8_trim_whitespace(texts))
    words = _without_hex(words) if unit in PER_SECOND else words
    is_number = unit in PER_SECOND or unit == EXCEL
    seconds = _unit_times(words, unit, rules) if is_number else _text_times(words, unit, rules)
    if not is_small:
        _mark_misread(words, seconds, unit, rules, is_event=earliest == 0)
    hints = FINER if unit in {"", "s"} else {}
    for per_second, hint in hints.items():
        is_that = pc.and_(pc.greater(seconds, MAX_TIME), pc.less_equal(seconds, MAX_TIME * per_second))
        mark(rules, is_that, f"lies after the year 2100{hint}, allowed are epoch seconds")
    mark(rules, pc.greater(seconds, MAX_TIME), "lies after the year 2100, allowed are epoch seconds")
    mark(rules, pc.greater(seconds, latest), "lies in the future; an event may be at most a day ahead of the clock")
    early = "lies before 1970; allowed are epoch seconds" if earliest == 0 else "lies before the year 1"
    mark(rules, pc.less(seconds, earliest), early)
    return seconds


def _mark_misread(words: pa.Array, seconds: pa.Array, unit: str, rules: Rules, *, is_event: bool) -> None:
    """Mark numbers that lie in 1970 because they are in another unit than their column."""
    if not epochs.may_be_misread(seconds, unit, is_event=is_event):
        return
    numbers = np.array([epochs.number_of(word) for word in words.to_pylist()])
    for hint, mask in epochs.misread(numbers, unit, int(time.time()), is_event=is_event).items():
        mark(rules, pa.array(mask), f"lies in 1970 as {UNIT_NAMES[unit]}; it looks like {hint}")


def _unit_times(words: pa.Array, unit: str, rules: Rules) -> pa.Array:
    matched = pc.match_substring_regex(words, NUMBER)
    if pc.all(matched).as_py() is False:
        words = pa.array([word and dates.plain(word) for word in words.to_pylist()], pa.string())
        matched = pc.match_substring_regex(words, NUMBER)
    mark(rules, pc.invert(matched), f"is not a number of {UNIT_NAMES[unit]}")
    words = pc.if_else(pc.fill_null(matched, False), words, pa.scalar(None, pa.string()))
    numbers = words.cast(pa.float64())
    if unit == EXCEL:
        seconds = pc.round(pc.multiply(pc.subtract(numbers, EXCEL_EPOCH_DAYS), DAY_S))
    else:
        seconds = pc.floor(pc.divide(numbers, float(PER_SECOND[unit])))
    seconds = pc.min_element_wise(pc.max_element_wise(seconds, -1e17), 1e17)
    seconds = pc.if_else(pc.is_valid(numbers), seconds, pa.scalar(None, pa.float64())).cast(pa.int64(), safe=False)
    if unit == EXCEL:
        return seconds
    whole = pc.fill_null(pc.match_substring_regex(words, WHOLE), False)
    return pc.coalesce(_whole_seconds(_exact(words, whole), PER_SECOND[unit]), seconds)


def _text_times(words: pa.Array, unit: str, rules: Rules) -> pa.Array:
    distinct = words.dictionary_encode()
    parsed = [text_time(word, unit) for word in distinct.dictionary.to_pylist()]
    found = pa.array(parsed, pa.int64()).take(distinct.indices)
    shapes = (
        ISO if form in {"iso", ""} else UNIT_NAMES.get(form, f"the format {dates.in_words(form)}")
        for form in unit.split("|")
    )
    shape = " or ".join(shapes)
    mark(rules, pc.and_(pc.is_valid(words), pc.is_null(found)), f"is not a time; expected is {shape}")
    return found


def text_time(word: str, unit: str) -> int | None:
    """Epoch seconds, None for what is no time; without a zone UTC is meant.

    Of several units, with | between, the first that fits counts. A day may stand without a clock where others have one, and the
    other way round.
    """
    for one in unit.split("|"):
        found = _number_time(word, one) if one in UNIT_NAMES else _written_time(word, one)
        if found is not None:
            return found
    return None


def _number_time(word: str, unit: str) -> int | None:
    word = dates.plain(word)
    if not re.fullmatch(NUMBER, word, re.ASCII):
        return None
    number = float(word)
    if PER_SECOND.get(unit, 1) > 1 and epochs.is_coarser(number, unit, int(time.time())):
        return None
    seconds = round((number - EXCEL_EPOCH_DAYS) * DAY_S) if unit == EXCEL else number // PER_SECOND[unit]
    return int(seconds) if MIN_TIME <= seconds <= MAX_TIME else None


def _written_time(word: str, unit: str) -> int | None:
    forms: list[str | None] = [unit if "%" in unit else None]
    day = unit.partition(" %H")[0]
    if "%y" in day.lower() and "%I" not in unit:
        forms += [day + clock for clock in CLOCKS]
    for form in forms:
        try:
            moment = dates.read(word, form or "")
            if moment is not None:
                return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 1)
        except (ValueError, OverflowError):
            continue
    return None
