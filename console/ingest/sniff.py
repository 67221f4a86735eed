"""A first look at a file: layout, columns and what they may mean, from a sample of its head and a few places further in.

The sample is bounded, so a look takes the same time whatever the file's size.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from console import storage
from console.errors import JobError
from console.ingest import sources
from console.storage import Location
from recipes.tables.describe import Guess
from recipes.tables.dialect import CsvFormat, Found, detect
from recipes.tables.encodings import encoding_of, words_beyond_ascii
from recipes.tables.guess import guess_type, understand
from recipes.tables.header import has_header, header_of, repeated, top_rows
from recipes.tables.quotes import split_rows
from recipes.tables.roles import Question
from recipes.tables.short_rows import are_torn, completed_rows
from recipes.tables.structured import NO_OBJECT
from recipes.tables.text import Block, canonical

JSONDict = dict[str, Any]
HEAD_BYTES = 1 << 20
SLICES, SLICE_BYTES = 4, 128 << 10
SHOWN_ROWS = 50
MAX_COLUMNS = 300
MOST_REPEATED = 1.05  # rows for each value of a column that tells rows apart
PAIR = {"INTERACTIONS", "ITEMS"}


@dataclass(frozen=True)
class Preview:
    """What a file looks like.

    `rows` are its first rows as text, `columns` the guesses, one for each of its columns, `evidence` what the layout was found by.
    """

    form: CsvFormat
    is_gzip: bool
    dataset_type: str
    columns: list[Guess]
    rows: list[list[str]]
    size_bytes: int
    estimated_rows: int
    sampled_rows: int
    warnings: list[str]
    evidence: list[str]
    questions: list[Question]
    constants: dict[str, str]
    sample: list[list[str]]

    @property
    def item_ids(self) -> frozenset[str]:
        """What may name an item in the sample: the events' items, or whatever tells a catalogue's rows apart."""
        if self.dataset_type == "ITEMS":
            places = [
                n for n, guess in enumerate(self.columns) if guess.repetition < MOST_REPEATED and guess.type != "float"
            ]
        else:
            places = [n for n, guess in enumerate(self.columns) if guess.name == "ITEM_ID"]
        return frozenset(row[place].strip() for row in self.sample for place in places) - {""}


@dataclass(frozen=True)
class _Sample:
    head: bytes  # UTF-8
    slices: list[bytes]
    encoding: str
    is_gzip: bool
    whole: bool
    packed: float  # bytes stored for each byte of text
    form: CsvFormat | None  # where the file says it itself


def preview(
    location: Location,
    given: JSONDict | None = None,
    dataset_type: str = "",
    domain: str = "",
    beside: Sequence[Preview] = (),
) -> Preview:
    """Look at one object; what `given` (members of CsvFormat) and `dataset_type` say is taken as said, the rest is found out.

    `beside` are files of the same import: of events and a catalogue, each column of ids is one that the other names.

    Raises:
        JobError: it cannot be read or is clearly not CSV.
    """
    given = given or {}
    size = storage.size_bytes(location)
    sample = _sample(location, given.get("encoding", ""))
    layout = (
        Found(sample.form, ["The file says itself what its columns are."])
        if sample.form
        else detect(sample.head, given)
    )
    form = replace(layout.form, encoding=sample.encoding)
    if "header" not in given and not sample.form:
        form = replace(form, header=has_header(top_rows(sample.head, form)))
    header, body = _table(sample.head, form)
    rows = completed_rows(body, len(header))
    for text in sample.slices:
        rows += [row for row in _rows(text, form) if len(row) == len(header)]
    rows, shown = [row[:MAX_COLUMNS] for row in rows], header[:MAX_COLUMNS]
    kind = dataset_type or guess_type(shown, rows)
    others = [one for one in beside if {one.dataset_type, kind} == PAIR]
    known_items = frozenset[str]().union(*(one.item_ids for one in others))
    understood = understand(shown, rows, kind, domain, known_items=known_items, is_whole=sample.whole)
    form = replace(form, decimal=given.get("decimal", understood.decimal))
    total = len(body) if sample.whole else _estimate(sample, len(body), size)
    return Preview(
        form, sample.is_gzip, kind, understood.columns, [row[:MAX_COLUMNS] for row in body[:SHOWN_ROWS]], size, total, len(rows),
        _warnings(header, body, understood.columns) + _none_shared(understood.columns, bool(known_items) and kind == "ITEMS"),
        layout.evidence + _encoding_evidence(sample), understood.questions, understood.constants, rows,
    )  # fmt: skip


def holds_rows(location: Location) -> bool:
    """Whether an object is more than a header; one that cannot be read counts as more, for its fault is to be reported."""
    try:
        with sources.open_text(location) as stream:
            return sum(bool(line.strip()) for line in stream.head(HEAD_BYTES).splitlines()) > 1
    except JobError:
        return True


def _sample(location: Location, encoding: str) -> _Sample:
    with sources.open_text(location, encoding) as stream:
        head = stream.head(HEAD_BYTES)
        whole = len(head) < HEAD_BYTES
        packed = stream.meter.bytes / max(1, stream.unpacked)
        slices = [] if whole or stream.packing or stream.form else _slices(location)
        found = stream.encoding
        if found == "utf-8" and not encoding and head.isascii():
            found = next((encoding_of(piece) for piece in slices if not piece.isascii()), found)
        if not whole:
            head = head[: head.rfind(b"\n", 0, HEAD_BYTES) + 1 or HEAD_BYTES]
        return _Sample(
            head, [_utf8(piece, found) for piece in slices], found, bool(stream.packing), whole, packed, stream.form
        )


def _encoding_evidence(sample: _Sample) -> list[str]:
    """What letters beyond ASCII are read as where they are no Unicode, for people to see whether it is right."""
    if sample.encoding.startswith("utf"):
        return []
    text = b"".join([sample.head, *sample.slices]).decode("utf-8", "replace")
    shown = ", ".join(words_beyond_ascii(text))
    return [f"Letters beyond ASCII are no UTF-8 and are read as {sample.encoding}: {shown}."] if shown else []


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


def _utf8(piece: bytes, encoding: str) -> bytes:
    return piece if encoding == "utf-8" else piece.decode(encoding, "replace").encode()


def _rows(text: bytes, form: CsvFormat) -> list[list[str]]:
    """All rows that hold anything, as text."""
    found = (row.cells for row in split_rows(canonical(text, form), form.marks))
    return [[cell.decode("utf-8", "replace") for cell in cells] for cells in found if any(cells)]


def _table(text: bytes, form: CsvFormat) -> tuple[list[str], list[list[str]]]:
    """The columns' names and the rows below them."""
    header, rest = header_of(Block(canonical(text, form), 1), form)
    return header, _rows(rest.data, replace(form, delimiter=form.marks.delimiter.decode()))


def _none_shared(columns: list[Guess], is_catalogue: bool) -> list[str]:
    """Say where none of a catalogue's ids is an item of the events beside it."""
    key = next((guess for guess in columns if guess.name == "ITEM_ID"), None)
    if not is_catalogue or key is None or key.shared_items:
        return []
    return [
        f"None of the ids in {key.source} looked at is an item of the interactions beside it; both files must name items alike."
    ]


def _estimate(sample: _Sample, rows: int, size: int) -> int:
    per_row = len(sample.head) / max(1, rows)
    return round(size / max(sample.packed, 1e-9) / max(per_row, 1))


def _warnings(header: list[str], body: list[list[str]], columns: list[Guess]) -> list[str]:
    found = []
    widths = [len(row) for row in body]
    short = 0 if are_torn(body, len(header)) else sum(1 < width < len(header) for width in widths)
    others = sum(row[-1:] == [NO_OBJECT] and len(row) > len(header) for row in body)
    ragged = sum(width != len(header) for width in widths) - short - others
    if ragged:
        found.append(
            f"{ragged:,} of the {len(body):,} rows looked at do not have {len(header)} columns as the header does."
        )
    if short:
        found.append(f"{short:,} of the {len(body):,} rows looked at leave out last cells, which are taken as empty.")
    if others:
        found.append(f"{others:,} of the {len(body):,} rows looked at are no JSON objects.")
    if len(header) > MAX_COLUMNS:
        found.append(
            f"The file has {len(header):,} columns; the first {MAX_COLUMNS} are shown, the others are left out."
        )
    if not body:
        found.append("There are no rows.")
    found += [
        f"The column {name} is there more than once; those behind the first are called {', '.join(others)}."
        for name, others in repeated(header).items()
    ]
    found += [warning for column in columns for warning in column.warnings]
    return found
