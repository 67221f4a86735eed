"""Metadata of items as people and responses see it: strings, under the columns' names in camel case; and titles."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pyarrow as pa

from recipes.columns import Categorical, Column, Columns, Kind, Numeric, Text

TITLES = ("TITLE", "NAME", "ITEM_NAME", "ITEMNAME", "PRODUCT_NAME", "MOVIE_TITLE", "LABEL", "DESCRIPTION")


def camel(column: str) -> str:
    """A column's name as in the events API.

    >>> camel("CREATION_TIMESTAMP")
    'creationTimestamp'
    """
    first, *rest = column.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def value_text(column: Column, row: int) -> str | None:
    """What a row holds, as text; categories are parted by `|`; None where nothing is known."""
    match column:
        case Numeric():
            number = float(column.values[row])
            return None if math.isnan(number) else str(int(number)) if number.is_integer() else repr(number)
        case Categorical():
            codes = column.codes[int(column.offsets[row]) : int(column.offsets[row + 1])]
            return "|".join(column.categories[code] for code in codes) or None
        case Text():
            return str(column.values[int(row)].as_py()) or None


def values_of(columns: Columns, row: int, wanted: Iterable[str] | None = None) -> dict[str, str]:
    """The values of a row by camel-case name; all columns, or those `wanted`."""
    names = columns if wanted is None else [name for name in columns if name.upper() in {w.upper() for w in wanted}]
    texts = {camel(name): value_text(columns[name], row) for name in names}
    return {name: text for name, text in texts.items() if text is not None}


def unknown_columns(columns: Columns, wanted: Iterable[str]) -> list[str]:
    """Sentences on names that are no columns, of which a response holds nothing."""
    known = {name.upper() for name in columns}
    return [
        f"The items have no column {name} in the data that the version was trained on; they have {', '.join(columns) or 'none'}."
        for name in wanted
        if name.upper() not in known
    ]


def title_column(columns: Columns) -> str | None:
    """The column that names an item for people: by its name, else a label or text column."""
    by_name = {name.upper(): name for name in columns}
    for name in TITLES:
        if name in by_name and not isinstance(columns[by_name[name]], Numeric):
            return by_name[name]
    for kind in (Kind.LABEL, Kind.TEXT):
        for name, column in columns.items():
            if column.kind is kind:
                return name
    return None


def column_texts(column: Column) -> pa.Array:
    """(N,) all values of a column as strings, "" where nothing is known."""
    match column:
        case Text():
            return column.values
        case Categorical() if bool((column.offsets[1:] - column.offsets[:-1] == 1).all()):
            return pa.array(column.categories, pa.string()).take(pa.array(column.codes))
        case Categorical():
            return pa.array([value_text(column, row) or "" for row in range(len(column.offsets) - 1)], pa.string())
        case Numeric():
            return pa.array([value_text(column, row) or "" for row in range(len(column.values))], pa.string())
