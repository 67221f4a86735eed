"""One object as a table: its layout where nobody said it, its header, and a reader for its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from console.ingest.mapping import Reading, plan
from console.ingest.schema import DatasetSchema
from recipes.tables import dialect, quotes
from recipes.tables.dialect import CsvFormat, column_key
from recipes.tables.rows import BlockReader
from recipes.tables.text import Block, TextStream, blocks

EVIDENCE_BYTES = 1 << 20
WIDTH_ROWS = 50


@dataclass(frozen=True)
class OpenTable:
    """A table being read: its columns' names, its blocks without the header, and what turns them into tables."""

    header: list[str]
    blocks: Iterator[Block]
    reader: BlockReader


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
    form = reading.form
    if not form.delimiter:
        form = dialect.detect(sample[:EVIDENCE_BYTES], {"header": form.header}, wanted).form
    found = blocks(stream, form)
    first = next(found, Block(b"", 1))
    names, first = header_of(first, form, header)
    plans = plan(schema, reading, names, stream.name)
    return OpenTable(names, chain([first], found), BlockReader(schema.fields, plans, form, len(names)))


def header_of(block: Block, form: CsvFormat, known: Sequence[str] = ()) -> tuple[list[str], Block]:
    """The column names of a file's first block, and the block without header and what stands above it."""
    top = 0
    for _ in range(form.skip):
        top = block.data.find(b"\n", top) + 1 or len(block.data)
    body = _from(block, top)
    rows = list(islice(quotes.split_rows(body.data, form.marks), WIDTH_ROWS))
    if not rows:
        return list(known), body
    if not form.header:
        width = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
        return [str(position + 1) for position in range(width)], body
    names = [" ".join(cell.decode("utf-8", "replace").split()) for cell in rows[0].cells]
    keys = {column_key(name) for name in known} - {""}
    if keys and len(names) == len(known) and not keys & {column_key(name) for name in names}:
        return list(known), body
    rest = _from(body, rows[1].start if len(rows) > 1 else len(body.data))
    return _fitted(names, [row.cells for row in rows[1:]]), rest


def _from(block: Block, start: int) -> Block:
    if not start:
        return block
    return Block(block.data[start:], block.first_line + block.data.count(b"\n", 0, start), block.quoting)


def _fitted(names: list[str], rows: list[list[bytes]]) -> list[str]:
    """The names for rows that all have another width: a delimiter at the end of each line, or a first column without name."""
    names[0] = names[0].removeprefix("#").strip() if len(names) > 1 else names[0]
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        return names
    width = widths.pop()
    if width < len(names) and not any(names[width:]):
        return names[:width]
    if width == len(names) + 1:
        return [*names, ""] if not any(row[-1] for row in rows) else ["", *names]
    return names
