"""What a filter expression says, as frozen values: parsed, checked against the schemas, bound to a request's values.

The rules are those of Amazon Personalize's filters: one dataset per expression, placeholders filled per request, EXCLUDE
without its value ignored. Where AWS says nothing, the choice is noted at the code.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

EVENT_TYPE = "EVENT_TYPE"
EVENT_DATASETS = {"INTERACTIONS", "ACTION_INTERACTIONS"}
UNUSABLE = {"ACTION_EXPIRATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY"}
ORDERED = {"<", "<=", ">", ">="}
MAX_EXACT, BEYOND_LONGS = 2**53, 2.0**63


class FilterError(ValueError):
    """A filter cannot be made or applied; the message is a sentence for the person who wrote it.

    Attributes:
        column: where in the expression, from 1; None when it is about a request's values.
        expected: what could have stood there, in words.
    """

    def __init__(self, message: str, *, column: int | None = None, expected: tuple[str, ...] = ()) -> None:
        """Keep where it was and what was expected beside the message."""
        super().__init__(message)
        self.column = column
        self.expected = expected


class Verb(StrEnum):
    """Keep the matches, or drop them."""

    INCLUDE = "INCLUDE"
    EXCLUDE = "EXCLUDE"


class Target(StrEnum):
    """What is kept or dropped."""

    ITEM = "ItemID"
    USER = "UserID"
    ACTION = "ActionID"


class FieldKind(StrEnum):
    """What a schema says of a field, as far as filters care."""

    NUMERIC = "numeric"
    STRING = "string"  # categorical or plain
    TEXTUAL = "textual"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class FieldReference:
    """`dataset.name`, both in upper case: fields are written in any case."""

    dataset: str
    name: str

    def __str__(self) -> str:
        """As in an expression."""
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True)
class Placeholder:
    """`$name`, filled by the request; names are case-sensitive."""

    name: str


@dataclass(frozen=True)
class CurrentItem:
    """`CurrentItem.name`: the value of the request's item."""

    name: str


@dataclass(frozen=True)
class Membership:
    """`field [NOT] IN (values)` or `field IN CurrentItem.name`."""

    field: FieldReference
    values: tuple[str | Placeholder | CurrentItem, ...]
    negated: bool
    column: int = dataclasses.field(compare=False)


@dataclass(frozen=True)
class OrderCondition:
    """`field operator operand`; an operand of None (a null of the current item) satisfies only `!=`."""

    field: FieldReference
    operator: str
    operand: float | str | Placeholder | CurrentItem | None
    column: int = dataclasses.field(compare=False)


Condition: TypeAlias = Membership | OrderCondition


@dataclass(frozen=True)
class Expression:
    """One INCLUDE or EXCLUDE: true for a row that satisfies all conditions of any of `alternatives`, if `when` holds."""

    verb: Verb
    target: Target
    alternatives: tuple[tuple[Condition, ...], ...]
    when: tuple[Condition, ...]

    @property
    def conditions(self) -> Iterator[Condition]:
        """All conditions, the user's included."""
        for conjunction in self.alternatives:
            yield from conjunction
        yield from self.when

    @property
    def dataset(self) -> str:
        """The one dataset it tests, in upper case."""
        return self.alternatives[0][0].field.dataset

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of its placeholders, in order, each once."""
        found = (part.name for c in self.conditions for part in _operands(c) if isinstance(part, Placeholder))
        return tuple(dict.fromkeys(found))

    @property
    def needs_current_item(self) -> bool:
        """Whether it compares with the request's item."""
        return any(isinstance(part, CurrentItem) for c in self.conditions for part in _operands(c))

    @property
    def needs_user(self) -> bool:
        """Whether it asks what a user did or is."""
        return bool(self.when) or (self.target is not Target.USER and self.dataset in EVENT_DATASETS)


class Needs:
    """What several expressions together ask of a request."""

    expressions: tuple[Expression, ...]

    @property
    def needs_user(self) -> bool:
        """Whether any asks what a user did or is."""
        return any(expression.needs_user for expression in self.expressions)

    @property
    def needs_current_item(self) -> bool:
        """Whether any compares with the request's item."""
        return any(expression.needs_current_item for expression in self.expressions)


@dataclass(frozen=True)
class Filter(Needs):
    """A parsed filter: its expressions in the order written, which has no meaning."""

    text: str
    expressions: tuple[Expression, ...]

    @property
    def target(self) -> Target:
        """What it filters; the same for all its expressions."""
        return self.expressions[0].target

    @property
    def placeholders(self) -> dict[str, bool]:
        """The names of all placeholders; whether any INCLUDE needs it, so that a request must give it."""
        required: dict[str, bool] = {}
        for expression in self.expressions:
            for name in expression.placeholders:
                required[name] = required.get(name, False) or expression.verb is Verb.INCLUDE
        return required

    def fields(self) -> list[tuple[str, str]]:
        """Every (dataset, field) it reads, in upper case, each once; CurrentUser counts as USERS, CurrentItem as ITEMS."""
        return list(dict.fromkeys((used.dataset, used.name) for e in self.expressions for used, _ in _uses(e)))


@dataclass(frozen=True)
class GivenValues:
    """The values that a request gave to compare a field with."""

    field: FieldReference
    parameter: str
    values: tuple[str, ...]
    is_ordered: bool = False


@dataclass(frozen=True)
class Bound(Needs):
    """A filter with all its values: what is left of its expressions; hashable, so that masks are kept by it.

    Attributes:
        target: what it filters.
        expressions: those whose placeholders all have values.
        given: which fields are compared with values of the request; numeric ones need numbers.
    """

    target: Target
    expressions: tuple[Expression, ...]
    given: tuple[GivenValues, ...] = ()

    @cached_property
    def _hash(self) -> int:
        return hash((self.target, self.expressions, self.given))

    def __hash__(self) -> int:
        """The hash, made once: masks are looked up by it at every request."""
        return self._hash


def check(filter: Filter, schema_columns: Mapping[str, Mapping[str, FieldKind | str]]) -> None:  # noqa: A002
    """Hold a filter to the schemas of its dataset group.

    Args:
        filter: the parsed filter.
        schema_columns: kinds of the fields by dataset type ("ITEMS", "USERS", …) and field name, any case.

    Raises:
        FilterError: a dataset or field that is not there, or whose kind filters cannot use.
    """
    kinds = {
        dataset.upper(): {name.upper(): FieldKind(kind) for name, kind in fields.items()}
        for dataset, fields in schema_columns.items()
    }
    for expression in filter.expressions:
        for used, condition in _uses(expression):
            _check_use(used, condition, kinds)


def number(text: str | float) -> float | None:
    """`text` as a finite number, None if it is not one."""
    if isinstance(text, str) and (
        "_" in text or not text.isascii()
    ):  # what Python reads as a number and files do not hold
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_inexact(text: str | float) -> bool:
    """Whether `text` is a whole number that floats, which numeric columns are, do not tell from its neighbours.

    >>> is_inexact("9148955329465708066"), is_inexact("1995"), is_inexact("1e300")
    (True, False, False)
    """
    if isinstance(text, str):
        return re.fullmatch(r"\s*[+-]?\d+\s*", text) is not None and abs(int(text)) > MAX_EXACT
    return text.is_integer() and MAX_EXACT < abs(text) < BEYOND_LONGS


def compared(condition: Condition) -> list[str | float]:
    """The values that a condition holds a field to be equal to, or not to be."""
    if isinstance(condition, OrderCondition) and condition.operator in ORDERED:
        return []
    return [value for value in _operands(condition) if isinstance(value, str | float)]


def _operands(condition: Condition) -> tuple[object, ...]:
    return condition.values if isinstance(condition, Membership) else (condition.operand,)


def _uses(expression: Expression) -> Iterator[tuple[FieldReference, Condition]]:
    """Every field of a dataset that an expression reads, with where; the current user's are those of Users."""
    for condition in expression.conditions:
        owner = condition.field
        yield (FieldReference("USERS", owner.name) if owner.dataset == "CURRENTUSER" else owner), condition
        for part in _operands(condition):
            if isinstance(part, CurrentItem):
                yield FieldReference("ITEMS", part.name), condition


def _check_use(used: FieldReference, condition: Condition, kinds: Mapping[str, Mapping[str, FieldKind]]) -> None:
    fields = kinds.get(used.dataset)
    if fields is None:
        raise _misuse(
            condition, f"{used} needs a dataset of type {used.dataset}, which this dataset group does not have."
        )
    if used.name not in fields:
        raise _misuse(condition, f"{used} is not in the schema, which has {', '.join(fields)}.", *fields)
    kind = fields[used.name]
    if kind in {FieldKind.TEXTUAL, FieldKind.BOOLEAN}:
        raise _misuse(condition, f"{used} is {kind}, filters use numeric, categorical and plain string fields.")
    if used.name in UNUSABLE:
        raise _misuse(condition, f"{used} decides by itself when an action is shown and cannot be filtered by.")
    if kind is FieldKind.NUMERIC and any(is_inexact(value) for value in compared(condition)):
        raise _misuse(
            condition,
            f"{used} is numeric, which numbers beyond 2^53 are not exact in; a column of codes must be a string.",
        )
    if isinstance(condition, OrderCondition):
        _check_comparison(used, condition, kind)


def _check_comparison(used: FieldReference, condition: OrderCondition, kind: FieldKind) -> None:
    if kind is FieldKind.STRING and condition.operator in ORDERED:
        raise _misuse(condition, f"{used} is a string field, {condition.operator} needs a numeric one.", "IN", "NOT IN")
    if kind is FieldKind.NUMERIC and isinstance(condition.operand, str) and number(condition.operand) is None:
        raise _misuse(condition, f'{used} is numeric, found "{condition.operand}", expected a number.', "a number")


def _misuse(condition: Condition, what: str, *expected: str) -> FilterError:
    message = f"Could not create filter. Column {condition.column}: {what}"
    return FilterError(message, column=condition.column, expected=expected)
