"""Values that no row holds as they were sent, and that rows hold when they are read otherwise.

Lists in one pair of quotes (`"Action, Comedy"`); what JSON, HTML or an address escaped once more (`"Sci-Fi\\/Fantasy"`,
`"Gr\\u00f6\\u00dfe"`, `"Ben &amp; Jerry\\'s"`, `"R%26B"`); accents of another normal form.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from recipes.columns import Categorical, Column
from recipes.filters.expression import (
    EVENT_DATASETS,
    ORDERED,
    Bound,
    Condition,
    CurrentItem,
    FieldReference,
    FilterError,
    Membership,
    OrderCondition,
    Placeholder,
)
from recipes.filters.rows import ID_COLUMNS, Catalogue

PARTS = re.compile(r"\s*[,|;\n\t]\s*")
MARKS = "\"' "
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[\\\"'/])")
ESCAPED = re.compile(r"[\\&%]|[^\x00-\x7f]")
Known = Callable[[FieldReference], Collection[str]]


def may_be_read_otherwise(value: str) -> bool:
    """Whether a value has in it what lists or escapes are written with."""
    return (PARTS.search(value) or ESCAPED.search(value)) is not None


def readings(value: str) -> Iterator[str]:
    """What else a value may mean, the likeliest first.

    >>> list(readings("Sci-Fi\\\\/Fantasy")), list(readings("R&amp;B")), list(readings("R%26B"))
    (['Sci-Fi/Fantasy'], ['R&B'], ['R&B'])
    """
    plain = (value, _unescaped(value), html.unescape(value), unquote(value))
    forms = (unicodedata.normalize(form, each) for each in plain for form in ("NFC", "NFD"))
    return (each for each in dict.fromkeys((*plain, *forms)) if each != value)


def _unescaped(value: str) -> str:
    """The value without the backslashes of JSON, PHP and SQL; pairs of surrogates are one character."""
    plain = ESCAPE.sub(lambda found: chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1], value)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parts_of(value: str) -> list[str]:
    """What would be the values of a list.

    >>> parts_of("Action, 'Comedy'")
    ['Action', 'Comedy']
    """
    return [part for part in (part.strip(MARKS) for part in PARTS.split(value)) if part]


def reread(bound: Bound, catalogue: Catalogue, users: Mapping[str, Column], event_types: Sequence[str]) -> Bound:
    """The filter with those of the request's values that nothing holds read otherwise, where all of that is held.

    Args:
        bound: a filter with its values.
        catalogue: the rows that it chooses from.
        users: columns of the users, by their names in upper case.
        event_types: those that have occurred.

    Raises:
        FilterError: a comparison is given such a list, and needs one value.
    """
    unclear = {(given.field, value) for given in bound.given for value in given.values if may_be_read_otherwise(value)}
    if not unclear:
        return bound
    types = {name.casefold() for name in event_types}

    def meant(field: FieldReference, value: object) -> list[str] | None:
        """The values that one stands for; None where it is what it says."""
        if not isinstance(value, str) or (field, value) not in unclear:
            return None
        is_event_type = field.dataset in EVENT_DATASETS
        known = types if is_event_type else _known(field, catalogue, users)
        is_open = field.name in ID_COLUMNS.values()  # a list of ids may have new ones in it
        return _meant(
            value, lambda name: (name.casefold() if is_event_type else name) in known, any if is_open else all
        )

    def read(condition: Condition) -> Condition:
        match condition:
            case Membership(field=field, values=values):
                found: list[Sequence[str | Placeholder | CurrentItem]] = [
                    meant(field, value) or [value] for value in values
                ]
                return replace(condition, values=tuple(part for parts in found for part in parts))
            case OrderCondition(field=field, operand=value) if parts := meant(field, value):
                if len(parts) > 1:
                    _refuse(condition, parts)
                return replace(condition, operand=parts[0])
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


def _meant(value: str, is_known: Callable[[str], bool], enough: Callable[[Iterable[object]], bool]) -> list[str] | None:
    """The values that an unknown one stands for: another reading of it, or a list of which enough parts are known."""
    if is_known(value):
        return None
    if other := next(filter(is_known, readings(value)), None):
        return [other]
    parts = parts_of(value)
    found = [next(filter(is_known, (part, *readings(part))), None) for part in parts]
    return [name or part for name, part in zip(found, parts, strict=True)] if len(parts) > 1 and enough(found) else None


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
