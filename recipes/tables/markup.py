"""Tables of HTML, which many shops and reports call .xls, and of Excel's XML of 2003, as comma-separated text.

The text is passed over once, mark by mark: nothing is fetched or expanded, and no damage makes it slow. Of several tables the one
with the most cells counts, be it within another one that only arranges the page.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from recipes.tables.packed import PackedError
from recipes.tables.workbook import ROWS_PER_PIECE, taken

KIND = "an HTML table"
BEGINS = re.compile(rb"\s*<[!?a-zA-Z]")
TABLE = re.compile(rb"<(\w+:)?(table|tr)[\s>]", re.IGNORECASE)
NAME = re.compile(r"(/?)(?:\w+:)?(\w+)")
NUMBER = re.compile(r"""(?<![\w-])(?:\w+:)?(colspan|rowspan|index|mergeacross)\s*=\s*["']?(\d{1,5})""", re.IGNORECASE)
MAX_BYTES = 256 << 20
MAX_SPAN, MAX_COLUMNS = 1000, 16_384  # columns or rows that one cell may cover, and all cells of a row
MAX_CELLS = 50_000_000  # of the table as it is written
CELLS, ROWS, BREAKS = {"td", "th", "cell"}, {"tr", "row"}, {"br", "p", "div", "li"}
PARTS = {"thead", "tbody", "tfoot"}
COMMENT, DATA = ("<!--", "-->"), ("<![CDATA[", "]]>")


def is_markup(head: bytes) -> bool:
    """Whether a text that begins so is HTML or XML with a table."""
    return bool(BEGINS.match(head) and TABLE.search(head))


def markup_text(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The rows of the largest table as comma-separated text.

    Args:
        read: gives the document in UTF-8.

    Raises:
        PackedError: there is no table with rows, or the document is too large.
    """
    pieces, size = [], 0
    while data := read(1 << 20):
        pieces.append(data)
        size += len(data)
        if size > MAX_BYTES:
            raise PackedError(f"is HTML or XML of more than {MAX_BYTES >> 20} MB; save the table as CSV")
    rows = _largest(b"".join(pieces).decode("utf-8", "replace"))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    width = max(map(len, rows))
    if width * len(rows) > MAX_CELLS:
        raise PackedError(f"is HTML or XML with more than {MAX_CELLS:,} cells; save the table as CSV")
    for number, row in enumerate(rows, 1):
        writer.writerow([*row, *[""] * (width - len(row))])
        if number % ROWS_PER_PIECE == 0:
            yield taken(out)
    yield taken(out)


@dataclass
class _Table:
    """A table that is being read: its rows, the row and the cell that are open, and what cells of rows above still cover."""

    rows: list[list[str]] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    cell: list[str] | None = None
    span: dict[str, int] = field(default_factory=dict)
    covered: dict[int, tuple[int, str]] = field(default_factory=dict)

    def begin_cell(self, attributes: str) -> None:
        """Begin a cell, in the column that it names."""
        self.end_cell()
        self.span = {name.lower(): min(int(number), MAX_SPAN) for name, number in NUMBER.findall(attributes)}
        self._cover()
        self.row += [""] * (self.span.get("index", 1) - 1 - len(self.row))
        self.cell = []

    def end_cell(self) -> None:
        """End the open cell, if there is one."""
        if self.cell is None:
            return
        lines = (" ".join(line.split()) for line in html.unescape("".join(self.cell)).split("\n"))
        text = "\n".join(filter(None, lines))
        width = max(1, self.span.get("colspan", self.span.get("mergeacross", 0) + 1))
        if (below := self.span.get("rowspan", 1) - 1) > 0:
            self.covered |= {len(self.row) + place: (below, text) for place in range(width)}
        self.row += [text, *[""] * (width - 1)]
        self.cell = None
        if len(self.row) > MAX_COLUMNS:
            raise PackedError(f"is HTML or XML with a row of more than {MAX_COLUMNS:,} cells")

    def end_row(self) -> None:
        """End the open row; one without any content is none."""
        self.end_cell()
        if self.row:
            self._cover()
        if any(self.row):
            self.rows.append(self.row)
        self.row = []

    def _cover(self) -> None:
        """Repeat what cells above cover at the place that comes next."""
        while found := self.covered.pop(len(self.row), None):
            left, text = found
            if left > 1:
                self.covered[len(self.row)] = (left - 1, text)
            self.row.append(text)


class _Reader:
    """All tables of a document, whose marks come one after the other."""

    def __init__(self) -> None:
        """Begin before the first mark."""
        self.done: list[list[list[str]]] = []
        self._open: list[_Table] = []

    def text(self, text: str) -> None:
        """Take text, which counts within a cell."""
        if self._open and self._open[-1].cell is not None:
            self._open[-1].cell.append(text)

    def mark(self, mark: str) -> None:
        """Take what stands between < and >."""
        found = NAME.match(mark)
        if not found:
            return
        is_end, name = bool(found[1]), found[2].lower()
        if name == "table":
            self._table(is_end)
        elif name in BREAKS:
            self.text("\n")
        elif name in {*ROWS, *CELLS, *PARTS} and self._open:
            self._inside(self._open[-1], name, mark, is_end)

    def _table(self, is_end: bool) -> None:
        if not is_end:
            self._open.append(_Table())
        elif self._open:
            table = self._open.pop()
            table.end_row()
            self.done.append(table.rows)

    def _inside(self, table: _Table, name: str, mark: str, is_end: bool) -> None:
        if name not in CELLS:
            table.end_row()
        elif is_end:
            table.end_cell()
        else:
            table.begin_cell(mark)
            if mark.endswith("/"):
                table.end_cell()

    def close(self) -> None:
        """End what the document left open."""
        while self._open:
            self._table(is_end=True)


def _largest(document: str) -> list[list[str]]:
    reader = _Reader()
    for is_mark, text in _tokens(document):
        (reader.mark if is_mark else reader.text)(text)
    reader.close()
    rows = max(reader.done, key=lambda table: sum(map(len, table)), default=[])
    if not rows:
        raise PackedError("is HTML or XML without a table that has rows; save the table as .xlsx or CSV")
    return rows


def _tokens(document: str) -> Iterator[tuple[bool, str]]:
    """Marks and the texts between them, in order; each search begins where the last one ended."""
    at = 0
    while (start := document.find("<", at)) >= 0:
        if start > at:
            yield False, document[at:start]
        opening, closing = next((pair for pair in (COMMENT, DATA) if document.startswith(pair[0], start)), ("<", ">"))
        inside = start + len(opening)
        end = document.find(closing, inside)
        if end < 0:
            return
        if opening == "<":
            yield True, document[inside:end]
        elif opening == DATA[0]:
            yield False, html.escape(document[inside:end])
        at = end + len(closing)
    yield False, document[at:]
