"""Rows with fewer cells than the header: what spreadsheets and people leave out at the end is empty, what a line break tore apart is not.

Spreadsheets leave out empty last cells in some blocks of rows and not in others, and nobody types commas for nothing. A line break
within an unquoted cell looks alike, but its pieces stand below each other, and their delimiters add up to those of whole rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from recipes.tables.quotes import NEWLINE

FEW_KINDS, USUAL_SHARE = 3, 0.05  # a word for no id, such as NULL, is none of them
LETTERS, DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")


@dataclass(frozen=True)
class ShortRows:
    """What becomes of a file's short rows; most files have none, so that what tells is worked out for the first.

    Attributes:
        width: cells of the header.
        min_cells: cells that a row must have to be completed: up to the last one that is required.
        id_places: positions of ids.
        rows: cells of the first rows below the header.
    """

    width: int
    min_cells: int
    id_places: Sequence[int] = ()
    rows: Sequence[Sequence[bytes]] = ()

    @cached_property
    def ids(self) -> Mapping[int, frozenset[str]]:
        """By position the marks of ids in whole rows; the id of a short row looks like one of them."""
        whole = [row for row in self._texts if len(row) == self.width]
        return {place: frozenset(marks_of(row[place]) for row in whole) for place in self.id_places}

    @cached_property
    def are_torn(self) -> bool:
        """Whether line breaks within cells made them, so that none is completed."""
        return are_torn(self._texts, self.width)

    @cached_property
    def _texts(self) -> list[list[str]]:
        return [[cell.decode("utf-8", "replace") for cell in row] for row in self.rows]

    def completed(self, cells: Sequence[bytes]) -> list[bytes] | None:
        """The cells of a short row with empty ones behind; None if it is none that left out its last cells."""
        if not any(map(bytes.strip, cells)):
            return [b""] * self.width
        if self.are_torn or not max(self.min_cells, min(2, self.width - 1)) <= len(cells) < self.width:
            return None
        if not all(self._is_id(cells, place) for place in self.ids):
            return None
        return [*cells, *[b""] * (self.width - len(cells))]

    def has_ids(self, cells: Sequence[bytes]) -> bool:
        """Whether ids stand at their places that look like those of whole rows."""
        return bool(self.ids) and all(
            place < len(cells) and self.ids[place] and self._is_id(cells, place) for place in self.ids
        )

    def completed_text(self, text: bytes, delimiter: bytes) -> bytes | None:
        """A text without quotes with the cells that its lines left out; None if there are none, or other short lines."""
        breaks = np.flatnonzero(np.frombuffer(text, np.uint8) == NEWLINE)
        marks = np.flatnonzero(np.frombuffer(text, np.uint8) == delimiter[0])
        counts = np.diff(np.searchsorted(marks, [0, *breaks, len(text)]))
        lines = text.split(b"\n")
        is_changed = False
        for number in np.flatnonzero(counts < self.width - 1).tolist():
            line = lines[number].rstrip(b"\r")
            if not line:
                continue
            cells = self.completed(line.split(delimiter))
            if cells is None:
                return None
            lines[number], is_changed = delimiter.join(cells), True
        return b"\n".join(lines) if is_changed else None

    def _is_id(self, cells: Sequence[bytes], place: int) -> bool:
        known = self.ids[place]
        return not known or marks_of(cells[place].decode("utf-8", "replace")) in known


def short_rows(rows: Sequence[Sequence[bytes]], width: int, required: Iterable[int], ids: Sequence[int]) -> ShortRows:
    """What the first rows of a file show.

    Args:
        rows: cells of the rows below the header.
        width: cells of the header.
        required: positions of columns that may not be empty.
        ids: positions of ids, all of which are required.
    """
    return ShortRows(width, 1 + max(required, default=0), ids, rows)


def are_torn(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether rows that are too short are pieces of whole ones: each run of them has the delimiters of so many whole rows.

    Where the first column holds ids, they do not begin as whole rows do, either.

    >>> are_torn([["i1", "oak", "2"], ["i2", "big"], ["lamp", "9"]], 3)
    True
    >>> are_torn([["i1", "oak", "2"], ["i2", "big"], ["i3", "red"]], 3)
    False
    """
    rows = [row for row in rows if any(map(str.strip, row))]
    runs = [list(run) for is_short, run in groupby(rows, lambda row: len(row) < width) if is_short]
    if not runs or not all(_add_up([len(row) for row in run], width - 1) for run in runs):
        return False
    begin = _beginnings(rows, width)
    return not begin or not all(marks_of(row[0]) in begin for run in runs for row in run)


def begin_rows(lines: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> bool:
    """Whether all lines begin as rows of the header's width do: with an id and a second cell.

    One that is as wide may lack its id.

    >>> rows = [["i1", "oak", "2"], ["i2", "ash", "3"]]
    >>> begin_rows([["i3", "red"]], rows), begin_rows([["big lamp", "9"]], rows), begin_rows([["i4"]], rows)
    (True, False, False)
    >>> begin_rows([["", "elm", "4"]], rows), begin_rows([["", "elm"]], rows)
    (True, False)
    """
    header, width = _header(rows)
    begin = _beginnings(rows[header + 1 :], width)

    def is_row(line: Sequence[str]) -> bool:
        return (len(line) > 1 and marks_of(line[0]) in begin) or (len(line) == width and not line[0].strip())

    return bool(begin) and all(map(is_row, lines))


def leave_out_cells(rows: Sequence[Sequence[str]]) -> bool:
    """Whether all rows that are not whole begin as whole ones do and leave out last cells.

    >>> leave_out_cells([["id", "wood", "n"], ["i1", "oak", "2"], ["i3", "red"]])
    True
    >>> leave_out_cells([["id", "wood", "n"], ["i1", "oak", "2"], ["big lamp", "9"]])
    False
    """
    kinds, _ = _kinds_below(rows)
    return not kinds["short"] and not kinds["long"]


def whole_but_for_last_cells(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How wide the header is, and how many rows are as wide or leave out last cells; no row counts where others are too short.

    >>> whole_but_for_last_cells([["id", "wood", "n"], ["i1", "oak", "2"], ["i3", "red"], ["i4", "ash", "2", "more"]])
    (3, 3)
    """
    kinds, width = _kinds_below(rows)
    return width, 0 if kinds["short"] else 1 + kinds["whole"] + kinds["left out"]


def _kinds_below(rows: Sequence[Sequence[str]]) -> tuple[Counter[str], int]:
    """How many rows below the header are whole, leave out last cells, are short for another reason, or long; and its width."""
    header, width = _header(rows)
    below = [row for row in rows[header + 1 :] if any(map(str.strip, row))]
    begin = _beginnings(below, width)

    def kind(row: Sequence[str]) -> str:
        if len(row) >= width:
            return "whole" if len(row) == width else "long"
        return "left out" if len(row) > 1 and marks_of(row[0]) in begin else "short"

    return Counter(map(kind, below)), width


def _header(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Where the header stands and how wide it is: the first row as wide as most or more, since most may leave out last cells."""
    most = max(Counter(map(len, rows)).items(), key=lambda entry: entry[::-1], default=(0, 0))[0]
    return next(((place, len(row)) for place, row in enumerate(rows) if len(row) >= most), (0, 0))


def _beginnings(rows: Iterable[Sequence[str]], width: int) -> set[str]:
    """The marks that whole rows begin with where that is an id, nothing where it is not."""
    counts = Counter(marks_of(row[0]) for row in rows if len(row) == width)
    begin = {marks for marks, number in counts.items() if number >= USUAL_SHARE * counts.total()}
    return begin if len(begin) <= FEW_KINDS and not any(" " in marks for marks in begin) else set()


def completed_rows(rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """The rows of a first look that are whole, and those that left out last cells with empty ones."""
    min_cells = width if are_torn(rows, width) else min(2, width - 1)
    return [[*row, *[""] * (width - len(row))] for row in rows if min_cells <= len(row) <= width]


def marks_of(text: str) -> str:
    """Which kinds of characters an id is made of, so that `u1` and `user22` are alike and differ from `u1-x`.

    >>> marks_of("user22"), marks_of("u1-x"), marks_of("(9 rows)")
    ('9a', '-9a', ' ()9a')
    """
    return "".join(sorted(set(DIGITS.sub("9", LETTERS.sub("a", text.strip())))))


def _add_up(run: Sequence[int], delimiters: int) -> bool:
    total = sum(cells - 1 for cells in run)
    return len(run) > 1 and total > 0 and total % delimiters == 0
