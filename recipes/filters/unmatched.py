"""Values of a filter that no row holds, with those near them: a list that is empty by a misspelling says so.

What a filter lets through does not change by it; values are compared as AWS compares them, with their case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from recipes.columns import Categorical, Columns
from recipes.filters.expression import EVENT_DATASETS, Bound, Condition, FieldReference, Membership, OrderCondition
from recipes.filters.readings import parts_of
from recipes.filters.rows import Catalogue

MAX_FOLDED, MAX_CLOSE = 20_000, 500  # values that are looked through for others in case, and for misspellings
MAX_SHOWN = 3
AROUND = "[](){} "


@dataclass(frozen=True)
class Unmatched:
    """A value that no row holds in `field`: the values near it, and whether it is several of them written as one."""

    field: FieldReference
    value: str
    near: tuple[str, ...] = ()
    is_list: bool = False

    def __str__(self) -> str:
        """As a sentence."""
        value, near = self.value[:100], [f'"{name}"' for name in self.near]
        if self.is_list:
            return f'No row holds "{value}" in {self.field}: it is read as one value; several are written {",".join(near)}.'
        if not near:
            return f'No row holds "{value}" in {self.field}.'
        if len(near) == 1:
            return f'No row holds "{value}" in {self.field}; near it is {near[0]}.'
        return f'No row holds "{value}" in {self.field}; near it are {", ".join(near)}.'


@dataclass(frozen=True)
class UnknownColumn:
    """A field that the rows do not have, such as one that the schema got after the training."""

    field: FieldReference

    def __str__(self) -> str:
        """As a sentence."""
        return (
            f"{self.field} was not in the data that the version was trained on, so that no row matches it; train anew."
        )


def unmatched(
    bound: Bound, catalogue: Catalogue, users: Columns, event_types: Sequence[str]
) -> list[Unmatched | UnknownColumn]:
    """The fields that the rows do not have, and the values that a filter compares a field with and that nothing holds.

    Event types and what users are may be new, so that of their values only those near a known one count.

    Args:
        bound: a filter with its values.
        catalogue: the rows that it chooses from.
        users: the columns of the users.
        event_types: the event types that have occurred.
    """
    of_users = {name.upper(): column for name, column in users.items()}
    found: dict[Unmatched | UnknownColumn, None] = {}
    for condition in (condition for expression in bound.expressions for condition in expression.conditions):
        values, field = _texts(condition), condition.field
        is_open = field.dataset in EVENT_DATASETS or field.dataset == "CURRENTUSER"
        if field.dataset in EVENT_DATASETS:
            usual = {name.casefold() for name in event_types} | {"*"}
            known: Collection[str] | None = [*event_types, *(value for value in values if value.casefold() in usual)]
        elif is_open:
            column = of_users.get(field.name)
            known = set(column.categories) if isinstance(column, Categorical) else None
        else:
            known = catalogue.words(field.name) if catalogue.has_words(field.name) else None
            found |= {} if catalogue.has(field.name) else {UnknownColumn(field): None}
        notes = (_unmatched(field, value, known) for value in _missing(values, known)) if known is not None else ()
        found |= dict.fromkeys(note for note in notes if note.near or not is_open)
    return list(found)


def _texts(condition: Condition) -> list[str]:
    match condition:
        case Membership(values=values):
            return [value for value in values if isinstance(value, str)]
        case OrderCondition(operator="=" | "!=", operand=str(operand)):
            return [operand]
        case _:
            return []


def _missing(values: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """The values that are not known; text without quotes, which is given both whole and in parts, counts once."""
    given = list(values)
    parts = {value: set(parts_of(value.strip(AROUND))) for value in given}
    whole = {value for value in given if parts[value] and value not in parts[value] and parts[value] <= set(given)}
    covered = {part for value in whole if value in known for part in parts[value]}
    return (value for value in given if value not in known and value not in whole and value not in covered)


def _unmatched(field: FieldReference, value: str, known: Collection[str]) -> Unmatched:
    parts = parts_of(value)
    by_case = _by_case(known) if len(known) <= MAX_FOLDED else {}
    named = [part if part in known else by_case.get(_folded(part)) for part in parts]
    if len(parts) > 1 and all(named):
        return Unmatched(field, value, tuple(name for name in named if name), is_list=True)
    same = by_case.get(_folded(value))
    if same or len(known) > MAX_CLOSE:
        return Unmatched(field, value, (same,) if same else ())
    close = get_close_matches(_folded(value), list(by_case), MAX_SHOWN, 0.75)
    return Unmatched(field, value, tuple(by_case[name] for name in close))


def _by_case(known: Iterable[str]) -> dict[str, str]:
    return {_folded(name): name for name in known}


def _folded(value: str) -> str:
    return " ".join(value.casefold().split())
