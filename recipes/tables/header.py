"""The names of a file's columns, and where its rows begin below them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from recipes.tables import quotes
from recipes.tables.dialect import CsvFormat, column_key
from recipes.tables.text import Block
from recipes.tables.words import is_known

LOOKED_AT = 50  # rows


def header_of(block: Block, form: CsvFormat, known: Sequence[str] = ()) -> tuple[list[str], Block]:
    """The column names of a file's first block, and the block without header and what stands above it."""
    top = 0
    for _ in range(form.skip):
        top = block.data.find(b"\n", top) + 1 or len(block.data)
    body = _from(block, top)
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
    return _fitted(names, [row.cells for row in rows[1:]]), rest


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it holds a known name, or words above numbers, or nothing that recurs."""
    if not rows:
        return True
    first, others = rows[0], rows[1:]
    if any(is_known(cell) for cell in first):
        return True
    if any(not cell.strip() or _is_number(cell) for cell in first) or len(set(first)) < len(first):
        return False
    below = [row for row in others if len(row) == len(first)]
    above_numbers = any(all(_is_number(row[n]) for row in below) for n in range(len(first))) and bool(below)
    return above_numbers or not any(cell in row for row in below for cell in first)


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?\d[\d.,:/\- TZ]*\s*", cell))


def _from(block: Block, start: int) -> Block:
    if not start:
        return block
    return Block(block.data[start:], block.first_line + block.data.count(b"\n", 0, start), block.quoting)


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
        return [*names, ""] if not any(row[-1] for row in rows) else ["", *names]
    return names
