"""Spreadsheets of LibreOffice and its kin (OASIS OpenDocument, .ods) as comma-separated text: the first sheet that holds rows."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree as ET

from recipes.tables.packed import OPEN_DOCUMENT, PackedError
from recipes.tables.workbook import MAX_SHEET_BYTES, ROWS_PER_PIECE, opened, tag, taken

MAX_COLUMNS, MAX_ROWS, MAX_REPEATED = 16_384, 1 << 20, 20_000_000  # cells that one row may become by being repeated
CLOCK = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
VALUES = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}


def opendocument_text(file: IO[bytes]) -> Iterator[bytes]:
    """The rows of a spreadsheet as comma-separated text.

    Raises:
        PackedError: no sheet holds anything, or a row is repeated beyond all measure.
    """
    out, width, number = io.StringIO(newline=""), 0, 0
    writer = csv.writer(out, lineterminator="\n")
    with zipfile.ZipFile(file) as archive:
        for cells in _first_rows(archive):
            width = max(width, len(cells))
            writer.writerow([*cells, *[""] * (width - len(cells))])
            number += 1
            if number % ROWS_PER_PIECE == 0:
                yield taken(out)
    if not number:
        raise PackedError("is a spreadsheet without any rows")
    yield taken(out)


def _first_rows(archive: zipfile.ZipFile) -> Iterator[list[str]]:
    """The filled rows of the first sheet that has any."""
    holds_rows = False
    with opened(archive, OPEN_DOCUMENT, MAX_SHEET_BYTES) as part:
        for _, element in ET.iterparse(part):  # noqa: S314  without a document type there are no entities
            if tag(element) == "table-row":
                for cells in _repeated(element):
                    holds_rows = True
                    yield cells
                element.clear()
            elif tag(element) == "table" and holds_rows:
                return


def _repeated(row: ET.Element) -> Iterator[list[str]]:
    cells: list[str] = []
    for cell in row:
        if tag(cell) not in {"table-cell", "covered-table-cell"}:
            continue
        text = _value(cell)
        cells += [text] * min(_number(cell, "number-columns-repeated"), MAX_COLUMNS - len(cells))
    while cells and not cells[-1]:
        cells.pop()
    times = min(_number(row, "number-rows-repeated"), MAX_ROWS)
    if times * len(cells) > MAX_REPEATED:
        raise PackedError(f"is a spreadsheet in which a row of {len(cells):,} cells is repeated {times:,} times")
    yield from (cells for _ in range(times if cells else 0))


def _value(cell: ET.Element) -> str:
    kind = _attribute(cell, "value-type")
    text = "\n".join(_text(child) for child in cell if tag(child) == "p")
    if kind in {"float", "percentage", "currency"}:
        return text if re.fullmatch(r"0\d+", text) else _plain(_attribute(cell, "value"))
    value = _attribute(cell, VALUES.get(kind, "string-value"))
    if kind == "date":
        return value.replace("T", " ")
    if kind == "time" and (found := CLOCK.fullmatch(value)):
        return ":".join(part.zfill(2) for part in found.groups())
    return value or text


def _plain(value: str) -> str:
    return value.removesuffix(".0")


def _text(paragraph: ET.Element) -> str:
    """A paragraph's text, in which runs of blanks, tabs and line breaks are elements."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        match tag(child):
            case "s":
                parts.append(" " * min(_number(child, "c"), MAX_COLUMNS))
            case "tab":
                parts.append("\t")
            case "line-break":
                parts.append("\n")
            case "span" | "a":
                parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _attribute(element: ET.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.endswith(f"}}{name}")), "")


def _number(element: ET.Element, name: str) -> int:
    text = _attribute(element, name)
    return int(text) if text.isdecimal() and len(text) < 10 else 1
