"""A first look at a file: layout, columns and what they may mean, from a sample of its head and a few places further in.

The sample is bounded, so a look takes the same time whatever the file's size.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from console import storage
from console.ingest import sources
from console.ingest.guess import ALIASES, Guess, guess_columns, guess_type, plain
from console.ingest.mapping import DELIMITERS
from console.ingest.sources import CsvFormat, TextStream
from console.storage import Location

JSONDict = dict[str, Any]
HEAD_BYTES = 1 << 20
SLICES, SLICE_BYTES = 4, 128 << 10
LAYOUT_LINES = 200
SHOWN_ROWS = 50
MAX_COLUMNS = 300


@dataclass(frozen=True)
class Preview:
    """What a file looks like. `rows` are its first rows as text, `columns` the guesses, one for each of its columns."""

    form: CsvFormat
    is_gzip: bool
    dataset_type: str
    columns: list[Guess]
    rows: list[list[str]]
    size_bytes: int
    estimated_rows: int
    sampled_rows: int
    warnings: list[str]


@dataclass(frozen=True)
class _Sample:
    head: str
    slices: list[str]
    encoding: str
    is_gzip: bool
    whole: bool
    packed: float  # bytes stored for each byte of text


def preview(location: Location, given: JSONDict | None = None, dataset_type: str = "", domain: str = "") -> Preview:
    """Look at one object; what `given` (members of CsvFormat) and `dataset_type` say is taken as said, the rest is found out.

    Raises:
        JobError: it cannot be read or is clearly not CSV.
    """
    given = given or {}
    size = storage.size_bytes(location)
    sample = _sample(location, given.get("encoding", ""))
    found = _layout(sample, given)
    head = list(_rows(sample.head, found))
    header, body = _header(head, found)
    rows = [row for row in body if len(row) == len(header)]
    for text in sample.slices:
        rows += [row for row in _rows(text, found) if len(row) == len(header)]
    kind = dataset_type or guess_type(header, rows)
    columns, decimal = guess_columns(header, rows, kind, domain, found)
    found = replace(found, decimal=given.get("decimal", decimal))
    total = len(body) if sample.whole else _estimate(sample, len(body), size)
    warnings = _warnings(header, body, columns)
    return Preview(found, sample.is_gzip, kind, columns, body[:SHOWN_ROWS], size, total, len(rows), warnings)


def _sample(location: Location, encoding: str) -> _Sample:
    with sources.open_text(location, encoding) as stream:
        head, whole = _head(stream)
        packed = stream.meter.bytes / max(1, stream.unpacked)
        found = stream.encoding
        if not encoding and not stream.has_bom and not _is_utf8(head):
            found = "cp1252"
        slices = [] if whole or stream.is_gzip else _slices(location)
        text = head.decode("utf-8" if stream.is_transcoded else found, "replace")
        return _Sample(text, [piece.decode(found, "replace") for piece in slices], found, stream.is_gzip, whole, packed)


def _head(stream: TextStream) -> tuple[bytes, bool]:
    """The first whole lines, and whether they are all."""
    head = b""
    while len(head) < HEAD_BYTES:
        more = stream.text(HEAD_BYTES)
        if not more:
            return head.replace(b"\r", b"\n") if b"\n" not in head else head, True
        head += more
    if b"\n" not in head:
        head = head.replace(b"\r", b"\n")
    return head[: head.rfind(b"\n", 0, HEAD_BYTES) + 1 or HEAD_BYTES], False


def _slices(location: Location) -> list[bytes]:
    """Whole lines from further in, where the file can be read from the middle."""
    size, found = storage.size_bytes(location), []
    with storage.open_read(location) as file:
        if not isinstance(file, io.BufferedReader):
            return []
        for number in range(1, SLICES + 1):
            file.seek(size * number // (SLICES + 1))
            piece = file.read(SLICE_BYTES)
            found.append(piece[piece.find(b"\n") + 1 : piece.rfind(b"\n") + 1])
    return found


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: str, form: CsvFormat) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    if not form.quote:
        return [line.rstrip("\r\n").split(form.delimiter) for line in lines if line.strip()]
    return [row for row in csv.reader(lines, delimiter=form.delimiter, quotechar=form.quote) if row]


def _layout(sample: _Sample, given: JSONDict) -> CsvFormat:
    lines = "".join(list(io.StringIO(sample.head, newline=""))[:LAYOUT_LINES])
    delimiter = given.get("delimiter") or max(DELIMITERS, key=lambda mark: _regularity(lines, mark))
    form = CsvFormat(delimiter, given.get("quote", '"'), sample.encoding)
    header = given.get("header")
    return replace(form, header=_has_header(_rows(lines, form)[:20]) if header is None else header)


def _regularity(lines: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter cuts the lines into rows of one width."""
    widths = Counter(len(row) for row in _rows(lines, CsvFormat(delimiter)))
    width, number = widths.most_common(1)[0] if widths else (1, 0)
    return (number / widths.total(), width) if width > 1 else (0.0, 0)


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: it holds a known name, or words above numbers, or nothing that recurs."""
    if not rows:
        return True
    first, others = rows[0], rows[1:]
    if any(plain(cell) in ALIASES for cell in first):
        return True
    if any(not cell.strip() or _is_number(cell) for cell in first) or len(set(first)) < len(first):
        return False
    below = [row for row in others if len(row) == len(first)]
    above_numbers = any(all(_is_number(row[n]) for row in below) for n in range(len(first))) and bool(below)
    return above_numbers or not any(cell in row for row in below for cell in first)


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?\d[\d.,:/\- TZ]*\s*", cell))


def _header(rows: list[list[str]], form: CsvFormat) -> tuple[list[str], list[list[str]]]:
    if form.header and rows:
        return [name.strip() for name in rows[0]][:MAX_COLUMNS], rows[1:]
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    return [str(position + 1) for position in range(width)], rows


def _estimate(sample: _Sample, rows: int, size: int) -> int:
    per_row = len(sample.head.encode()) / max(1, rows)
    return round(size / max(sample.packed, 1e-9) / max(per_row, 1))


def _warnings(header: list[str], body: list[list[str]], columns: list[Guess]) -> list[str]:
    found = []
    ragged = sum(len(row) != len(header) for row in body)
    if ragged:
        found.append(
            f"{ragged:,} of the {len(body):,} rows looked at do not have {len(header)} columns as the header does."
        )
    if not body:
        found.append("There are no rows.")
    duplicated = [name for name, number in Counter(header).items() if number > 1]
    if duplicated:
        found.append(f"The column {duplicated[0]} is there more than once; the first is taken.")
    found += [warning for column in columns for warning in column.warnings]
    return found
