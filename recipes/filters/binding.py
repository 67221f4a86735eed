"""A request's filter values: how people write them, and a filter with its placeholders filled.

AWS documents `"Comedy","Drama"` (each value in quotes) in the guide and `Comedy,Drama` ("separate multiple values for one
parameter with a comma") on the pages of its SDKs. Both are read, and what else people are known to send: single or typographic
quotes, escaped quotes, JSON lists. What cannot be read is refused, so that no request matches nothing by a misunderstanding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from recipes.filters.expression import (
    ORDERED,
    Bound,
    Condition,
    CurrentItem,
    Expression,
    Filter,
    FilterError,
    GivenValues,
    Membership,
    OrderCondition,
    Placeholder,
    Verb,
    number,
)
from recipes.json_text import MAX_DEPTH, read_json

PLAIN = r'"([^"]*)"'  # a backslash is a character like any other
ESCAPED = r'"((?:[^"\\]|\\.)*)"'
LISTS = [
    (re.compile(rf"\s*{value}\s*(?:,\s*{value}\s*)*"), re.compile(value), value is ESCAPED)
    for value in (PLAIN, ESCAPED)
]
BETWEEN = re.compile(r"(?<!\\)[,|;\n\t]")
KEPT = re.compile(r"\\([,|;])")  # written so that it parts nothing
SINGLE = re.compile(r"'\s*,\s*'")
TYPOGRAPHIC = str.maketrans("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u2018\u2019", '""""""""\'\'')
TYPED = ("\u201c", "\u201d", "\u201e", "\u2018", "\u00ab", "\u00bb", "\u2039", "\u203a")
WRITTEN_QUOTES = ('\\"', "&quot;", "&#34;", "%22")  # escaped once more than JSON needs, or for another place
BRACKETS = {"[": "]", "(": ")", "{": "}"}


@dataclass(frozen=True)
class Values:
    """The values in one entry of `filterValues`.

    Attributes:
        listed: the values.
        whole: the text as one value, where it was written without quotes; None otherwise.
    """

    listed: tuple[str, ...]
    whole: str | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """What a list is compared with: `Smith, Kline` may be two brands or one."""
        return self.listed if self.whole is None else tuple(dict.fromkeys((*self.listed, self.whole)))

    @property
    def single(self) -> tuple[str, ...]:
        """What a comparison is given."""
        return self.listed if self.whole is None else (self.whole,)


def bind(filter: Filter, values: Mapping[str, str] | None = None) -> Bound:  # noqa: A002
    """Fill the placeholders with a request's `filterValues`.

    Args:
        filter: the parsed filter.
        values: by placeholder name without `$`, each one string such as `"Comedy","Drama"`; see `read_values`.

    Raises:
        FilterError: an INCLUDE without its value, a name the filter does not have, a value that cannot be read.
    """
    given = {name: read_values(name, text) for name, text in (values or {}).items()}
    known = filter.placeholders
    if unknown := [name for name in given if name not in known]:
        allowed = ", ".join(known) or "none"
        raise FilterError(f"The filter has no parameter {unknown[0]}, its parameters are: {allowed}.")
    kept = []
    for expression in filter.expressions:
        missing = [name for name in expression.placeholders if name not in given]
        if missing and expression.verb is Verb.INCLUDE:
            raise FilterError(f"The filter needs a value for its parameter {missing[0]}.")
        if not missing:
            kept.append(expression)
    used = (part for expression in kept for condition in expression.conditions for part in _given(condition, given))
    return Bound(filter.target, tuple(_bind_expression(each, given) for each in kept), tuple(dict.fromkeys(used)))


def read_values(name: str, text: str) -> Values:
    """The values in one entry of `filterValues`.

    >>> read_values("G", '"Comedy", "Drama"').listed
    ('Comedy', 'Drama')
    >>> read_values("G", "Comedy,Drama").listed == read_values("G", "['Comedy', 'Drama']").listed == ('Comedy', 'Drama')
    True
    >>> read_values("MAX", "10").single
    ('10',)

    Raises:
        FilterError: it is empty, or its quotes or brackets do not match.
    """
    plain = _with_plain_quotes(text.strip())
    if plain[:1] in BRACKETS and plain.endswith(BRACKETS[plain[0]]):
        return _bracketed(name, plain)
    if plain.startswith("'") and plain.endswith("'") and len(plain) > 1:
        inside = plain[1:-1].strip()
        if (inside[:1], inside[-1:]) in {('"', '"'), ("[", "]")}:  # quoted once more, as shells want it
            return read_values(name, inside)
        return Values(_single_quoted(name, plain))
    if '"' in plain:
        return Values(_quoted(name, plain))
    return Values(_unquoted(name, plain), KEPT.sub(r"\1", plain))


def _with_plain_quotes(text: str) -> str:
    """The text with one kind of quotes, where it stands in others."""
    if text.startswith(TYPED):
        text = text.translate(TYPOGRAPHIC)
    for mark in WRITTEN_QUOTES:
        if text.startswith(mark) and text.endswith(mark) and text != mark:
            text = text.replace(mark, '"')
    if text.startswith("`") and text.endswith("`"):
        text = text.replace("`", "'")
    return text


def _bracketed(name: str, text: str) -> Values:
    """The values of a list in brackets: a JSON list, or anything else that is read without them."""
    try:
        found = read_json(text)
    except ValueError:
        found = None
    if isinstance(found, list) and found and all(isinstance(value, str | int | float) for value in found):
        return Values(tuple(value if isinstance(value, str) else json.dumps(value) for value in found))
    if found is not None or text[0] == "{" or text.startswith("[" * MAX_DEPTH):
        raise _unreadable(name, text)
    inside = read_values(name, text[1:-1])
    return inside if inside.whole is None else replace(inside, whole=text)


def _quoted(name: str, text: str) -> tuple[str, ...]:
    for form, value, is_escaped in LISTS:
        if form.fullmatch(text):
            found = tuple(value.findall(text))
            return tuple(re.sub(r'\\(["\\])', r"\1", each) for each in found) if is_escaped else found
    raise _unreadable(name, text)


def _single_quoted(name: str, text: str) -> tuple[str, ...]:
    found = tuple(SINGLE.split(text[1:-1]))
    if any(re.search(r",\s*'|'\s*,|\"\s*,\s*\"", value) for value in found):
        raise _unreadable(name, text)
    return tuple(re.sub(r"''|\\'", "'", value) for value in found)


def _unquoted(name: str, text: str) -> tuple[str, ...]:
    found = tuple(KEPT.sub(r"\1", part) for part in map(str.strip, BETWEEN.split(text)) if part)
    if not found:
        raise FilterError(f'The parameter {name} has no value; expected values such as "a","b".')
    if any(part.startswith("'") for part in found):
        raise _unreadable(name, text)
    return found


def _unreadable(name: str, text: str) -> FilterError:
    return FilterError(
        f'The parameter {name} is {text}; expected quoted values separated by commas, such as "a","b"; '
        'a quote inside a value is written \\".'
    )


def _bind_expression(expression: Expression, given: Mapping[str, Values]) -> Expression:
    alternatives = tuple(tuple(_bind_condition(c, given) for c in part) for part in expression.alternatives)
    return replace(
        expression, alternatives=alternatives, when=tuple(_bind_condition(c, given) for c in expression.when)
    )


def _bind_condition(condition: Condition, given: Mapping[str, Values]) -> Condition:
    match condition:
        case Membership():
            filled: list[str | Placeholder | CurrentItem] = []
            for part in condition.values:
                filled.extend(given[part.name].members if isinstance(part, Placeholder) else [part])
            return replace(condition, values=tuple(filled))
        case OrderCondition(operand=Placeholder(name=name)):
            values = given[name].single
            if len(values) != 1:
                raise FilterError(f"The parameter {name} has {len(values)} values, {condition.operator} needs one.")
            if condition.operator in ORDERED and number(values[0]) is None:
                raise FilterError(f'The parameter {name} is "{values[0]}", {condition.operator} needs a number.')
            return replace(condition, operand=values[0])
        case _:
            return condition


def _given(condition: Condition, given: Mapping[str, Values]) -> list[GivenValues]:
    """What a condition takes from the request."""
    match condition:
        case Membership(values=parts):
            names = [part.name for part in parts if isinstance(part, Placeholder)]
            return [GivenValues(condition.field, name, given[name].listed) for name in names]
        case OrderCondition(operand=Placeholder(name=name)):
            is_ordered = condition.operator in ORDERED
            return [GivenValues(condition.field, name, given[name].single, is_ordered=is_ordered)]
        case _:
            return []
