"""Single cells judged: the slow path of the import, taken only by blocks in which something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.ingest.reserved import MAX_TEXT_LENGTH
from console.ingest.schema import Field

PER_SECOND = {"": 1, "s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
TIME_COLUMNS = {"TIMESTAMP", "CREATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP", "EXPIRATION_TIMESTAMP"}
MAX_TIME = 4_102_444_800  # 2100-01-01; milliseconds taken for seconds lie far behind it
NULL_WORDS = ["null", "nan", "na", "n/a", "none", r"\n"]
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
TRUE_WORDS, FALSE_WORDS = ["true", "t", "yes", "1"], ["false", "f", "no", "0"]
Rules = NDArray[np.object_]


def judge(
    field: Field, texts: pa.Array, unit: str, decimal: str, max_length: int | None, wrong_text: bool
) -> tuple[pa.Array, Rules]:
    """The typed values of a column of texts, and the rule that each cell breaks ("" where none).

    Args:
        field: the schema's column.
        texts: the cells, null where empty.
        unit: how times are written.
        decimal: the decimal point.
        max_length: the most characters allowed.
        wrong_text: whether the block was not UTF-8, so that replacement characters are faults.
    """
    rules = no_rules(len(texts))
    if wrong_text:
        _mark(rules, pc.match_substring(texts, "\ufffd"), "is not UTF-8 text")
    if field.name in TIME_COLUMNS:
        values = times(texts, unit, rules)
    elif field.type == "string":
        values = _strings(field, texts, max_length, rules)
    elif field.type == "boolean":
        values = _booleans(texts, rules)
    else:
        values = _numbers(field, texts, decimal, rules)
    if not field.nullable:
        _mark(rules, pc.is_null(values), "is required and must not be empty")
    return values.cast(field.arrow), rules


def no_rules(rows: int) -> Rules:
    """Room for the rule that each of `rows` cells breaks."""
    return np.full(rows, "", object)


def to_seconds(values: pa.Array, unit: str) -> pa.Array:
    """Epoch seconds of times written in `unit`.

    Raises:
        pa.ArrowInvalid: a text is not a time.
    """
    if unit in PER_SECOND:
        whole = values if pa.types.is_integer(values.type) else pc.cast(pc.floor(values), pa.int64())
        per = PER_SECOND[unit]
        return whole if per == 1 else pc.floor(pc.divide(pc.cast(whole, pa.float64()), per)).cast(pa.int64())
    return _parse_times(values, unit)


def _parse_times(texts: pa.Array, unit: str) -> pa.Array:
    if "%" in unit:
        return pc.strptime(texts, format=unit, unit="s").cast(pa.int64())
    try:
        stamps = texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        stamps = texts.cast(pa.timestamp("us", tz="UTC"))
    return stamps.cast(pa.timestamp("s"), safe=False).cast(pa.int64())


def _mark(rules: Rules, mask: pa.Array, rule: str) -> None:
    """Note `rule` where `mask` is true and nothing else was found yet."""
    rows = np.flatnonzero(np.asarray(pc.fill_null(mask, False)))
    for row in rows:
        rules[row] = rules[row] or rule


def _strings(field: Field, texts: pa.Array, max_length: int | None, rules: Rules) -> pa.Array:
    if field.textual:
        return pc.utf8_slice_codeunits(texts, 0, MAX_TEXT_LENGTH)
    if max_length is not None:
        _mark(rules, pc.greater(pc.utf8_length(texts), max_length), f"has more than {max_length:,} characters")
    return texts


def _booleans(texts: pa.Array, rules: Rules) -> pa.Array:
    words = without_null_words(pc.utf8_lower(pc.utf8_trim_whitespace(texts)))
    true = pc.is_in(words, pa.array(TRUE_WORDS))
    known = pc.or_(true, pc.is_in(words, pa.array(FALSE_WORDS)))
    _mark(rules, pc.and_(pc.is_valid(words), pc.invert(known)), "is neither true nor false")
    return pc.if_else(known, true, pa.scalar(None, pa.bool_()))


def _numbers(field: Field, texts: pa.Array, decimal: str, rules: Rules) -> pa.Array:
    words = without_null_words(pc.utf8_trim_whitespace(texts))
    if decimal != ".":
        words = pc.replace_substring(words, decimal, ".")
    matched = pc.match_substring_regex(words, NUMBER)
    _mark(rules, pc.invert(matched), "is not a number")
    numbers = pc.if_else(pc.fill_null(matched, False), words, pa.scalar(None, pa.string())).cast(pa.float64())
    if field.type in {"float", "double"}:
        return numbers
    broken = pc.not_equal(numbers, pc.floor(numbers))
    large = pc.greater(pc.abs(numbers), 2.0**63 - 1024)
    _mark(rules, broken, "is not a whole number")
    _mark(rules, large, "does not fit into 64 bits")
    return _whole(words, numbers, pc.or_(broken, large))


def _whole(words: pa.Array, numbers: pa.Array, wrong: pa.Array) -> pa.Array:
    """64-bit integers: exactly from digits, by way of floats from forms such as 1995.0 and 1e3."""
    digits = pc.fill_null(pc.and_(pc.match_substring_regex(words, r"^-?\d{1,18}$"), pc.invert(wrong)), False)
    exact = pc.if_else(digits, words, pa.scalar(None, pa.string())).cast(pa.int64())
    rounded = pc.if_else(pc.fill_null(pc.invert(wrong), False), numbers, pa.scalar(None, pa.float64()))
    return pc.coalesce(exact, rounded.cast(pa.int64(), safe=False))


def without_null_words(words: pa.Array) -> pa.Array:
    """Words that stand for nothing, such as NaN and N/A, as nulls."""
    blank = pc.or_(pc.equal(words, ""), pc.is_in(pc.utf8_lower(words), pa.array(NULL_WORDS)))
    return pc.if_else(blank, pa.scalar(None, pa.string()), words)


def times(texts: pa.Array, unit: str, rules: Rules) -> pa.Array:
    """Epoch seconds of a column of texts; what is no time is null and has its rule noted."""
    words = without_null_words(pc.utf8_trim_whitespace(texts))
    if unit in PER_SECOND:
        seconds = _unit_times(words, unit, rules)
    else:
        seconds = _text_times(words, unit, rules)
    far = pc.greater(seconds, MAX_TIME)
    hint = "lies after the year 2100; it looks like milliseconds" if unit in {"", "s"} else "lies after the year 2100"
    _mark(rules, far, f"{hint}, allowed are epoch seconds")
    _mark(rules, pc.less(seconds, 0), "lies before 1970; allowed are epoch seconds")
    return seconds


def _unit_times(words: pa.Array, unit: str, rules: Rules) -> pa.Array:
    matched = pc.match_substring_regex(words, NUMBER)
    name = {1: "seconds", 1_000: "milliseconds", 1_000_000: "microseconds"}.get(PER_SECOND[unit], "nanoseconds")
    _mark(rules, pc.invert(matched), f"is not a number of {name} since 1970")
    numbers = pc.if_else(pc.fill_null(matched, False), words, pa.scalar(None, pa.string())).cast(pa.float64())
    seconds = pc.floor(pc.divide(numbers, float(PER_SECOND[unit])))
    return pc.if_else(pc.less(pc.abs(seconds), 1e17), seconds, pa.scalar(1e17)).cast(pa.int64(), safe=False)


def _text_times(words: pa.Array, unit: str, rules: Rules) -> pa.Array:
    parsed = [_text_time(word, unit) for word in words.to_pylist()]
    wrong = pa.array([value is False for value in parsed])
    shape = "ISO 8601 such as 2026-01-31T13:45:00Z" if "%" not in unit else f"the format {unit}"
    _mark(rules, wrong, f"is not a time; expected is {shape}")
    return pa.array([None if value is False else value for value in parsed], pa.int64())


def _text_time(word: str | None, unit: str) -> Any:
    """Epoch seconds, None for no value, False for what is no time; without a zone UTC is meant."""
    if word is None:
        return None
    try:
        moment = datetime.strptime(word, unit) if "%" in unit else datetime.fromisoformat(word)  # noqa: DTZ007
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 1)
    except (ValueError, OverflowError):
        return False
