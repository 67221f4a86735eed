"""CSV objects into Parquet parts: parse, check and hash block by block, on as many threads as there are cores, and write them in order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from console import storage
from console.errors import JobError
from console.ingest import hashing, parts, profile, sources
from console.ingest.hashing import Collected
from console.ingest.mapping import Reading
from console.ingest.parts import PartWriter
from console.ingest.profile import Facts, Profile
from console.ingest.reading import open_table
from console.ingest.schema import DatasetSchema
from console.sheets import SheetWriter
from console.storage import Location
from recipes.executor import THIS_MACHINE
from recipes.memory import give_back_memory
from recipes.tables.rows import BadCell, BlockReader, Converted
from recipes.tables.text import Block

JSONDict = dict[str, Any]
Progress = Callable[[float], None]
KEPT_BAD_ROWS = 100
SURELY_BAD = 10_000  # bad rows from which on the import gives up early


@dataclass(frozen=True)
class Segment:
    """A part that is in the store already (`key`) or was just written (`path`)."""

    path: Path
    rows: int
    key: str = ""


@dataclass
class Loaded:
    """What an import made, still below its scratch folder."""

    segments: list[Segment]
    statistics: JSONDict
    report: JSONDict
    rejects: Path | None


@dataclass
class _Counts:
    rows: int = 0
    bad: int = 0
    duplicates: int = 0
    sample: list[JSONDict] = field(default_factory=list)
    unread: Counter[tuple[str, str]] = field(default_factory=Counter)  # by column and rule
    unread_sample: dict[tuple[str, str], JSONDict] = field(default_factory=dict)


@dataclass(frozen=True)
class _Block:
    """A block of a file, what converts it, and how many bytes of all files were read with it."""

    location: Location
    reader: BlockReader
    block: Block
    read: int


@dataclass(frozen=True)
class _Fault:
    """What ended the reading of the files."""

    error: Exception


@dataclass(frozen=True)
class _Piece:
    """What a block came to: rows without its own duplicates, their facts, how many were dropped, and what could not be read."""

    location: Location
    read: int
    rows: pa.Table
    facts: Facts
    dropped: int
    converted: Converted


class Importer:
    """One import into a folder of its own; nothing outside it changes."""

    def __init__(
        self,
        schema: DatasetSchema,
        reading: Reading,
        folder: Path,
        *,
        max_bad_percent: float,
        progress: Progress,
    ) -> None:
        """Prepare to read files as `reading` says into `folder`; `progress` is given the fraction of bytes read."""
        self._schema, self._reading, self._folder = schema, reading, folder
        self._max_bad_percent, self._progress = max_bad_percent, progress
        self._counts = _Counts()
        self._profile = Profile(schema)
        self._hashes = Collected()
        self._writer = PartWriter(folder, schema)
        self._rejects = folder / "rejects.csv"
        self._digest = hashlib.sha256()
        self._locations: list[Location] = []
        self._header: list[str] = []
        self._warnings: list[str] = []
        self._read_before, self._total_bytes = 0, 1

    def run(self, locations: list[Location], previous: Iterable[str] = ()) -> Loaded:
        """Import all `locations` behind the store's parts `previous`.

        Raises:
            JobError: no file holds anything, one is no CSV or lacks columns, or too many rows break a rule.
        """
        old = [self._take_in(key) for key in previous]
        self._locations = locations
        self._total_bytes = max(1, sum(storage.size_bytes(location) for location in locations))
        with self._rejects.open("w", newline="") as file:
            writer = SheetWriter(file)
            writer.writerow(["FILE", "LINE", "COLUMN", "VALUE", "RULE", "ROW"])
            for piece in THIS_MACHINE.map(self._convert, self._blocks()):
                self._take(piece, writer)
        self._writer.close()
        if not self._header:
            what = " and ".join(map(str, locations[:3]))
            raise JobError(f"{what} is empty; expected is a header with the columns {', '.join(self._schema.names)}.")
        self._check_bad_share(final=True)
        new = [Segment(path, rows) for path, rows in zip(self._writer.paths, self._writer.sizes, strict=True)]
        segments = self._without_duplicates(old + new)
        statistics = self._profile.summary() | {"bytes": sum(segment.path.stat().st_size for segment in segments)}
        return Loaded(segments, statistics, self.report(), self.rejects)

    def report(self) -> JSONDict:
        """What has been counted so far."""
        counts = self._counts
        return {
            "rows": counts.rows,
            "imported": counts.rows - counts.bad - counts.duplicates,
            "duplicates": counts.duplicates,
            "rejected": counts.bad,
            "sample": counts.sample,
            "unread": [
                counts.unread_sample[key] | {"count": number}
                for key, number in counts.unread.most_common(KEPT_BAD_ROWS)
            ],
            "warnings": self._warnings,
            "sha256": self._digest.hexdigest(),
            "bytes": self._read_before,
            "files": [str(location) for location in self._locations],
        }

    @property
    def rejects(self) -> Path | None:
        """The file with the rows that were left out, if any were."""
        return self._rejects if self._counts.bad else None

    def _take_in(self, key: str) -> Segment:
        """Count the rows of an earlier import."""
        path, rows = parts.local_path(key), 0
        for table in parts.batches(path, self._schema.arrow()):
            _, facts, _ = profile.examine(table, self._schema)
            self._profile.add(facts)
            self._hashes.add(facts.hashes)
            rows += facts.rows
        return Segment(path, rows, key)

    def _blocks(self) -> Iterator[_Block | _Fault]:
        """The blocks of all files one after the other, read ahead of those that are converted, also across the files of a folder."""
        try:
            for location in self._locations:
                with sources.open_text(location, self._reading.form.encoding, self._digest) as stream:
                    table = open_table(stream, self._schema, self._reading, self._header)
                    if table is not None:
                        self._header = table.header
                        self._warnings += [text for text in table.warnings if text not in self._warnings]
                        for block in table.blocks:
                            yield _Block(location, table.reader, block, self._read_before + stream.meter.bytes)
                    self._read_before += stream.meter.bytes
        except Exception as error:  # noqa: BLE001  raised behind what was read before, which may be at fault itself
            yield _Fault(error)

    def _convert(self, task: _Block | _Fault) -> _Piece:
        if isinstance(task, _Fault):
            raise task.error
        converted = task.reader.convert(task.block)
        table, facts, dropped = profile.examine(converted.table, self._schema)
        return _Piece(task.location, task.read, table, facts, dropped, converted)

    def _take(self, piece: _Piece, rejects: Any) -> None:
        """Count and write the rows of a block."""
        rows, found = piece.rows, piece.converted
        self._counts.rows += rows.num_rows + piece.dropped + len(found.bad)
        self._counts.duplicates += piece.dropped
        self._profile.add(piece.facts)
        self._hashes.add(piece.facts.hashes)
        self._writer.write(rows)
        self._reject(piece.location, found, rejects)
        self._check_bad_share(read=piece.read)
        self._progress(min(1.0, piece.read / self._total_bytes))

    def _reject(self, location: Location, found: Converted, rejects: Any) -> None:
        """Count the rows left out and write them down; count the cells that could not be read."""
        counts, name = self._counts, location.name
        counts.bad += len(found.bad)
        rejects.writerows([name, row.line, row.column, row.value, row.rule, row.row] for row in found.bad)
        counts.sample += [_entry(row, name) for row in found.bad[: KEPT_BAD_ROWS - len(counts.sample)]]
        for cell in found.unread:
            counts.unread[cell.column, cell.rule] += 1
            counts.unread_sample.setdefault((cell.column, cell.rule), _entry(cell, name))

    def _check_bad_share(self, read: int = 0, *, final: bool = False) -> None:
        """End the import when too many rows are bad; before its end only when nothing can save it."""
        counts = self._counts
        expected = counts.rows if final else 1.5 * counts.rows * self._total_bytes / max(1, read)
        if counts.bad <= self._max_bad_percent / 100 * expected or (not final and counts.bad < SURELY_BAD):
            return
        first = counts.sample[0]
        broken = (
            f"column {first['column']}, {first['value'][:80]!r} {first['rule']}" if first["column"] else first["rule"]
        )
        raise JobError(
            f"{counts.bad:,} of {counts.rows:,} rows ({100 * counts.bad / counts.rows:.1f} %) break a rule; allowed are "
            f"{self._max_bad_percent:g} %. The first: line {first['line']} of {first['file']}, {broken}. "
            "The dataset is as it was."
        )

    def _without_duplicates(self, segments: list[Segment]) -> list[Segment]:
        """Rewrite the parts that hold rows counted elsewhere; nearly always there are none."""
        if not self._hashes.rows:
            return segments
        give_back_memory()
        keep = hashing.first_positions(self._hashes.parts(), last=bool(self._schema.key))
        if keep is None:
            return segments
        before = sum(segment.rows for segment in segments if segment.key)  # whose rows are replaced by newer ones
        self._counts.duplicates += int((~keep[before:]).sum())
        self._profile = Profile(self._schema)
        kept, start = [], 0
        for number, segment in enumerate(segments):
            kept += self._rewritten(segment, keep[start : start + segment.rows], number)
            start += segment.rows
        return kept

    def _rewritten(self, segment: Segment, keep: NDArray[np.bool_], number: int) -> list[Segment]:
        made = [segment]
        if not keep.all():
            writer = PartWriter(self._folder, self._schema, f"part-{number:05}-once")
            parts.rewrite(segment.path, self._schema, keep, writer)
            writer.close()
            if not segment.key:
                segment.path.unlink()
            made = [Segment(path, rows) for path, rows in zip(writer.paths, writer.sizes, strict=True)]
        for part in made:
            for table in parts.batches(part.path, self._schema.arrow()):
                self._profile.add(profile.examine(table, self._schema)[1])
        return made


def _entry(cell: BadCell, file: str) -> JSONDict:
    return {"line": cell.line, "column": cell.column, "value": cell.value[:200], "rule": cell.rule, "file": file}
