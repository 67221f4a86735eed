"""A file's bytes as UTF-8 text in blocks of whole rows: unpacked, transcoded and cut on the way, in bounded memory.

A block ends where a row does, so that each can be parsed alone: a bad row spoils its block's fast path and no more, and line
numbers stay exact.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa

from recipes.tables import packed, structured
from recipes.tables.dialect import BLANKS, UNIT, CsvFormat
from recipes.tables.packed import Chained, PackedError, Pieces
from recipes.tables.quotes import Quoting, quoting_of, row_end
from recipes.tables.workbook import workbook_text

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 64 << 20
LOOKED_AT = 1 << 16
MAX_CONTROL_SHARE = 0.02
MAX_PACKED = 2  # times
FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"Obj\x01": "an Avro file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
}
BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
WORD_LENGTH, CYRILLIC, FEWEST_LETTERS = 2.5, 0.95, 4  # of a word; share that must be Cyrillic; different ones
CONTROLS = re.compile(rb"[\x00\x02-\x08\x0e-\x1a\x1c-\x1e\x7f]")


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
        self._read: Callable[[int], bytes] = self.meter.read
        self._kind = ""
        head = self._read(BLOCK_BYTES)
        self.packing = ""
        for _ in range(MAX_PACKED):
            kind = packed.kind_of(head)
            if not kind or (kind == self.packing == "ZIP"):  # a workbook stays one
                break
            self.packing, self._read = kind, packed.unpacked(kind, Chained(head, self._read))
            head = self._stored(BLOCK_BYTES)
        self.form: CsvFormat | None = None
        head = self._as_text(head)
        bom = next((bom for bom in BOMS if head.startswith(bom)), b"")
        self.has_bom = bool(bom)
        self.encoding = BOMS[bom] if bom else (encoding or _wide_encoding(head) or "utf-8")
        self._head = head[len(bom) :]
        self.unpacked = 0
        self._may_be_other = self.encoding == "utf-8" and not bom
        self._decoder: codecs.IncrementalDecoder | None = None
        self._kept: list[bytes] = []
        self._is_mac: bool | None = None
        self._switch(self.encoding)
        _reject_foreign(name, head, is_wide=self.encoding.startswith(("utf-16", "utf-32")))

    def _as_text(self, head: bytes) -> bytes:
        """The first bytes as text, from here on by way of comma-separated text where the file is none."""
        bare = head.removeprefix(codecs.BOM_UTF8)
        magic = next((magic for magic in structured.TABLES if head.startswith(magic)), b"")
        if magic:
            self._kind = structured.TABLES[magic][0]
            pieces = structured.table_text(Chained(head, self._read), magic)
        elif head.startswith(packed.ZIP):
            self._kind = "Excel"
            pieces = workbook_text(Chained(head, self._read))
        elif kind := structured.json_kind(bare):
            self._kind = "JSON"
            pieces = structured.json_text(Chained(bare, self._read).read, kind)
        else:
            return head
        self._read = Pieces(pieces).read
        if self._kind != "Excel":  # in a sheet there may be titles above the table
            self.form = CsvFormat(",", '"', "utf-8")
        return self._stored(BLOCK_BYTES)

    def _switch(self, encoding: str) -> None:
        self.encoding = encoding
        if codecs.lookup(encoding).name != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def _stored(self, size: int) -> bytes:
        try:
            return self._read(size)
        except PackedError as error:
            raise TableError(f"{self.name} {error}.") from error
        except (pa.ArrowException, ValueError, KeyError, SyntaxError, *packed.FAULTS) as error:
            if not (self._kind or self.packing):
                raise
            doing = "read" if self._kind else "unpacked"
            raise TableError(
                f"{self.name} looks like {self._kind or self.packing} but cannot be {doing}: {error}."
            ) from error

    @property
    def is_transcoded(self) -> bool:
        """Whether `text` gives other bytes than those stored."""
        return self._decoder is not None

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
        while True:
            data, self._head = (self._head, b"") if self._head else (self._stored(size), b"")
            self.unpacked += len(data)
            if self._may_be_other and not data.isascii():
                self._may_be_other = False
                self._switch(encoding_of(data))
            if self._decoder is None:
                return self._lines(data)
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return self._lines(text.encode())

    def _lines(self, data: bytes) -> bytes:
        """The text with the line ends of old Macs as those of all others."""
        if self._is_mac is None and data:
            pairs = data.count(b"\r\n")
            self._is_mac = data.count(b"\r") - pairs > data.count(b"\n")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if self._is_mac else data


def encoding_of(data: bytes) -> str:
    """UTF-8 if more of the characters beyond ASCII are valid than not, else cp1251 or KOI8-R if they spell words, else cp1252."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    ascii_characters = len(data) - len(data.translate(None, bytes(range(128))))
    right = len(text) - ascii_characters - max(wrong, 0)
    return "utf-8" if right >= wrong else _single_byte_encoding(data)


def _single_byte_encoding(data: bytes) -> str:
    """Western letters beyond ASCII stand alone among others; Cyrillic ones are whole words, mostly in small letters."""
    runs = BEYOND_ASCII.findall(data[:LOOKED_AT])
    text = b"".join(runs)
    letters = [letter for letter in text.decode("cp1251", "replace") if "\u0400" <= letter <= "\u04ff"]
    if len(text) < WORD_LENGTH * len(runs) or len(letters) < CYRILLIC * len(text) or len(set(letters)) < FEWEST_LETTERS:
        return "cp1252"
    return "cp1251" if 2 * sum(map(str.islower, letters)) >= len(letters) else "koi8-r"


def _wide_encoding(head: bytes) -> str:
    """UTF-16 without a mark at its beginning: every second byte is zero."""
    sample = head[:4096]
    pairs = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if pairs < 2 or max(even, odd) < 0.7 * pairs or min(even, odd) > 0.1 * pairs:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _reject_foreign(name: str, head: bytes, *, is_wide: bool) -> None:
    what = next((what for magic, what in FOREIGN.items() if head.startswith(magic)), None)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:200]
    if what is None and re.match(rb'\{|\[\s*["{\[\]\d]', start):
        what = "JSON"
    if what is None and re.match(rb"<[!?a-zA-Z]", start):
        what = "HTML or XML"
    sample = head[:LOOKED_AT]
    if what is None and not is_wide and len(CONTROLS.findall(sample)) > MAX_CONTROL_SHARE * len(sample):
        what = "a binary file"
    if what:
        raise TableError(
            f"{name} is not CSV but {what}. Allowed are CSV text, JSON, Excel workbooks, Parquet, ORC and Arrow, also compressed."
        )


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
