"""A file's bytes as UTF-8 text in blocks of whole rows: unpacked, transcoded and cut on the way, in bounded memory.

A block ends where a row does, so that each can be parsed alone: a bad row spoils its block's fast path and no more, and line
numbers stay exact.
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from recipes.tables import kinds, markup, packed, structured
from recipes.tables.dialect import BLANKS, UNIT, CsvFormat
from recipes.tables.encodings import Utf8Reader
from recipes.tables.packed import Chained, PackedError, Pieces, Read
from recipes.tables.quotes import Quoting, quoting_of, row_end

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 64 << 20
MAX_PACKED = 2  # times


class TableError(Exception):
    """A file cannot be read as a table; the message names it and says what is needed."""


@dataclass(frozen=True)
class Block:
    """Whole rows of a file, UTF-8 unless the file lies; `first_line` is the number of the first line, from 1."""

    data: bytes
    first_line: int
    quoting: Quoting = "irregular"


class Meter:
    """A readable that counts and hashes what passes through."""

    def __init__(self, inner: IO[bytes], digest: Any) -> None:
        """Read from `inner`."""
        self._inner, self._digest = inner, digest
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        data = self._inner.read(size)
        self._digest.update(data)
        self.bytes += len(data)
        return data


class TextStream:
    """One file as UTF-8 bytes, whatever its compression and encoding; `form` is its layout where that is known.

    Raises:
        TableError: it is clearly no text, or a gzip stream is damaged.
    """

    def __init__(self, name: str, inner: IO[bytes], encoding: str = "", digest: Any = None) -> None:
        """Look at the first bytes of the file called `name` and undo what they show."""
        self.name = name
        self.meter = Meter(inner, digest or hashlib.sha256())
        self._read: Read = self.meter.read
        self._kind = self.packing = ""
        head = self._read(BLOCK_BYTES)
        for _ in range(MAX_PACKED):
            kind = packed.kind_of(head)
            if not kind or (kind == self.packing == "ZIP"):  # a workbook stays one
                break
            self.packing, self._read = kind, packed.unpacked(kind, Chained(head, self._read))
            head = self._stored(BLOCK_BYTES)
        self.form: CsvFormat | None = None
        self._text: Utf8Reader | None = None
        self.unpacked = 0
        self._kept: list[bytes] = []
        self._is_mac: bool | None = None
        self._is_new_line = True
        self._begin(head, encoding)

    @property
    def encoding(self) -> str:
        """The encoding of what is stored, as far as it was read."""
        return self._text.encoding if self._text else "utf-8"

    def _begin(self, head: bytes, encoding: str) -> None:
        """Read on as text, by way of comma-separated text where the file is a table of another kind."""
        if found := kinds.table_kind(head):
            self._become(found, kinds.TABLES[found].text(Chained(head, self._read)))
            return
        self._refuse(kinds.foreign_kind(head))
        self._text = Utf8Reader(self._read, head, encoding)
        self._read = self._text.read
        head = self._stored(BLOCK_BYTES)
        if kind := structured.json_kind(head):
            self._become("JSON", structured.json_text(Chained(head, self._read).read, kind))
            return
        if markup.is_markup(head):
            self._become(markup.KIND, markup.markup_text(Chained(head, self._read).read))
            return
        self._refuse(kinds.kind_of_text(head))
        self._read = Chained(head, self._read).read

    def _become(self, kind: str, pieces: Iterator[bytes]) -> None:
        self._kind, self._read = kind, Pieces(pieces).read
        if kind not in kinds.SHEETS:  # in a sheet there may be titles above the table
            self.form = CsvFormat(",", '"', "utf-8")

    def _refuse(self, what: str) -> None:
        if what:
            raise TableError(f"{self.name} is not CSV but {what}. {kinds.ALLOWED}")

    def _stored(self, size: int) -> bytes:
        try:
            return self._read(size)
        except PackedError as error:
            raise TableError(f"{self.name} {error}.") from error
        except (*kinds.FAULTS, *packed.FAULTS) as error:
            if not (self._kind or self.packing):
                raise
            raise TableError(
                f"{self.name} looks like {self._kind} but cannot be read: {error}."
                if self._kind
                else f"{self.name} looks like {self.packing} but cannot be unpacked: {error}."
            ) from error

    def head(self, size: int = BLOCK_BYTES) -> bytes:
        """The first bytes of the text, at least `size` of them if there are so many; they are read again afterwards."""
        while sum(map(len, self._kept)) < size and (more := self._next(BLOCK_BYTES)):
            self._kept.append(more)
        self._kept = [b"".join(self._kept)] if self._kept else []
        return self._kept[0] if self._kept else b""

    def text(self, size: int = BLOCK_BYTES) -> bytes:
        """The next UTF-8 bytes, b"" at the end."""
        data = self._kept.pop(0) if self._kept else self._next(size)
        if len(data) > size:
            self._kept.insert(0, data[size:])
            data = data[:size]
        return data

    def _next(self, size: int) -> bytes:
        data = self._stored(size)
        while data.endswith((BOM_UTF8[:1], BOM_UTF8[:2])) and (more := self._stored(1)):
            data += more
        self.unpacked += len(data)
        return self._without_marks(self._lines(data)) or (self._next(size) if data else b"")

    def _without_marks(self, data: bytes) -> bytes:
        """The text without the byte order marks that lines begin with where files were put together, one behind the other."""
        is_new_line, self._is_new_line = self._is_new_line, data.endswith(b"\n")
        if BOM_UTF8 not in data:
            return data
        data = data.removeprefix(BOM_UTF8) if is_new_line else data
        return data.replace(b"\n" + BOM_UTF8, b"\n")

    def _lines(self, data: bytes) -> bytes:
        """The text with the line ends of old Macs as those of all others."""
        if self._is_mac is None and data:
            pairs = data.count(b"\r\n")
            self._is_mac = data.count(b"\r") - pairs > data.count(b"\n")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if self._is_mac else data


def blocks(stream: TextStream, form: CsvFormat, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut the stream into blocks of whole rows, in which delimiters are what `form.marks` says.

    Raises:
        TableError: a line is too long for any table.
    """
    rest, line = b"", 1
    while chunk := stream.text(size):
        data = rest + chunk if rest else chunk
        quoting = quoting_of(data, form.marks)
        end = row_end(data, form.marks, quoting)
        if end == 0 and len(data) > MAX_LINE_BYTES:
            raise TableError(
                f"{stream.name} has a line of more than {MAX_LINE_BYTES >> 20} MB at line {line}; is it CSV?"
            )
        rest = data[end:]
        if end:
            whole = data[:end] if rest else data
            yield Block(canonical(whole, form), line, quoting)
            line += whole.count(b"\n")
    if rest:
        yield Block(canonical(rest, form), line, quoting_of(rest, form.marks, whole=True))


def canonical(data: bytes, form: CsvFormat) -> bytes:
    """The text with one byte for each delimiter."""
    if form.delimiter == " ":
        return b"\n".join(BLANKS.sub(b"\t", line.strip(b" \t\r")) for line in data.split(b"\n"))
    return data.replace(form.delimiter.encode(), UNIT) if len(form.delimiter) > 1 and not form.quote else data
