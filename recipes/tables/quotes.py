"""Where the cells and rows of a text end: one rule for quotes, applied in linear time.

A cell is quoted if it begins with the quote (blanks aside) and the next quote that is neither doubled nor escaped is followed by
a delimiter or a line's end. Any other quote is content, and its row ends where its line does: a lone quote costs nothing but its
own place. The search for a closing quote ends at the first run of an odd number of quotes, and no two searches cross the same
such gap, so that a text is passed over a bounded number of times whatever its damage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MAX_QUOTED_BYTES = 4 << 20  # a longer quoted cell is none: its quote was never closed
NEWLINE, RETURN, BLANK = 10, 13, 32
Quoting = Literal["none", "regular", "irregular"]
"""How a block uses quotes: not at all; exactly as RFC 4180 has it; or in some other way, which only `split_rows` reads."""


@dataclass(frozen=True)
class Marks:
    """The marks that divide a text. An empty `quote` means that quotes are content; `escape` makes the next mark content."""

    delimiter: bytes
    quote: bytes = b'"'
    escape: bytes = b""


@dataclass(frozen=True)
class Row:
    """A row of a text: where its first line begins, and its cells."""

    start: int
    cells: list[bytes]


def split_rows(data: bytes, marks: Marks, start: int = 0) -> Iterator[Row]:
    """All rows of whole lines from the line that begins at `start`; lines without any character are no rows."""
    spans = iter(_quoted_cells(data, marks, start)) if marks.quote else iter(())
    span = next(spans, None)
    size = len(data)
    while start < size:
        within = []
        end = _find_newline(data, start)
        while span is not None and span[0] < end:
            within.append(span)
            end = _find_newline(data, span[1])
            span = next(spans, None)
        line_end = end - 1 if end > start and data[end - 1] == RETURN else end
        if line_end > start:
            yield Row(start, _cells(data, start, line_end, within, marks))
        start = end + 1


def row_end(data: bytes, marks: Marks, quoting: Quoting) -> int:
    """Where the last row ends that `data`, the beginning of a longer text, holds whole; 0 if it holds none."""
    if quoting == "none":
        return data.rfind(b"\n") + 1
    if quoting == "regular":
        ends = _row_ends(data, marks, quoting)
        return int(ends[-1]) + 1 if len(ends) else 0
    return _last_newline(data, *_spans_so_far(data, marks))


def quoting_of(data: bytes, marks: Marks, *, whole: bool = False) -> Quoting:
    """How `data`, which begins with a row and if it is `whole` ends with one, uses quotes."""
    if not marks.quote or marks.quote not in data:
        return "none"
    if len(marks.delimiter) != 1 or (marks.escape and marks.escape in data):
        return "irregular"
    positions = _positions(data, marks.quote)
    text = np.frombuffer(data, np.uint8)
    before = np.where(positions > 0, text[np.maximum(positions - 1, 0)], NEWLINE)
    if not np.isin(before, [marks.delimiter[0], NEWLINE, BLANK]).any():
        return "none"  # all of them inside of cells: content
    last = len(text) - 1
    after = np.where(positions < last, text[np.minimum(positions + 1, last)], NEWLINE)
    opens, closes = slice(0, None, 2), slice(1, None, 2)
    begins = [marks.delimiter[0], NEWLINE, marks.quote[0]]  # behind a quote, it is the second of a doubled one
    if not np.isin(before[opens], begins).all() or not np.isin(after[closes], [*begins, RETURN]).all():
        return "irregular"
    is_open = len(positions) % 2 == 1
    if whole and is_open:
        return "irregular"
    gaps = np.diff(positions)[opens]
    pending = len(data) - int(positions[-1]) if is_open else 0
    return "irregular" if max(int(gaps.max(initial=0)), pending) > MAX_QUOTED_BYTES else "regular"


def row_starts(data: bytes, marks: Marks, quoting: Quoting) -> NDArray[np.int64]:
    """Where the rows of a block begin that is not irregular."""
    ends = _row_ends(data, marks, quoting)
    if not len(ends) or ends[-1] != len(data) - 1:
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts
    first = np.frombuffer(data, np.uint8)[np.minimum(starts, len(data) - 1)]
    found: NDArray[np.int64] = starts[(sizes > 1) | ((sizes == 1) & (first != RETURN))].astype(np.int64)
    return found


def quoted_in_even_rows(data: bytes, marks: Marks) -> int:
    """How many cells a text quotes of which no other reading is better; 0 where that must be looked at row by row.

    It uses quotes regularly, its rows are of one width, and fewer of its lines end within quotes than cells are quoted. The last row, which
    may be cut off, counts by its quotes only.
    """
    if len(marks.delimiter) != 1 or data.count(b"\r") != data.count(b"\r\n"):
        return 0
    body = data[: row_end(data, marks, "regular")]
    if not body or quoting_of(body, marks, whole=True) != "regular":
        return 0
    positions, starts = _positions(body, marks.quote), row_starts(body, marks, "regular")
    cuts = _positions(body, marks.delimiter)
    cuts = cuts[np.searchsorted(positions, cuts) % 2 == 0]
    widths = np.diff(np.append(np.searchsorted(cuts, starts), len(cuts)))
    doubled = np.count_nonzero(positions[2::2] == positions[1:-1:2] + 1)
    closed = len(positions) // 2 - doubled
    inner = body.count(b"\n") - len(_row_ends(body, marks, "regular"))
    if (widths != widths[0]).any() or closed <= inner:
        return 0
    return int(closed) + tally(data[len(body) :], marks)[0]


def _row_ends(data: bytes, marks: Marks, quoting: Quoting) -> NDArray[np.int64]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == NEWLINE)
    if quoting == "regular":
        ends = ends[np.searchsorted(_positions(data, marks.quote), ends) % 2 == 0]
    return ends


def tally(data: bytes, marks: Marks) -> tuple[int, int]:
    """How many quotes that begin a cell are closed as they should be, and how many are not."""
    closed = unclosed = 0
    body = _patterns(marks)[0]
    at = data.find(marks.quote)
    while at >= 0:
        begins = _begins_cell(data, at, marks)
        found = body.match(data, at) if begins else None
        closed, unclosed = closed + bool(found), unclosed + (begins and not found)
        at = data.find(marks.quote, found.end() if found else at + 1)
    return closed, unclosed


def _positions(data: bytes, quote: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(data, np.uint8) == quote[0])


def _find_newline(data: bytes, start: int) -> int:
    found = data.find(b"\n", start)
    return found if found >= 0 else len(data)


def _cells(data: bytes, start: int, end: int, spans: list[tuple[int, int]], marks: Marks) -> list[bytes]:
    """The cells of the row from `start` to `end`, in which `spans` are the quoted ones."""
    cells: list[bytes] = []
    at, closed = start, False
    for first, last in spans:
        cells += _bare(data[at:first], marks)[:-1]
        cells.append(_unquoted(data[first + 1 : last - 1], marks))
        at = last
        while at < end and data[at] == BLANK:
            at += 1
        closed = at >= end
        at += len(marks.delimiter)
    if not closed:
        cells += _bare(data[at:end], marks)
    return cells


def _bare(text: bytes, marks: Marks) -> list[bytes]:
    cells = text.split(marks.delimiter)
    if not marks.escape or marks.escape not in text:
        return cells
    joined: list[bytes] = []
    is_open = False  # the delimiter before this cell is escaped, and so content
    for cell in cells:
        if is_open:
            joined[-1] += marks.delimiter + cell
        else:
            joined.append(cell)
        is_open = (len(joined[-1]) - len(joined[-1].rstrip(marks.escape))) % 2 == 1
    return [_unescaped(cell, marks) for cell in joined]


def _unquoted(text: bytes, marks: Marks) -> bytes:
    if marks.escape and marks.escape in text:
        return _unescaped(text, marks)
    return text.replace(marks.quote * 2, marks.quote) if marks.quote in text else text


def _unescaped(text: bytes, marks: Marks) -> bytes:
    """The text with escaped marks, and doubled quotes, as what they stand for; a backslash before anything else stays."""
    return _escapes(marks).sub(lambda found: found[0][-1:], text)


def _quoted_cells(data: bytes, marks: Marks, start: int) -> Iterator[tuple[int, int]]:
    """Where quoted cells from `start` on begin and end, quotes included."""
    body = _patterns(marks)[0]
    at = data.find(marks.quote, start)
    while at >= 0:
        found = body.match(data, at) if _begins_cell(data, at, marks) else None
        if found and found.end() - at <= MAX_QUOTED_BYTES:
            yield at, found.end()
            at = data.find(marks.quote, found.end())
        else:
            at = data.find(marks.quote, at + 1)


def _spans_so_far(data: bytes, marks: Marks) -> tuple[list[tuple[int, int]], int]:
    """The quoted cells up to the first that may be closed further on, and where that begins."""
    body, pending = _patterns(marks)
    spans: list[tuple[int, int]] = []
    at = data.find(marks.quote)
    while at >= 0:
        found = None
        if _begins_cell(data, at, marks):
            found = body.match(data, at)
            if (
                found is None
                and len(data) - at <= MAX_QUOTED_BYTES
                and (open_cell := pending.match(data, at))
                and open_cell.end() == len(data)
            ):
                return spans, at
        if found and found.end() - at <= MAX_QUOTED_BYTES:
            spans.append(found.span())
            at = data.find(marks.quote, found.end())
        else:
            at = data.find(marks.quote, at + 1)
    return spans, len(data)


def _begins_cell(data: bytes, at: int, marks: Marks) -> bool:
    """Whether nothing but blanks stands between the position and a delimiter or line's end before it."""
    while at and data[at - 1] == BLANK:
        at -= 1
    return at == 0 or data[at - 1] == NEWLINE or data.endswith(marks.delimiter, 0, at)


def _last_newline(data: bytes, spans: list[tuple[int, int]], stop: int) -> int:
    """Behind the last line end before `stop` that is outside the spans; 0 if there is none."""
    for first, last in reversed(spans):
        if found := data.rfind(b"\n", last, stop) + 1:
            return found
        stop = first
    return data.rfind(b"\n", 0, stop) + 1


@lru_cache(maxsize=64)
def _patterns(marks: Marks) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A closed quoted cell, and one that is open as far as the text goes."""
    quote, delimiter = re.escape(marks.quote), re.escape(marks.delimiter)
    if marks.escape:
        escape = re.escape(marks.escape)
        plain = rb"[^" + quote + escape + rb"]*+"
        inner = plain + rb"(?:(?:" + quote * 2 + rb"|" + escape + rb"[\s\S])" + plain + rb")*+"
        tail = rb"(?:" + quote + rb"|" + escape + rb")?"
    else:
        plain = rb"[^" + quote + rb"]*+"
        inner = plain + rb"(?:" + quote * 2 + plain + rb")*+"
        tail = quote + rb"?"
    closed = quote + inner + quote + rb"(?=[ ]*(?:" + delimiter + rb"|\r?\n|\r?\Z))"
    return re.compile(closed), re.compile(quote + inner + tail + rb"[ ]*\r?\Z")


@lru_cache(maxsize=64)
def _escapes(marks: Marks) -> re.Pattern[bytes]:
    quote, escape = re.escape(marks.quote), re.escape(marks.escape)
    own = rb"[" + quote + escape + re.escape(marks.delimiter[:1]) + rb"]"
    return re.compile(escape + own + (rb"|" + quote * 2 if marks.quote else rb""))
