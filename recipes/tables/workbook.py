"""Excel workbooks (ECMA-376) as comma-separated text: the first sheet that holds rows, cells as Excel shows them.

Dates become ISO 8601, numbers the 15 digits that Excel keeps, and digits under a format such as 00000 keep their zeros.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO
from xml.etree import ElementTree as ET

from recipes.tables.packed import PackedError

FIRST_DAY, FIRST_DAY_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001  workbooks know no zones
DATES = {14, 15, 16, 17, 18, 19, 20, 21, 22, *range(27, 37), 45, 46, 47, *range(50, 59)}  # formats that need no code
NO_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
ROWS_PER_PIECE = 1000
MAX_SHEET_BYTES, MAX_PART_BYTES, HEAD_BYTES = 4 << 30, 64 << 20, 4096


def workbook_text(file: IO[bytes]) -> Iterator[bytes]:
    """The rows of a workbook as comma-separated text.

    Raises:
        PackedError: no sheet holds anything.
    """
    with zipfile.ZipFile(file) as archive:
        strings, styles = _shared_strings(archive), _formats(archive)
        start = FIRST_DAY_1904 if _is_1904(archive) else FIRST_DAY
        for sheet in _sheets(archive):
            pieces = _sheet_text(archive, sheet, strings, styles, start)
            if first := next(pieces, b""):
                yield first
                yield from pieces
                return
    raise PackedError("is a workbook without any rows")


def _sheet_text(
    archive: zipfile.ZipFile, sheet: str, strings: list[str], styles: list[str], start: datetime
) -> Iterator[bytes]:
    out, width, number = io.StringIO(newline=""), 0, 0
    writer = csv.writer(out, lineterminator="\n")
    for row in elements(archive, sheet, "row"):
        cells = _cells(row, strings, styles, start)
        if not any(cells):
            continue
        width = max(width, len(cells))
        writer.writerow([*cells, *[""] * (width - len(cells))])
        number += 1
        if number % ROWS_PER_PIECE == 0:
            yield taken(out)
    yield taken(out)


def taken(out: io.StringIO) -> bytes:
    """What was written so far, of which nothing stays."""
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode("utf-8", "replace")


def _cells(row: ET.Element, strings: list[str], styles: list[str], start: datetime) -> list[str]:
    """A row's cells by their places; Excel leaves out those that are empty."""
    cells: list[str] = []
    for cell in row:
        if tag(cell) != "c":
            continue
        place = _place(cell.get("r", ""), len(cells))
        cells += [""] * (place - len(cells))
        cells.append(_value(cell, strings, styles, start))
    return cells


def _place(reference: str, following: int) -> int:
    """The column of a reference such as AB12, from 0."""
    place = 0
    for letter in reference.rstrip("0123456789"):
        place = place * 26 + ord(letter) - 64
    return place - 1 if place else following


def _value(cell: ET.Element, strings: list[str], styles: list[str], start: datetime) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = next((child.text or "" for child in cell if tag(child) == "v"), "")
    match kind:
        case "s":
            return strings[int(value)] if value else ""
        case "b":
            return {"1": "true", "0": "false"}.get(value, value)
        case "e":
            return ""  # such as #N/A
        case "n":
            style = int(cell.get("s", "0"))
            return number_text(value, styles[style] if style < len(styles) else "", start) if value else ""
        case _:
            return value


def number_text(value: str, form: str, start: datetime) -> str:
    """A cell's number as it is shown under `form`: a date, digits filled up with zeros, or plainly ("")."""
    try:
        number = float(value)
    except ValueError:
        return value
    if form == "date":
        moment = start + timedelta(seconds=round(number * 86_400, 3))
        return moment.isoformat(sep=" ", timespec="milliseconds" if moment.microsecond else "seconds")
    text = f"{number:.15g}"
    if "e" in text and number.is_integer():
        text = str(int(number))
    return text.zfill(len(form)) if form and text.isdigit() else text


def _formats(archive: zipfile.ZipFile) -> list[str]:
    """Of each style "date", the zeros that digits are filled up with, or ""."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    codes: dict[int, str] = {}
    styles: list[str] = []
    for part in parsed(archive, "xl/styles.xml"):
        if tag(part) == "numFmts":
            codes = {int(entry.get("numFmtId", "0")): entry.get("formatCode", "") for entry in part}
        if tag(part) == "cellXfs":
            styles = [_form_of(int(entry.get("numFmtId", "0")), codes) for entry in part]
    return styles


def _form_of(number: int, codes: dict[int, str]) -> str:
    code = codes.get(number)
    return form_of(code) if code is not None else "date" if number in DATES else ""


def form_of(code: str) -> str:
    """What a format's code such as dd.mm.yyyy or 00000 makes of a number: see `number_text`."""
    if re.fullmatch(r"0{2,}", code):
        return code
    return "date" if re.search(r"[ymdhs]", NO_CODE.sub("", code), re.IGNORECASE) else ""


def _sheets(archive: zipfile.ZipFile) -> list[str]:
    """The sheets' files in the workbook's order."""
    targets = {part.get("Id"): part.get("Target", "") for part in parsed(archive, "xl/_rels/workbook.xml.rels")}
    found = []
    for part in parsed(archive, "xl/workbook.xml").iter():
        if tag(part) == "sheet":
            identifier = next((value for name, value in part.attrib.items() if name.endswith("}id")), None)
            target = targets.get(identifier, "")
            found.append(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    names = set(archive.namelist())
    return [name for name in found if name in names]


def _is_1904(archive: zipfile.ZipFile) -> bool:
    properties = (part for part in parsed(archive, "xl/workbook.xml") if tag(part) == "workbookPr")
    return any(part.get("date1904") in {"1", "true"} for part in properties)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_text(entry) for entry in elements(archive, "xl/sharedStrings.xml", "si")]


def _text(entry: ET.Element) -> str:
    """All of an entry's runs; how words are pronounced is left out."""
    phonetic = {id(text) for part in entry.iter() if tag(part) == "rPh" for text in part.iter()}
    return "".join(part.text or "" for part in entry.iter() if tag(part) == "t" and id(part) not in phonetic)


def elements(archive: zipfile.ZipFile, name: str, wanted: str) -> Iterator[ET.Element]:
    """The elements of a tag, one after the other, each forgotten once it was looked at."""
    with opened(archive, name, MAX_SHEET_BYTES) as file:
        for _, element in ET.iterparse(file):  # noqa: S314  without a document type there are no entities
            if tag(element) == wanted:
                yield element
                element.clear()


def parsed(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """A small part of the archive, whole."""
    with opened(archive, name, MAX_PART_BYTES) as file:
        return ET.parse(file).getroot()  # noqa: S314  without a document type there are no entities


def opened(archive: zipfile.ZipFile, name: str, most: int) -> IO[bytes]:
    """A part of the archive.

    Raises:
        PackedError: it is larger than any workbook's, or has a document type, which no workbook's has.
    """
    if archive.getinfo(name).file_size > most:
        raise PackedError(f"is a spreadsheet whose {name} is larger than {most >> 20} MB")
    with archive.open(name) as file:
        if b"<!DOCTYPE" in file.read(HEAD_BYTES):
            raise PackedError(f"is a spreadsheet whose {name} has a document type")
    return archive.open(name)


def tag(element: ET.Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]
