"""Lists that were sent as one value: `"Action, Comedy"` in one pair of quotes, where no row holds that and rows hold both parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from recipes.columns import Categorical, Column
from recipes.filters.expression import (
    EVENT_DATASETS,
    ORDERED,
    Bound,
    Condition,
    FieldReference,
    FilterError,
    Membership,
    OrderCondition,
)
from recipes.filters.rows import Catalogue

PARTS = re.compile(r"\s*[,|;\n\t]\s*")
MARKS = "\"' "
Known = Callable[[FieldReference], Collection[str]]


def may_be_list(value: str) -> bool:
    """Whether a value has in it what lists are written with."""
    return PARTS.search(value) is not None


def parts_of(value: str) -> list[str]:
    """What would be the values of a list.

    >>> parts_of("Action, 'Comedy'")
    ['Action', 'Comedy']
    """
    return [part for part in (part.strip(MARKS) for part in PARTS.split(value)) if part]


def parted(bound: Bound, catalogue: Catalogue, users: Mapping[str, Column], event_types: Sequence[str]) -> Bound:
    """The filter with those of the request's values taken apart that nothing holds and whose parts are all held.

    Args:
        bound: a filter with its values.
        catalogue: the rows that it chooses from.
        users: columns of the users, by their names in upper case.
        event_types: those that have occurred.

    Raises:
        FilterError: a comparison is given such a list, and needs one value.
    """
    lists = {(given.field, value) for given in bound.given for value in given.values if may_be_list(value)}
    if not lists:
        return bound
    types = {name.casefold() for name in event_types}

    def is_list(field: FieldReference, value: object) -> bool:
        if not isinstance(value, str) or (field, value) not in lists:
            return False
        parts = parts_of(value)
        if field.dataset in EVENT_DATASETS:
            return value.casefold() not in types and {part.casefold() for part in parts} <= types
        known = _known(field, catalogue, users)
        return value not in known and len(parts) > 1 and all(part in known for part in parts)

    def read(condition: Condition) -> Condition:
        match condition:
            case Membership(field=field, values=values) if any(is_list(field, value) for value in values):
                found = [parts_of(str(value)) if is_list(field, value) else [value] for value in values]
                return replace(condition, values=tuple(part for parts in found for part in parts))
            case OrderCondition(field=field, operand=value) if is_list(field, value):
                _refuse(condition, parts_of(str(value)))
        return condition

    expressions = tuple(
        replace(
            expression,
            alternatives=tuple(tuple(map(read, part)) for part in expression.alternatives),
            when=tuple(map(read, expression.when)),
        )
        for expression in bound.expressions
    )
    return bound if expressions == bound.expressions else replace(bound, expressions=expressions)


def _known(field: FieldReference, catalogue: Catalogue, users: Mapping[str, Column]) -> Collection[str]:
    if field.dataset != "CURRENTUSER":
        return catalogue.words(field.name)
    column = users.get(field.name)
    return set(column.categories) if isinstance(column, Categorical) else ()


def _refuse(condition: OrderCondition, parts: Sequence[str]) -> None:
    if condition.operator not in ORDERED:
        raise FilterError(
            f"{condition.field} {condition.operator} needs one value, not {len(parts)}: {', '.join(parts)}."
        )
