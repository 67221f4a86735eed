"""Parquet parts: a dataset's bulk rows, written as they stream by, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from console import storage
from console.errors import DamagedPartError, JobError
from console.ingest.profile import encoded
from console.ingest.schema import DatasetSchema
from console.server_paths import reason_of

ROWS_PER_PART = 10_000_000
ROWS_PER_GROUP = 100_000  # at least; a group is a block of the file where that is large enough
SUFFIX = ".parquet"


class PartWriter:
    """Writes tables one after the other into a folder, beginning a new part when one is large enough."""

    def __init__(self, folder: Path, schema: DatasetSchema, prefix: str = "part") -> None:
        """Write below `folder`, which exists."""
        self._folder, self._schema, self._prefix = folder, schema.stored(), prefix
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._part_rows = 0
        self.paths: list[Path] = []
        self.sizes: list[int] = []

    def write(self, table: pa.Table) -> None:
        """Append rows; few are gathered until they make a row group."""
        if table.num_rows == 0:
            return
        columns = [encoded(table[field.name], field.type) for field in self._schema]
        self._waiting.append(pa.table(columns, schema=self._schema))
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= ROWS_PER_GROUP:
            self._flush()
        if self._part_rows >= ROWS_PER_PART:
            self._end_part()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._end_part()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._writer is None:
            path = self._folder / f"{self._prefix}-{len(self.paths):05}{SUFFIX}"
            self._writer = pq.ParquetWriter(path, self._schema, **self._layout())
            self.paths.append(path)
        table = pa.concat_tables(self._waiting)
        self._writer.write_table(table.unify_dictionaries() if len(self._waiting) > 1 else table)
        self._part_rows += table.num_rows
        self._waiting, self._waiting_rows = [], 0

    def _layout(self) -> dict[str, Any]:
        words = [field.name for field in self._schema if pa.types.is_dictionary(field.type)]
        whole = [field.name for field in self._schema if pa.types.is_integer(field.type)]
        return {
            "compression": "zstd",
            "write_page_checksum": True,
            "use_dictionary": words,
            "column_encoding": dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
            "write_statistics": False,
            "store_schema": False,
        }

    def _end_part(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self.sizes.append(self._part_rows)
            self._writer, self._part_rows = None, 0


def local_path(key: str) -> Path:
    """A part of the store as a local file.

    Raises:
        JobError: it is not there any more.
    """
    folder, _, name = key.rpartition("/")
    path = storage.local_folder(folder) / name
    if not path.is_file():
        raise JobError(f"The part {key} is not in the store any more; the dataset was imported anew meanwhile.")
    return path


def batches(path: Path, schema: pa.Schema, rows: int = 250_000) -> Iterator[pa.Table]:
    """A part's rows in tables of at most `rows`, in the columns of `schema`: those it lacks are null.

    Raises:
        DamagedPartError: a checksum is wrong, or the file is none of ours.
        FileNotFoundError: it is not there any more.
    """
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    with _reporting_damage(), pq.ParquetFile(path, read_dictionary=words, page_checksum_verification=True) as file:
        known = [name for name in schema.names if name in file.schema_arrow.names]
        for batch in file.iter_batches(rows, columns=known):
            yield fitted(pa.Table.from_batches([batch]), schema)


@contextmanager
def _reporting_damage() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the reader's
            raise
        reason = reason_of(error)
        raise DamagedPartError(f"Rows of a dataset are damaged: {reason}. Import its data again.", reason) from error


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table in the columns of `schema`, null where it has none."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def rewrite(path: Path, schema: DatasetSchema, keep: NDArray[np.bool_], writer: PartWriter) -> None:
    """Copy the rows of a part where `keep` is true."""
    start = 0
    for table in batches(path, schema.arrow()):
        writer.write(table.filter(pa.array(keep[start : start + table.num_rows])))
        start += table.num_rows
