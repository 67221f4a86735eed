"""Compressed files and ZIP archives: recognised by their first bytes, unpacked in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

import pyarrow as pa

Read = Callable[[int], bytes]
ZIP = b"PK\x03\x04"
KINDS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "Zstandard", ZIP: "ZIP"}
FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
COPY_BYTES = 1 << 20
WORKBOOK, BINARY_WORKBOOK, OPEN_DOCUMENT, NUMBERS = (
    "xl/workbook.xml",
    "xl/workbook.bin",
    "content.xml",
    "Index/Document.iwa",
)
SPREADSHEETS = {WORKBOOK, BINARY_WORKBOOK, OPEN_DOCUMENT, NUMBERS}
BESIDE = re.compile(  # what stands beside tables
    r"__MACOSX/.*|.*/|.*\.(md|pdf|html?|png|jpe?g|xml|sql|py|sh)"
    r"|(.*/)?([._].*|(readme|licen[cs]e|manifest|schema|changelog|notice|copying)([._].*)?)",
    re.IGNORECASE,
)


class PackedError(Exception):
    """An archive holds what cannot be read as one table; the message follows the file's name."""


class Chained:
    """What was read already, then the rest; all that decompressors need of a file."""

    closed = False

    def __init__(self, head: bytes, read: Read) -> None:
        """Read `head` first, then by `read`."""
        self._head, self._more = head, read

    def read(self, size: int = -1) -> bytes:
        """The next bytes, b"" at the end."""
        if self._head:
            taken = self._head if size < 0 else self._head[:size]
            self._head = self._head[len(taken) :]
            return taken
        return self._more(size)

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def close(self) -> None:
        """Do nothing: who opened the file closes it."""


class Pieces:
    """A readable over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Read the pieces one after the other."""
        self._pieces, self._rest = pieces, b""

    def read(self, size: int) -> bytes:
        """The next bytes, b"" at the end."""
        if not self._rest:
            self._rest = next(filter(None, self._pieces), b"")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def kind_of(head: bytes) -> str:
    """How a file with these first bytes is compressed, "" if it is not."""
    return next((kind for magic, kind in KINDS.items() if head.startswith(magic)), "")


def unpacked(kind: str, source: Chained) -> Read:
    """What reads a compressed file's content.

    Raises:
        PackedError: an archive holds none or several tables.
    """
    stream = cast("IO[bytes]", source)
    match kind:
        case "gzip":
            return gzip.GzipFile(fileobj=stream).read
        case "bzip2":
            return bz2.BZ2File(stream).read
        case "xz":
            return lzma.LZMAFile(stream).read
        case "Zstandard":
            return _zstandard(source)
        case _:
            return Pieces(_members(source)).read


def copied(source: Chained) -> IO[bytes]:
    """The rest of a stream as a file in which one can go back and forth."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed by who asked for it
    while data := source.read(COPY_BYTES):
        file.write(data)
    file.seek(0)
    return file


def _zstandard(source: Chained) -> Read:
    stream: Any = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")

    def read(size: int) -> bytes:
        try:
            return bytes(stream.read(size))
        except pa.ArrowException as error:
            raise OSError(str(error)) from error

    return read


def _members(source: Chained) -> Iterator[bytes]:
    """The bytes of a ZIP's tables one after the other; those of later ones without their header.

    A spreadsheet is a ZIP, too, and stays one.
    """
    with copied(source) as file, zipfile.ZipFile(file) as archive:
        names = [entry.filename for entry in archive.infolist()]
        if not SPREADSHEETS.isdisjoint(names):
            file.seek(0)
            yield from iter(lambda: file.read(COPY_BYTES), b"")
            return
        tables = [name for name in names if not BESIDE.fullmatch(name)]
        headers = {_first_line(archive, name) for name in tables} - {b""}
        if not headers:
            raise PackedError("is a ZIP archive without a table")
        if len(headers) > 1:
            raise PackedError(f"is a ZIP archive of several tables, {', '.join(sorted(tables)[:10])}; one is needed")
        yield from _joined(archive, tables)


def _joined(archive: zipfile.ZipFile, names: list[str]) -> Iterator[bytes]:
    end = b"\n"
    for number, name in enumerate(names):
        with archive.open(name) as member:
            if number:
                member.readline()
                yield b"" if end == b"\n" else b"\n"
            while data := member.read(COPY_BYTES):
                yield data
                end = data[-1:]


def _first_line(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.readline(COPY_BYTES).strip()
