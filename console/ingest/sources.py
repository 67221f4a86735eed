"""Locations as streams of whole CSV lines: gunzipped, transcoded, hashed and counted on the way, block by block.

A block ends at a line's end, so that each can be parsed alone: a bad row spoils its block's fast path and no more, and
line numbers stay exact. Memory is bounded by the block, whatever the file's size.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from console import storage
from console.errors import JobError
from console.storage import Location

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 64 << 20
csv.field_size_limit(MAX_LINE_BYTES)
SUFFIXES = (".csv", ".gz", ".tsv", ".txt")
GZIP = b"\x1f\x8b"
FOREIGN = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True)
class CsvFormat:
    """How a file's text is laid out. An empty delimiter or encoding means: find out."""

    delimiter: str = ""
    quote: str = '"'
    encoding: str = ""
    header: bool = True
    decimal: str = "."


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, UTF-8 unless the file lies; `first_line` is the number of the first, from 1."""

    data: bytes
    first_line: int


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
    """One object as UTF-8 bytes, whatever its compression and encoding."""

    def __init__(self, location: Location, inner: IO[bytes], encoding: str, digest: Any) -> None:
        """Look at the first bytes and undo what they show."""
        self.location = location
        self.meter = Meter(inner, digest)
        self._read = self.meter.read
        head = self._read(BLOCK_BYTES)
        self.is_gzip = head.startswith(GZIP)
        if self.is_gzip:
            unzipped = gzip.GzipFile(fileobj=_Chained(head, self.meter.read))  # type: ignore[call-overload]
            self._read = unzipped.read
            head = self.read(BLOCK_BYTES)
        _reject_foreign(location, head)
        bom = next((bom for bom in BOMS if head.startswith(bom)), b"")
        self.has_bom = bool(bom)
        self.encoding = BOMS[bom] if bom else (encoding or "utf-8")
        self._head = head[len(bom) :]
        self.unpacked = 0
        self._decoder = None
        if codecs.lookup(self.encoding).name != "utf-8":
            self._decoder = codecs.getincrementaldecoder(self.encoding)("replace")

    def read(self, size: int) -> bytes:
        """The next bytes as they are stored.

        Raises:
            JobError: the gzip stream is damaged.
        """
        try:
            return self._read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise JobError(f"{self.location} looks like gzip but cannot be unpacked: {error}.") from error

    @property
    def is_transcoded(self) -> bool:
        """Whether `text` gives other bytes than those stored."""
        return self._decoder is not None

    def text(self, size: int = BLOCK_BYTES) -> bytes:
        """The next UTF-8 bytes, b"" at the end."""
        while True:
            data, self._head = (self._head, b"") if self._head else (self.read(size), b"")
            self.unpacked += len(data)
            if self._decoder is None:
                return data
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode()


class _Chained:
    """What was read already, then the rest; all that gzip needs of a file."""

    def __init__(self, head: bytes, read: Any) -> None:
        self._head, self._more = head, read

    def read(self, size: int = -1) -> bytes:
        if self._head:
            taken = self._head if size < 0 else self._head[:size]
            self._head = self._head[len(taken) :]
            return taken
        data: bytes = self._more(size)
        return data


def _reject_foreign(location: Location, head: bytes) -> None:
    what = next((what for magic, what in FOREIGN.items() if head.startswith(magic)), None)
    start = head.lstrip(codecs.BOM_UTF8).lstrip()[:1]
    if what is None and start in {b"{", b"["}:
        what = "JSON"
    if what is None and start == b"<":
        what = "HTML or XML"
    utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if what is None and not utf16 and b"\0" in head[:65536]:
        what = "a binary file"
    if what:
        raise JobError(f"{location} is not CSV but {what}. Allowed is CSV text with a header, also gzipped.")


def sha256_of(locations: Iterable[Location]) -> str:
    """The digest of all objects' bytes one after the other, as an import computes it."""
    digest = hashlib.sha256()
    for location in locations:
        with storage.open_read(location) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def open_text(location: Location, encoding: str = "", digest: Any = None) -> Iterator[TextStream]:
    """Open an object as text.

    Raises:
        JobError: it cannot be read, or is clearly not CSV.
    """
    with storage.open_read(location) as inner:
        yield TextStream(location, inner, encoding, digest or hashlib.sha256())


def blocks(stream: TextStream, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut the stream into blocks of whole lines."""
    rest, line = b"", 1
    mac = None
    while chunk := stream.text(size):
        if mac is None:
            mac = b"\n" not in chunk and b"\r" in chunk
        if mac:
            chunk = chunk.replace(b"\r", b"\n")
        data = rest + chunk if rest else chunk
        end = _line_end(data)
        if end == 0 and len(data) > MAX_LINE_BYTES:
            raise JobError(
                f"{stream.location} has a line of more than {MAX_LINE_BYTES >> 20} MB at line {line}; is it CSV?"
            )
        rest = data[end:]
        if end:
            whole = data[:end]
            yield Block(whole, line)
            line += whole.count(b"\n")
    if rest:
        yield Block(rest, line)


def _line_end(data: bytes) -> int:
    """Where the last whole line ends, 0 if none does; a line's end inside quotes is not one."""
    end = data.rfind(b"\n") + 1
    if b'"' not in data:
        return end
    first = end
    while end and _quotes(data, end) % 2:
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end or first  # quotes that never pair are content


def _quotes(data: bytes, end: int) -> int:
    return data.count(b'"', 0, end) - data.count(b'\\"', 0, end)


def header_of(block: Block, form: CsvFormat) -> tuple[list[str], Block]:
    """The column names of a file's first block, and the block without that line."""
    end = block.data.find(b"\n") + 1 or len(block.data)
    text = block.data[:end].decode("utf-8", "replace").strip("\r\n")
    names = next(csv.reader([text], delimiter=form.delimiter or ",", quotechar=form.quote or '"'), [])
    if not form.header:
        return [str(position + 1) for position in range(len(names))], block
    return [name.strip() for name in names], Block(block.data[end:], block.first_line + 1)
