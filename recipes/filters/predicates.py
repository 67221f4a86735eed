"""Whether a value satisfies a condition: for one row, and for a column of numbers at once.

A null never satisfies a positive test and always satisfies NOT IN and != (AWS does not say). A row with several values
satisfies a positive test when any of them does, and a negative one when none matches.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recipes.columns import Categorical, Column, Numeric, Text
from recipes.filters.expression import Condition, CurrentItem, Membership, OrderCondition, number

TIME = "CREATION_TIMESTAMP"
SECONDS_BELOW = 1e11  # in the year 5138; what is above counts in a finer unit
COMPARE: Mapping[str, Callable[[float | NDArray[np.float64], float], bool | NDArray[np.bool_]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Mask: TypeAlias = NDArray[np.bool_]
Value: TypeAlias = float | frozenset[str] | None
"""What one row holds in a field: a number, its categories, or nothing."""


def holds(condition: Condition, value: Value) -> bool:
    """Whether one row's value in the condition's field satisfies it."""
    positive, negative = positive_of(condition)
    return holds_positive(positive, value) != negative


def value_at(column: Column | None, row: int) -> Value:
    """What a row holds; None for an unknown column or row, and for nulls."""
    if column is None or row < 0:
        return None
    match column:
        case Numeric():
            found = float(column.values[row])
            return None if np.isnan(found) else found
        case Categorical():
            codes = column.codes[column.offsets[row] : column.offsets[row + 1]]
            return frozenset(column.categories[code] for code in codes) or None
        case Text():
            return frozenset([str(column.values[row])]) if str(column.values[row]) else None


def positive_of(condition: Condition) -> tuple[Condition, bool]:
    """The condition without its negation, and whether it had one."""
    match condition:
        case Membership(negated=True):
            return replace(condition, negated=False), True
        case OrderCondition(operator="!="):
            return replace(condition, operator="="), True
        case _:
            return condition, False


def holds_positive(condition: Condition, value: Value) -> bool:
    """`holds` for a condition without negation."""
    if value is None:
        return False
    if isinstance(condition, Membership):
        wanted = condition.values
        return number(value) in _numbers(wanted) if isinstance(value, float) else not value.isdisjoint(wanted)
    if isinstance(value, float):
        limit = _limit(condition)
        return limit is not None and bool(COMPARE[condition.operator](value, limit))
    return any(_compares(word, condition) for word in value)


def _compares(word: str, condition: OrderCondition) -> bool:
    """A category against an operand: the same text where that is text, as codes such as 007 are no numbers; else both numbers."""
    if condition.operator == "=" and isinstance(condition.operand, str):
        return word == condition.operand
    left, right = number(word), _limit(condition)
    return left is not None and right is not None and bool(COMPARE[condition.operator](left, right))


def _limit(condition: OrderCondition) -> float | None:
    """The number compared with, if it is one.

    Times of creation are kept in seconds, whatever unit a file tells them in; so are milliseconds and finer ones read here.
    """
    operand = condition.operand
    found = number(operand) if isinstance(operand, str | float) else None
    while found is not None and condition.field.name == TIME and abs(found) >= SECONDS_BELOW:
        found /= 1000
    return found


def matching_numbers(condition: Condition, values: NDArray[np.float64]) -> Mask:
    """(N,) `holds_positive` for each of N numbers, NaN for null."""
    if isinstance(condition, Membership):
        return np.isin(values, list(_numbers(condition.values)))
    limit = _limit(condition)
    if limit is None:
        return np.zeros(len(values), bool)
    return np.asarray(COMPARE[condition.operator](values, limit), bool)  # NaN compares false


def at_item(condition: Condition, value_of: Callable[[str], Value]) -> Condition:
    """The condition with the current item's value, by field name, in place of CurrentItem."""
    match condition:
        case Membership(values=(CurrentItem(name=name),)):
            return replace(condition, values=_words(value_of(name)))
        case OrderCondition(operand=CurrentItem(name=name)):
            value = value_of(name)
            if isinstance(value, frozenset):  # one category compares as its text, several have no order
                return replace(condition, operand=next(iter(value)) if len(value) == 1 else None)
            return replace(condition, operand=value)
        case _:
            return condition


def _numbers(values: Iterable[object]) -> set[float]:
    found = (number(value) for value in values if isinstance(value, str | float))
    return {value for value in found if value is not None}


def _words(value: Value) -> tuple[str, ...]:
    match value:
        case None:
            return ()
        case float():
            return (repr(value),)
        case _:
            return tuple(sorted(value))
