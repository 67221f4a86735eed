"""What an export job does: a dataset's rows as CSV files with a header, streamed, each published whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from console import storage
from console.ingest import parts, profile, snapshot
from console.ingest.schema import DatasetSchema
from console.jobs import Claim
from console.models import Dataset, DatasetExportJob
from console.scratch import scratch_folder
from console.storage import Location

ROWS_PER_FILE = 5_000_000
STRUCTURAL = '[",\\r\\n]'
APOSTROPHE_FIRST = "^'"


def run(held: Claim) -> None:
    """Write the rows below the job's location."""
    job = cast("DatasetExportJob", held.row)
    dataset = Dataset.objects.select_related("schema", "dataset_group").get(pk=job.dataset_id)
    target = storage.parse_location(job.job_output["s3DataDestination"]["path"])
    tables, names = _rows(dataset, job.ingestion_mode), snapshot.schema_of(dataset).names
    rows, number = 0, 0
    total = max(1, dataset.rows)
    with scratch_folder() as scratch:
        path = Path(scratch) / "part.csv"
        for number, group in enumerate(_files(tables)):
            with path.open("wb") as file:
                file.write(f"{','.join(names)}\n".encode())
                for table in group:
                    _write(table, file)
                    rows += table.num_rows
                    held.report("exporting", min(1.0, rows / total))
            storage.put_file(path, _named(target, job.name, number))
    held.report("exporting", 1.0, message=f"{rows:,} rows in {number + 1} files")
    held.finish()


def _write(table: pa.Table, file: IO[bytes]) -> None:
    """Append rows; text is quoted only where some value makes that necessary.

    A cell that begins with an apostrophe could pass for one quoted with apostrophes, so then all cells are quoted.
    """
    texts = [column for column in table.columns if pa.types.is_string(column.type)]

    def holds(pattern: str) -> bool:
        return any(pc.any(pc.match_substring_regex(column, pattern)).as_py() for column in texts)

    style = "all_valid" if holds(APOSTROPHE_FIRST) else "needed" if holds(STRUCTURAL) else "none"
    arrow_csv.write_csv(table, file, arrow_csv.WriteOptions(include_header=False, quoting_style=style))


def _named(target: Location, job: str, number: int) -> Location:
    return Location(target.bucket, f"{target.key.rstrip('/')}/{job}-{number:05}.csv".lstrip("/"))


def _files(tables: Iterator[pa.Table]) -> Iterator[Iterator[pa.Table]]:
    """The tables in runs of a file's size; always at least one, so that an empty dataset gives a header."""
    exhausted = False

    def run_of() -> Iterator[pa.Table]:
        nonlocal exhausted
        rows = 0
        while rows < ROWS_PER_FILE:
            table = next(tables, None)
            if table is None:
                exhausted = True
                return
            rows += table.num_rows
            yield table

    while not exhausted:
        yield run_of()


def _rows(dataset: Dataset, mode: str) -> Iterator[pa.Table]:
    """Bulk rows, streamed ones, or both, where an entity's newest record counts and equal events count once."""
    schema = snapshot.schema_of(dataset)
    if schema.key or mode == "PUT":
        table = snapshot.dataset_table(dataset.dataset_group, dataset.type, bulk=mode != "PUT", streamed=mode != "BULK")
        assert table is not None  # noqa: S101  the job's dataset exists
        yield parts.fitted(_once(parts.fitted(table, schema.arrow()), schema), schema.arrow())
        return
    streamed = pa.table({})
    hashes = np.zeros(0, np.uint64)
    if mode == "ALL":
        found = snapshot.dataset_table(dataset.dataset_group, dataset.type, bulk=False)
        assert found is not None  # noqa: S101
        streamed, facts, _ = profile.examine(parts.fitted(found, schema.arrow()).combine_chunks(), schema)
        hashes = facts.hashes
    for key in dataset.parts:
        for table in parts.batches(parts.local_path(key), schema.arrow()):
            if len(hashes):
                own = profile.examine(table, schema)
                table = parts.fitted(own[0], schema.arrow()).filter(pa.array(~np.isin(own[1].hashes, hashes)))
            yield table
    if streamed.num_rows:
        yield parts.fitted(streamed, schema.arrow())


def _once(table: pa.Table, schema: DatasetSchema) -> pa.Table:
    return profile.examine(table.combine_chunks(), schema)[0] if table.num_rows else table
