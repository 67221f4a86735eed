"""Parquet and JSON Lines as the text of a comma-separated file, so that one reader reads them all."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

PARQUET = b"PAR1"
COPY_BYTES = 1 << 20
ROWS_PER_BATCH = 50_000
KEYS_FROM = 1_000  # lines whose keys are the columns


class Written:
    """A readable over pieces of text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Read the pieces one after the other."""
        self._pieces, self._rest = pieces, b""

    def read(self, size: int) -> bytes:
        """The next bytes, b"" at the end."""
        if not self._rest:
            self._rest = next(filter(None, self._pieces), b"")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def parquet_text(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The rows of a Parquet file as comma-separated text with a header.

    Raises:
        pa.ArrowInvalid: it is damaged.
    """
    with tempfile.TemporaryFile() as file:
        while data := read(COPY_BYTES):
            file.write(data)
        file.seek(0)
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            yield _line(names)
            for batch in parquet.iter_batches(ROWS_PER_BATCH):
                yield _batch_text([_texts(column) for column in batch.columns])


def json_lines_text(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """JSON objects, one a line, as comma-separated text; the keys of the first lines are the columns.

    A line that is no object stays as it is, as a row of one cell.
    """
    lines = _lines(read)
    first = [_object(line) for line in islice(lines, KEYS_FROM)]
    names = list(dict.fromkeys(key for found in first if isinstance(found, dict) for key in found))
    yield _line(names)
    for found in chain(first, map(_object, lines)):
        yield _line([_cell(found.get(name)) for name in names] if isinstance(found, dict) else [found, *_filler(names)])


def is_json_lines(head: bytes) -> bool:
    """Whether the first line is a JSON object by itself."""
    line = head.lstrip().partition(b"\n")[0]
    return line.startswith(b"{") and isinstance(_object(line), dict)


def _filler(names: list[str]) -> list[str]:
    """What makes a row that is no object one of another width than the header's."""
    return ["no JSON object"] * (len(names) != 2)


def _lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    rest = b""
    while data := read(COPY_BYTES):
        *whole, rest = (rest + data).split(b"\n")
        yield from filter(bytes.strip, whole)
    if rest.strip():
        yield rest


def _object(line: bytes) -> dict[str, Any] | str:
    text = line.decode("utf-8", "replace").strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict) else text


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case list() if all(isinstance(part, str | int | float) for part in value):
            return "|".join(map(_cell, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _texts(column: pa.Array) -> pa.Array:
    """A column as text, null where it is."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if value is None else _cell(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _batch_text(columns: list[pa.Array]) -> bytes:
    out: IO[bytes] = io.BytesIO()
    table = pa.table(columns, [str(number) for number in range(len(columns))])
    arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return out.getvalue()  # type: ignore[attr-defined, no-any-return]
