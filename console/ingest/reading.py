"""One object as a table: its layout where nobody said it, its header, and a reader for its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from console.ingest.mapping import Reading, plan
from console.ingest.schema import DatasetSchema
from recipes.tables import dialect
from recipes.tables.dialect import CsvFormat
from recipes.tables.header import header_of, repeated
from recipes.tables.rows import BlockReader, ColumnPlan
from recipes.tables.text import Block, TextStream, blocks

EVIDENCE_BYTES = 1 << 20
LOOKED_AT = 5000  # rows
MOST_NAMED, LONGEST_NAME = 20, 100


@dataclass(frozen=True)
class OpenTable:
    """A table being read: its columns' names, its blocks without the header, what turns them into tables, and what to tell people."""

    header: list[str]
    blocks: Iterator[Block]
    reader: BlockReader
    warnings: list[str]


def open_table(
    stream: TextStream, schema: DatasetSchema, reading: Reading, header: Sequence[str] = ()
) -> OpenTable | None:
    """Begin to read a file; None if it holds nothing, as some of a folder's parts may.

    Args:
        stream: the file's text.
        schema: the columns that are wanted.
        reading: what is known of layout and columns.
        header: the columns of an earlier part of the same folder, for parts that have no header.

    Raises:
        JobError: columns that may not be null are missing.
        TableError: it is no text.
    """
    sample = stream.head(EVIDENCE_BYTES)
    if not sample.strip():
        return None
    wanted = [source.name for source in reading.sources.values() if source.name] or list(schema.names)
    form = stream.form or reading.form
    if not form.delimiter or _has_other(sample, form, wanted):
        form = dialect.detect(sample[:EVIDENCE_BYTES], {"header": form.header}, wanted).form
    found = blocks(stream, form)
    first = next(found, Block(b"", 1))
    names, first = header_of(first, form, header)
    plans = plan(schema, reading, names, stream.name)
    rows = [row.cells for row in dialect.first_rows(first.data, form.marks, LOOKED_AT)]
    reader = BlockReader(schema.fields, plans, form, len(names), rows)
    warnings = _missing(plans) + ([] if reading.sources else _passed_over(names, plans) + _unused(names, plans))
    return OpenTable(names, chain([first], found), reader, warnings)


def _missing(plans: Sequence[ColumnPlan]) -> list[str]:
    """Say which columns of the schema the file lacks; they may be null, or there would be no import."""
    missing = [plan.field.name for plan in plans if plan.position is None and plan.constant is None]
    return [f"The file lacks these columns of the schema, which are empty: {_listed(missing)}."] if missing else []


def _unused(header: Sequence[str], plans: Sequence[ColumnPlan]) -> list[str]:
    """Say which columns of the file the schema lacks, apart from those behind the first of a name."""
    used = {header[plan.position] for plan in plans if plan.position is not None}
    used |= {other for others in repeated(header).values() for other in others}
    unused = [name for name in header if name and name not in used]
    return [f"The schema lacks these columns of the file, which are not imported: {_listed(unused)}."] if unused else []


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:LONGEST_NAME] for name in names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def _passed_over(header: Sequence[str], plans: Sequence[ColumnPlan]) -> list[str]:
    """Say of which columns with one name only the first is read; nobody has chosen it where columns are found by their names."""
    read = {header[plan.position] for plan in plans if plan.position is not None}
    return [
        f"The column {name} is there more than once; the first is taken."
        for name, others in repeated(header).items()
        if name in read and not read.intersection(others)
    ]


def _has_other(sample: bytes, form: CsvFormat, wanted: Sequence[str]) -> bool:
    """Whether a part of a folder has another delimiter than the first, under which its header is one cell that holds the names."""
    line = sample.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].decode("utf-8", "replace")
    is_one = form.header and not form.skip and form.delimiter not in line
    return is_one and len(wanted) > 1 and sum(name in line for name in wanted) == len(wanted)
