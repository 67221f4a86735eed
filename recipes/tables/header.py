"""The names of a file's columns, and where its rows begin below them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from recipes.tables import quotes
from recipes.tables.dialect import CsvFormat, column_key
from recipes.tables.text import Block, canonical
from recipes.tables.words import is_known

LOOKED_AT = 50  # rows
TOP_LINES, TOP_ROWS = 200, 20
UNNAMED = "Unnamed: 0"  # as pandas calls a first column without a name
ALIKE = 0.5  # of the cells below that have the first one's shape
AGAIN = re.compile(r" \(\d+\)$")
MARKS_OF_NOTHING = {r"\N", "NULL", "null", "NaN", "nan", "NA", "N/A", "n/a", "-"}


def header_of(block: Block, form: CsvFormat, known: Sequence[str] = ()) -> tuple[list[str], Block]:
    """The column names of a file's first block, and the block without header and what stands above it.

    Sources are looked up by name, so that each name is there once; `repeated` says which were not in the file.
    """
    body = _from(block, after_lines(block.data, form.skip))
    rows = list(islice(quotes.split_rows(body.data, form.marks), LOOKED_AT))
    if not rows:
        return list(known), body
    if not form.header:
        width = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
        return [str(position + 1) for position in range(width)], body
    names = [" ".join(cell.decode("utf-8", "replace").split()) for cell in rows[0].cells]
    keys = {column_key(name) for name in known} - {""}
    if keys and len(names) == len(known) and not keys & {column_key(name) for name in names}:
        return list(known), body
    rest = _from(body, rows[1].start if len(rows) > 1 else len(body.data))
    return _distinct(_fitted(names, [row.cells for row in rows[1:]])), rest


def repeated(header: Sequence[str]) -> dict[str, list[str]]:
    """What the later columns of a name are called, by the name.

    >>> repeated(["id", "price", "price (2)"])
    {'price': ['price (2)']}
    """
    found: dict[str, list[str]] = {}
    for name in header:
        first = AGAIN.sub("", name)
        if first != name and first in header:
            found.setdefault(first, []).append(name)
    return found


def top_rows(sample: bytes, form: CsvFormat) -> list[list[str]]:
    """The first rows behind what stands above the table, as text."""
    start = after_lines(sample, form.skip)
    end = after_lines(sample, TOP_LINES, start)
    rows = quotes.split_rows(canonical(sample[start:end], form), form.marks)
    return [[cell.decode("utf-8", "replace") for cell in row.cells] for row in islice(rows, TOP_ROWS) if any(row.cells)]


def after_lines(data: bytes, number: int, start: int = 0) -> int:
    """Where `number` lines behind `start` end."""
    for _ in range(number):
        start = data.find(b"\n", start) + 1 or len(data)
    return start


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: its cells are words where those below are numbers, or names that are known.

    A first cell that is a number, a mark for nothing or of the very shape of those below speaks for data.
    """
    if not rows:
        return True
    first = rows[0]
    below = [row for row in rows[1:] if len(row) == len(first)]
    columns = list(zip(*below, strict=True)) or [()] * len(first)
    pairs = list(zip(first, columns, strict=True))
    if below and any(_is_name(cell) and all(map(_is_number, column)) for cell, column in pairs):
        return True
    is_data = any(_is_number(cell) or cell in MARKS_OF_NOTHING for cell in first)
    if is_data or any(_has_digit(cell) and _share(column, _shape(cell)) > ALIKE for cell, column in pairs):
        return False
    if any(is_known(cell) for cell in first):
        return True
    recurs = any(cell in row for row in below for cell in first)
    return len(set(first)) == len(first) and all(map(str.strip, first)) and not recurs


def _is_name(cell: str) -> bool:
    return bool(cell.strip()) and not _is_number(cell) and cell not in MARKS_OF_NOTHING


def _has_digit(cell: str) -> bool:
    return any(map(str.isdigit, cell))


def _shape(cell: str) -> str:
    """A cell with one 9 for its digits and one a for its letters, so that `u1` and `user22` are alike and differ from `u1-x`."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))


def _share(column: Sequence[str], shape: str) -> float:
    return sum(_shape(cell) == shape for cell in column) / max(1, len(column))


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?\d[\d.,:/\- TZ]*\s*", cell))


def _from(block: Block, start: int) -> Block:
    if not start:
        return block
    return Block(block.data[start:], block.first_line + block.data.count(b"\n", 0, start), block.quoting)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names with a number behind those that are there already; columns without a name keep none.

    >>> _distinct(["price", "price", "", "", "price (2)"])
    ['price', 'price (3)', '', '', 'price (2)']
    """
    taken, found = set(names), list[str]()
    for name in names:
        number, own = 2, name
        while own and own in found:
            own = f"{name} ({number})" if f"{name} ({number})" not in taken else name
            number += 1
        taken.add(own)
        found.append(own)
    return found


def _fitted(names: list[str], rows: list[list[bytes]]) -> list[str]:
    """The names for rows that all have another width: a delimiter at the end of each line, or a first column without name."""
    names[0] = names[0].removeprefix("#").strip() if len(names) > 1 else names[0]
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        return names
    width = widths.pop()
    if width < len(names) and not any(names[width:]):
        return names[:width]
    if width == len(names) + 1:
        return [*names, ""] if not any(row[-1] for row in rows) else [UNNAMED, *names]
    return names
