"""The query language of attribute segments: `ITEMS.genres = "Comedy" AND ITEMS.year = 1999`; a small part of the filters'."""

from __future__ import annotations

from recipes.filters.binding import bind
from recipes.filters.expression import Bound, Condition, FilterError, OrderCondition
from recipes.filters.grammar import parse

PREFIX = "INCLUDE ItemID WHERE "


def parse_attributes(text: str) -> Bound:
    """Read an attribute query as a filter that keeps the items it describes.

    Args:
        text: fields of Items, each `=` a quoted value or a number, joined by AND.

    Raises:
        FilterError: it says anything else; names the column.
    """
    try:
        filter_ = parse(PREFIX + text)
    except FilterError as error:
        column = max(1, (error.column or 1) - len(PREFIX))
        reason = str(error).partition(": ")[2]
        raise _refuse(column, reason) from None
    expressions = filter_.expressions
    if len(expressions) > 1 or len(expressions[0].alternatives) > 1 or expressions[0].when:
        raise _refuse(1, "attributes are joined by AND only.")
    for condition in expressions[0].conditions:
        if not _is_equality(condition):
            column = condition.column - len(PREFIX)
            raise _refuse(column, f'expected {condition.field} = "value" or a number.')
    return bind(filter_)


def _is_equality(condition: Condition) -> bool:
    if not isinstance(condition, OrderCondition) or condition.field.dataset != "ITEMS":
        return False
    return condition.operator == "=" and isinstance(condition.operand, float | str)


def _refuse(column: int, what: str) -> FilterError:
    return FilterError(f"Could not read the item attributes. Column {column}: {what}", column=column)
