"""Excel workbooks of before 2007 (.xls) as comma-separated text: the first sheet that holds rows, cells as Excel shows them."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterator
from datetime import datetime

import xlrd
from xlrd.compdoc import CompDocError

from recipes.tables.packed import Chained, PackedError
from recipes.tables.workbook import FIRST_DAY, FIRST_DAY_1904, ROWS_PER_PIECE, form_of, number_text, taken

MAGIC = b"\xd0\xcf\x11\xe0"
MAX_BYTES = 512 << 20
LOCKED = "EncryptedPackage".encode("utf-16-le")  # what a workbook of today is wrapped in that asks for a password
FAULTS = (xlrd.XLRDError, CompDocError, AssertionError, struct.error, LookupError, ValueError, ArithmeticError, TypeError, AttributeError)  # fmt: skip


def old_workbook_text(source: Chained) -> Iterator[bytes]:
    """The rows of a workbook as comma-separated text.

    Raises:
        PackedError: it asks for a password, is damaged or no workbook, or no sheet holds anything.
    """
    data = b"".join(iter(lambda: source.read(1 << 20), b""))
    if len(data) > MAX_BYTES:
        raise PackedError(f"is an old Excel workbook of more than {MAX_BYTES >> 20} MB")
    if LOCKED in data:
        raise PackedError("is a workbook with a password; save it without one")
    try:
        with xlrd.open_workbook(
            file_contents=data, formatting_info=True, on_demand=True, logfile=io.StringIO()
        ) as book:
            pieces = (_sheet_text(book, book.sheet_by_index(number)) for number in range(book.nsheets))
            yield from next((found for found in map(list, pieces) if found), [])
            return
    except FAULTS as error:
        raise PackedError(
            f"looks like an old Excel workbook but cannot be read: {str(error) or type(error).__name__}"
        ) from error


def _sheet_text(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> Iterator[bytes]:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    start = FIRST_DAY_1904 if book.datemode else FIRST_DAY
    for number in range(sheet.nrows):
        cells = [_value(book, cell, start) for cell in sheet.row(number)]
        if any(cells):
            writer.writerow([*cells, *[""] * (sheet.ncols - len(cells))])
        if (number + 1) % ROWS_PER_PIECE == 0 and (piece := taken(out)):
            yield piece
    if piece := taken(out):
        yield piece


def _value(book: xlrd.Book, cell: xlrd.sheet.Cell, start: datetime) -> str:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            return str(cell.value)
        case xlrd.XL_CELL_BOOLEAN:
            return "true" if cell.value else "false"
        case xlrd.XL_CELL_NUMBER:
            code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str
            return number_text(repr(cell.value), form_of(code), start)
        case xlrd.XL_CELL_DATE:
            return number_text(repr(cell.value), "date", start)
        case _:
            return ""
