"""The filter language: made-up filters against a naive reading of them, row by row; and their texts bent out of shape.

The naive reading works on the drawn filter itself and never sees the text, so that it cannot share a parser's mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from recipes import filters
from recipes.data import Columns, Kind, encode_column
from recipes.filters import Catalogue, CompiledFilters, Events, FilterError, Target, UserContext
from tests.fuzz.judging import Report, run_cases
from tests.fuzz.values import TEXTS

WORDS = ["a", "b", "B", "2", "2.0", "-1", "x y", "\u00e9", "O'Hara", "IF", "|", "*a", "0x1", "1e3"]
NUMBERS = [-1.0, 0.0, 2.0, 2.5, 1000.0]
KINDS = {"C": Kind.CATEGORICAL, "N": Kind.NUMERIC, "T": Kind.TEXT}
SCHEMAS = {name: {"C": "string", "N": "numeric", "T": "string"} for name in ("ITEMS", "USERS", "ACTIONS")} | {
    "INTERACTIONS": {"EVENT_TYPE": "string"},
    "ACTION_INTERACTIONS": {"EVENT_TYPE": "string"},
}
METADATA = {Target.ITEM: "Items", Target.USER: "Users", Target.ACTION: "Actions"}
EVENTS = {Target.ITEM: "Interactions", Target.USER: "Interactions", Target.ACTION: "Action_Interactions"}
EVENT_TYPES = ["view", "Buy", "not taken"]
NEWEST = {Target.ITEM: 100, Target.ACTION: 300, Target.USER: 10**9}

Row: TypeAlias = dict[str, Any]
"""C: list of words; N: number or None; T: text, "" for null."""


@dataclass
class Condition:
    """`name sign operand`; for IN the operand is a list of words, or CurrentItem's field as in a comparison."""

    owner: str
    name: str
    sign: str
    words: list[str] = field(default_factory=list)
    number: float | None = None
    current: str = ""
    placeholder: str = ""

    def written(self) -> str:
        """As in an expression."""
        return f"{self.owner}.{self.name} {self.sign} {self._operand()}"

    def _operand(self) -> str:
        if self.current:
            return f"CurrentItem.{self.current}"
        if self.sign.endswith("IN"):
            return (
                "("
                + ", ".join(
                    [*(f'"{word}"' for word in self.words), *([f"${self.placeholder}"] if self.placeholder else [])]
                )
                + ")"
            )
        if self.placeholder:
            return f"${self.placeholder}"
        return f'"{self.words[0]}"' if self.words else f"{self.number:g}"


@dataclass
class Part:
    """One INCLUDE or EXCLUDE."""

    verb: str
    alternatives: list[list[Condition]]
    when: list[Condition]

    def conditions(self) -> list[Condition]:
        """All of them."""
        return [each for conjunction in self.alternatives for each in conjunction] + self.when

    def written(self, target: Target) -> str:
        """As in a filter."""
        text = " OR ".join(" AND ".join(each.written() for each in conjunction) for conjunction in self.alternatives)
        when = " IF " + " AND ".join(each.written() for each in self.when) if self.when else ""
        return f"{self.verb} {target} WHERE {text}{when}"


@dataclass
class Case:
    """A filter with the world it is applied to."""

    target: Target
    parts: list[Part]
    rows: list[Row]
    user: Row
    events: list[tuple[int, str]]
    item: int
    values: dict[str, list[str]]

    @property
    def text(self) -> str:
        """The whole filter."""
        return " | ".join(part.written(self.target) for part in self.parts)


def some(dice: Random, values: Sequence[Any], least: int, most: int) -> list[Any]:
    """A few of the values, not all different."""
    return [dice.choice(values) for _ in range(dice.randint(least, most))]


def a_row(dice: Random) -> Row:
    """What one item, user or action holds."""
    words = list(dict.fromkeys(some(dice, [word for word in WORDS if "|" not in word], 0, 3)))
    return {"C": words, "N": dice.choice([None, *NUMBERS]), "T": dice.choice(["", "a", "2", "x y", "A|b"])}


def a_condition(dice: Random, owner: str, *, current: bool = False) -> Condition:
    """A condition on metadata."""
    value = dice.randrange(10)
    sign = dice.choice(["IN", "IN", "NOT IN", "=", "!=", "<", "<=", ">", ">="])
    found = Condition(owner, dice.choice("CCNNT"), sign)
    if current and value < 2 and sign != "NOT IN":
        found.current = dice.choice("CNT")
    elif value == 2 and sign != "NOT IN":
        found.placeholder = dice.choice("Pq")
        found.words = some(dice, WORDS, 0, 1) if sign == "IN" else []
    elif sign.endswith("IN"):
        found.words = some(dice, WORDS, 1, 3)
    elif value < 6 and sign in {"=", "!="}:
        found.words = some(dice, WORDS, 1, 1)
    else:
        found.number = dice.choice(NUMBERS)
    return found


def an_event_condition(dice: Random, owner: str) -> Condition:
    """A condition on what was done."""
    sign = dice.choice(["IN", "IN", "NOT IN", "=", "!="])
    kinds = ["VIEW", "buy", "*", "nothing", "NOT_TAKEN", "not taken"]
    return Condition(owner, "EVENT_TYPE", sign, some(dice, kinds, 1, 2 if sign.endswith("IN") else 1))


def a_part(dice: Random, target: Target) -> Part:
    """One expression; of one dataset, as the language wants it."""
    is_item = target is Target.ITEM
    if dice.randrange(4):
        one = partial(a_condition, dice, METADATA[target], current=is_item)
    else:
        one = partial(an_event_condition, dice, EVENTS[target])
    alternatives = [[one() for _ in range(dice.randint(1, 3))] for _ in range(dice.randint(1, 2))]
    users = 0 if target is Target.USER else dice.choice([0, 0, 1, 2])
    when = [a_condition(dice, "CurrentUser") for _ in range(users)]
    return Part(dice.choice(["INCLUDE", "EXCLUDE"]), alternatives, when)


def a_case(dice: Random) -> Case:
    """A filter, rows, a user, what was done, an item, and the request's values."""
    target = dice.choice([Target.ITEM, Target.ITEM, Target.ITEM, Target.USER, Target.ACTION])
    found = [a_row(dice) for _ in range(dice.randint(1, 6))]
    places = range(-1, len(found))
    events = [(dice.choice(places), dice.choice(EVENT_TYPES)) for _ in range(dice.randint(0, 5))]
    if events and dice.randrange(20) == 0:
        events = [events[0], *[(len(found) - 1, events[0][1])] * dice.choice([99, 100, 300])]
    drawn = [a_part(dice, target) for _ in range(dice.randint(1, 3))]
    named = {each.placeholder for part in drawn for each in part.conditions() if each.placeholder}
    values = {name: some(dice, WORDS, 1, 2) for name in sorted(named) if dice.randrange(4)}
    return Case(target, drawn, found, a_row(dice), events, dice.choice(places), values)


class Refused(Exception):
    """The naive reading expects a FilterError."""


def number(text: Any) -> float | None:
    """What the language takes as a number."""
    try:
        found = float(text)
    except (TypeError, ValueError):
        return None
    if isinstance(text, str) and ("_" in text or not text.isascii()):
        return None
    return found if abs(found) < float("inf") else None


def held(row: Row | None, name: str) -> list[str] | float | None:
    """What a row holds: words, a number or nothing."""
    if row is None:
        return None
    value = row[name]
    return ([value] if name == "T" else value) if value or (value == 0.0 and name == "N") else None


def naive_rows(case: Case) -> list[int]:
    """The rows that the filter leaves, found one by one."""
    kept = [part for part in case.parts if _is_complete(part, case.values)]
    included: set[int] = set()
    excluded: set[int] = set()
    has_include = False
    for part in kept:
        if not all(satisfied(each, case.user, case) for each in part.when):
            continue
        has_include = has_include or part.verb == "INCLUDE"
        found = {
            place
            for place, row in enumerate(case.rows)
            if any(all(_true(each, place, row, case) for each in conjunction) for conjunction in part.alternatives)
        }
        (included if part.verb == "INCLUDE" else excluded).update(found)
    return sorted((included if has_include else set(range(len(case.rows)))) - excluded)


def _is_complete(part: Part, values: dict[str, list[str]]) -> bool:
    """Whether all values of an expression are there; an EXCLUDE without them has no effect."""
    missing = [each for each in part.conditions() if each.placeholder and each.placeholder not in values]
    if missing and part.verb == "INCLUDE":
        raise Refused
    if missing:
        return False
    for each in part.conditions():
        given = values.get(each.placeholder, [])
        if (
            each.placeholder
            and each.sign != "IN"
            and (len(given) != 1 or (each.sign not in {"=", "!="} and number(given[0]) is None))
        ):
            raise Refused
        if each.placeholder and each.name == "N" and any(number(word) is None for word in given):
            raise Refused
    return True


def _true(condition: Condition, place: int, row: Row, case: Case) -> bool:
    if condition.name != "EVENT_TYPE":
        return satisfied(condition, row, case)
    negative = condition.sign in {"NOT IN", "!="}
    return _has_event(condition, place, case) != negative


def _has_event(condition: Condition, place: int, case: Case) -> bool:
    by_type: dict[str, list[int]] = {}
    for row, kind in case.events:
        by_type.setdefault(_spelled(kind, case.target), []).append(row)
    wanted = {_spelled(word, case.target) for word in condition.words}
    seen = [done[-NEWEST[case.target] :] for kind, done in by_type.items() if kind in wanted or "*" in wanted]
    return any(place in done for done in seen)


def _spelled(kind: str, target: Target) -> str:
    return kind.lower().replace("_", "").replace(" ", "") if target is Target.ACTION else kind.lower()


def satisfied(condition: Condition, row: Row, case: Case) -> bool:
    """Whether one row satisfies a condition on metadata."""
    value = held(row, condition.name)
    if condition.sign == "NOT IN":
        return not _is_in(value, condition.words)
    given = case.values.get(condition.placeholder, [])
    current = held(case.rows[case.item] if case.item >= 0 else None, condition.current) if condition.current else None
    if condition.sign == "IN":
        from_item = [repr(current)] if isinstance(current, float) else list(current or [])
        return _is_in(value, [*condition.words, *given, *from_item])
    if condition.current:
        operand = current if isinstance(current, float) else current[0] if current and len(current) == 1 else None
    else:
        operand = (given or condition.words or [condition.number])[0]
    if condition.sign == "!=":
        return not _compares(value, "=", operand)
    return _compares(value, condition.sign, operand)


def _is_in(value: list[str] | float | None, words: Sequence[str]) -> bool:
    if isinstance(value, float):
        return any(number(word) == value for word in words)
    return any(word in words for word in value or [])


def _compares(value: list[str] | float | None, sign: str, operand: str | float | None) -> bool:
    right = number(operand)
    for each in [value] if isinstance(value, float) else value or []:
        left = number(each)
        if sign == "=" and isinstance(each, str) and isinstance(operand, str):  # codes are no numbers
            if each == operand:
                return True
            continue
        if left is None or right is None:
            continue
        if {"=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]:
            return True
    return False


def columns(found: list[Row]) -> Columns:
    """Rows as the library's columns."""
    words = pa.array(["|".join(row["C"]) for row in found])
    numbers = pa.array([row["N"] for row in found], pa.float64())
    texts = pa.array([row["T"] for row in found])
    return {
        "C": encode_column(words, Kind.CATEGORICAL),
        "n": encode_column(numbers, Kind.NUMERIC),
        "T": encode_column(texts, Kind.TEXT),
    }


def real_rows(case: Case) -> list[int]:
    """The rows that the library leaves; the second time from what it has kept."""
    events = Events.of(case.events)
    everybodys = events if case.target is Target.USER else Events.of(())
    compiled = CompiledFilters(Catalogue(case.target, len(case.rows), columns(case.rows), everybodys))
    user = UserContext(columns([case.user]), 0, events)
    values = {name: ",".join(f'"{word}"' for word in words) for name, words in case.values.items()}
    parsed = filters.parse(case.text)
    first = compiled.mask(filters.bind(parsed, values), user, case.item)
    again = compiled.mask(filters.bind(parsed, values), user, case.item)
    assert np.array_equal(first, again), "kept masks differ"
    return [int(row) for row in np.flatnonzero(first)]


def disagreement(case: Case) -> str:
    """How the library and the naive reading differ; empty if they do not."""
    wanted: list[int] | str
    found: list[int] | str
    try:
        wanted = naive_rows(case)
    except Refused:
        wanted = "refused"
    try:
        found = real_rows(case)
    except FilterError as error:
        found = "refused"
        if wanted != found:
            return f"refused with {error}, expected {wanted}"
    return "" if wanted == found else f"expected {wanted}, found {found}"


NEW = ["", " ", '"', "(", ")", "$", "|", "AND", "OR", "NOT", "IN", "IF", ".", ",", "*", "\0", "\n", "\u00a0", "9" * 400, "1e999",
       "Items.N", "CurrentItem.C", "-", "<=", "\u0660", "\ud800"]  # fmt: skip


def a_bent_text(dice: Random, other: str) -> str:
    """A valid filter with a few characters or words put in, taken out or moved; or any other text."""
    if dice.randrange(10) == 0:
        return dice.choice([other, *TEXTS])
    text = a_part(dice, Target.ITEM).written(Target.ITEM)
    for _ in range(dice.randint(1, 4)):
        place = dice.randint(0, len(text))
        text = text[:place] + dice.choice([*NEW, other[:5]]) + text[place + dice.randint(0, 6) :]
    return text


def complaint(text: str, given: str) -> str:
    """What is wrong with how a bent text is taken; empty if nothing is."""
    catalogue = Catalogue(Target.ITEM, 2, columns([{"C": ["a"], "N": None, "T": ""}, {"C": [], "N": 2.0, "T": "a"}]))
    user = UserContext.of({"C": "a", "N": 2.0}, Events.of([(0, "view")]))
    try:
        parsed = filters.parse(text)
    except FilterError as error:
        return "" if error.column and 1 <= error.column <= len(text) + 1 else f"column {error.column}"
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return f"{type(error).__name__} when parsed"
    try:
        filters.check(parsed, SCHEMAS)
        filters.mask(filters.bind(parsed, dict.fromkeys(parsed.placeholders, given)), catalogue, user, 0)
    except FilterError:
        return ""
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__} when checked, bound or applied"
    return ""


GIVEN = ['"a"', "a", '"a","b"', "2", "", '"', "nan", "1e999", '"a" "b"', "$P", "\0", "9" * 5000]
DICE = st.randoms(use_true_random=True)
"""A seed that hypothesis draws; all else of a case follows from it, many times faster than draw by draw."""


def fuzz(report: Report, count: int, seed: int) -> None:
    """Apply half as many filters as `count` says, and bend the other half."""

    def apply(dice: Random) -> None:
        report.cases["filters applied"] += 1
        case = a_case(dice)
        if what := disagreement(case):
            report.add(f"filters: {what[:60]}", f"{what}\n{case.text}\n{case}")

    def bend(drawn: tuple[Random, str]) -> None:
        report.cases["filters bent"] += 1
        dice, other = drawn
        text, given = a_bent_text(dice, other), dice.choice(GIVEN)
        if what := complaint(text, given):
            report.add(f"filters: {what}", repr((text, given)))

    with report.timing("filters applied"):
        run_cases(DICE, apply, count - count // 2, seed)
    with report.timing("filters bent"):
        run_cases(st.tuples(DICE, st.text(max_size=200)), bend, count // 2, seed)
