"""Metadata of items as people and responses see it: strings, under the columns' names in camel case; and titles."""

from __future__ import annotations

import math
from collections.abc import Iterable

from console.serving.loader import Loaded
from recipes.data import Categorical, Column, Columns, Kind, Numeric, Text

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


def title_column(loaded: Loaded) -> str | None:
    """The column that names an item for people: by its name, else a label or text column."""
    columns = loaded.data.items
    by_name = {name.upper(): name for name in columns}
    for name in TITLES:
        if name in by_name and not isinstance(columns[by_name[name]], Numeric):
            return by_name[name]
    for kind in (Kind.LABEL, Kind.TEXT):
        for name, column in columns.items():
            if column.kind is kind:
                return name
    return None


def title_of(loaded: Loaded, column: str | None, item: int) -> str | None:
    """The title of an item, by index."""
    return value_text(loaded.data.items[column], item) if column and item >= 0 else None
