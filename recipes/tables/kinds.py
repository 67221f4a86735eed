"""What a file is: a table of a kind that becomes text, something that is named and refused, or text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

import pyarrow as pa

from recipes.tables import markup, old_excel, packed, records, structured
from recipes.tables.opendocument import opendocument_text
from recipes.tables.packed import Chained, PackedError, copied
from recipes.tables.workbook import workbook_text

LOOKED_AT = 1 << 16
MAX_CONTROL_SHARE = 0.02
ALLOWED = "Allowed are CSV text, JSON, Excel and OpenDocument spreadsheets, tables of HTML, Parquet, ORC, Avro and Arrow, also compressed."
FOREIGN = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "an SQLite database; export its table as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"{\\rtf": "a text document",
}
CONTROLS = re.compile(rb"[\x00\x02-\x08\x0e-\x1a\x1c-\x1e\x7f]")
SPREADSHEET = "a spreadsheet"
SHEETS = {SPREADSHEET, "an old Excel workbook", markup.KIND}
FAULTS = (pa.ArrowException, ValueError, KeyError, SyntaxError)


@dataclass(frozen=True)
class TableKind:
    """A kind of table: the first bytes of its files, and what makes comma-separated text of them."""

    magic: bytes
    text: Callable[[Chained], Iterator[bytes]]


def _sheet_text(source: Chained) -> Iterator[bytes]:
    """The rows of a ZIP that is a spreadsheet.

    Raises:
        PackedError: it is of a kind that is not read.
    """
    with copied(source) as file:
        yield from _sheet_reader(file)(file)


def _sheet_reader(file: IO[bytes]) -> Callable[[IO[bytes]], Iterator[bytes]]:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        mime = archive.read("mimetype")[:80].decode("utf-8", "replace") if "mimetype" in names else ""
    file.seek(0)
    if packed.WORKBOOK in names:
        return workbook_text
    if packed.OPEN_DOCUMENT in names and "spreadsheet" in mime:
        return opendocument_text
    if packed.BINARY_WORKBOOK in names:
        raise PackedError("is a binary Excel workbook (.xlsb); save it as .xlsx or CSV")
    if packed.NUMBERS in names:
        raise PackedError("is a document of Apple's Numbers; export it as Excel or CSV")
    raise PackedError("is a document and no table; export its table as CSV")


TABLES = {
    **{
        name: TableKind(magic, partial(structured.table_text, magic=magic))
        for magic, (name, _) in structured.TABLES.items()
    },
    "Avro": TableKind(records.MAGIC, records.avro_text),
    SPREADSHEET: TableKind(packed.ZIP, _sheet_text),
    "an old Excel workbook": TableKind(old_excel.MAGIC, old_excel.old_workbook_text),
}


def table_kind(head: bytes) -> str:
    """The kind of table that begins so, "" if none does."""
    return next((name for name, kind in TABLES.items() if head.startswith(kind.magic)), "")


def foreign_kind(head: bytes) -> str:
    """What a file is that begins so and is neither table nor text, "" if it may be text."""
    return next((what for magic, what in FOREIGN.items() if head.startswith(magic)), "")


def kind_of_text(head: bytes) -> str:
    """What a text is that is no table, "" if it may be one.

    Args:
        head: its first bytes, in UTF-8.
    """
    start = head.lstrip()[:200]
    if re.match(rb'\{|\[\s*["{\[\]\d]', start):
        return "JSON without an object for each row"
    if re.match(rb"<[!?a-zA-Z]", start):
        return "HTML or XML without a table; open it in a spreadsheet and save it as .xlsx or CSV"
    sample = head[:LOOKED_AT]
    return "a binary file" if len(CONTROLS.findall(sample)) > MAX_CONTROL_SHARE * len(sample) else ""
