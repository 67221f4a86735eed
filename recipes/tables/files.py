"""A local file as a table with AWS's column names: layout, names and units found as the server's imports find them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from recipes.encoding import TextEncoder
from recipes.executor import THIS_MACHINE
from recipes.memory import give_back_memory
from recipes.tables import amounts, cells, dialect
from recipes.tables.describe import Guess
from recipes.tables.field import TIME_COLUMNS, Field
from recipes.tables.guess import Understanding, understand
from recipes.tables.header import has_header, header_of, top_rows
from recipes.tables.roles import Question
from recipes.tables.rows import BadCell, BlockReader, ColumnPlan, Converted
from recipes.tables.samples import unit_words
from recipes.tables.short_rows import completed_rows
from recipes.tables.text import Block, TableError, TextStream, blocks

EVIDENCE_BYTES = 1 << 20
LOOKED_AT = 5000  # rows
TELLING_ROWS = 100  # of fewer rows no share is reported
MAX_BAD_SHARE = 0.05  # of the rows, as in the server's imports
MAX_EXACT_DIGITS = 15  # longer numbers are codes
SPELLINGS = ("user", "item", "time", "datetime", "rating")
KNOWN = {
    "USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "CREATION_TIMESTAMP": "long", "EVENT_TYPE": "string",
    "EVENT_VALUE": "double", "IMPRESSION": "string", "RECOMMENDATION_ID": "string", "EVENT_ATTRIBUTION_SOURCE": "string",
}  # fmt: skip
KINDS = (("TIMESTAMP", "INTERACTIONS"), ("ITEM_ID", "ITEMS"), ("USER_ID", "USERS"))


@dataclass(frozen=True)
class FileTable:
    """A file's rows, and what a person should know of how they were read."""

    table: pa.Table
    notes: list[str]


def read_file(path: Path, required: Sequence[str], encoded: Collection[str] = ()) -> FileTable:
    """Read a delimited file, also gzipped.

    Args:
        path: the file; ids are text whatever they look like.
        required: columns that must be there and hold a value in every row.
        encoded: columns of text that become dictionaries, of which each row takes four bytes; they are encoded block by block.

    Raises:
        TableError: it is no such file, has no rows, lacks a column, or more than MAX_BAD_SHARE of its rows break a rule.
    """
    with path.open("rb") as inner:
        stream = TextStream(str(path), inner)
        sample = stream.head(EVIDENCE_BYTES)
        if not sample.strip():
            raise TableError(f"{path} is empty; a header and rows are needed.")
        form = stream.form or _layout(sample[:EVIDENCE_BYTES])
        found = blocks(stream, form)
        header, first = header_of(next(found, Block(b"", 1)), form)
        rows = [row.cells for row in dialect.first_rows(first.data, form.marks, LOOKED_AT)]
        is_whole = len(sample) < EVIDENCE_BYTES and len(rows) < LOOKED_AT
        understood = _understood(path, header, required, rows, is_whole)
        plans = _plans(understood, required)
        _check_columns(path, header, plans, required)
        reader = BlockReader([plan.field for plan in plans], plans, form, len(header), rows)
        encoders = {plan.field.name: TextEncoder() for plan in plans if plan.field.name in encoded}
        parts = [_without(part, encoders) for part in THIS_MACHINE.map(reader.convert, chain([first], found))]
    give_back_memory()  # of texts and blocks; what is built of them comes on top otherwise
    number = sum(part.rows for part in parts)
    incomplete = sum(
        guess.null_share for guess in understood.columns if guess.name in required and number >= TELLING_ROWS
    )
    asked = [f"{path}: {question.text} {_taken(question)}" for question in understood.questions]
    notes = [
        *asked,
        *_unit_notes(path, plans, header),
        *_bad_notes(path, parts, incomplete),
        *_unread_notes(path, parts),
    ]
    schema = pa.schema([pa.field(plan.field.name, plan.field.arrow) for plan in plans])
    plain = pa.schema([field for field in schema if field.name not in encoders])
    table = pa.concat_tables([part.table.cast(plain) for part in parts])
    if table.num_rows == 0:
        raise TableError(f"{path} has a header and no rows.")
    columns = [
        encoders.pop(name).finish_dictionary() if name in encoders else _typed(table[name], name)
        for name in schema.names
    ]
    return FileTable(pa.table(columns, schema.names), notes)


def _layout(sample: bytes) -> dialect.CsvFormat:
    form = dialect.detect(sample, wanted=[*KNOWN, *SPELLINGS]).form
    return replace(form, header=has_header(top_rows(sample, form)))


def _understood(
    path: Path, header: Sequence[str], required: Collection[str], looked_at: Sequence[Sequence[bytes]], is_whole: bool
) -> Understanding:
    """What each column is.

    Raises:
        TableError: a column can be read in two ways, and nothing in the file tells which is meant.
    """
    kind = next((kind for name, kind in KINDS if name in required), "ITEMS")
    rows = completed_rows([_texts(row) for row in looked_at], len(header))
    found = understand(header, rows, kind, is_whole=is_whole)
    unsure = next((question for question in found.questions if not question.suggested), None)
    if unsure:
        readings = " or ".join(samples[0] for _, _, samples in unsure.options)
        raise TableError(f"{path}: {unsure.text} {readings}? Write dates as 2024-01-31.")
    return found


def _taken(question: Question) -> str:
    """Which of its readings a question is answered by."""
    readings = {value: samples for value, _, samples in question.options if samples}
    if question.member == "name" or question.suggested not in readings:
        return f"Column {question.suggested} is taken."
    return f"It is taken that {readings[question.suggested][0]}."


def _plans(found: Understanding, required: Collection[str]) -> list[ColumnPlan]:
    """A plan for each named column; of several with one name the first counts."""
    plans: dict[str, ColumnPlan] = {}
    for position, guess in enumerate(found.columns):
        plan = _plan(guess, position, required)
        if guess.clock:
            plan = replace(plan, clock=[other.source for other in found.columns].index(guess.clock))
        if plan.field.name:
            plans.setdefault(plan.field.name, plan)
    return list(plans.values())


def _plan(guess: Guess, position: int, required: Collection[str]) -> ColumnPlan:
    """A column with a role has its name, any other keeps its own; what is no plain number but one with a currency is read as one."""
    name = guess.name if guess.name in KNOWN else guess.source
    is_written = guess.decimal and not all(amounts.is_plain_number(text) for text in guess.examples)
    kind = KNOWN.get(name) or ("double" if is_written else "string")
    unit = "" if guess.unit == "s" or name not in TIME_COLUMNS else guess.unit
    field = Field(name, kind, nullable=name not in required)
    return ColumnPlan(field, position, unit, decimal=guess.decimal, separator="" if name in KNOWN else guess.separator)


def _texts(row: Sequence[bytes]) -> list[str]:
    return [cell.decode("utf-8", "replace") for cell in row]


def _check_columns(path: Path, header: Sequence[str], plans: list[ColumnPlan], required: Sequence[str]) -> None:
    names = {plan.field.name for plan in plans}
    missing = [name for name in required if name not in names]
    if missing:
        raise TableError(f"{path}: column {missing[0]} is missing, it has {', '.join(header)}.")


def _without(part: Converted, encoders: Mapping[str, TextEncoder]) -> Converted:
    """A block without the columns that `encoders` take from it."""
    for name, encoder in encoders.items():
        encoder.add(part.table[name])
    return replace(part, table=part.table.drop_columns(list(encoders)))


def _typed(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column of texts as numbers or booleans if all of it are; codes with leading zeros or many digits stay text."""
    if name in KNOWN or not pa.types.is_string(column.type):
        return column
    known = pc.drop_null(pc.unique(column))
    words = cells.without_null_words(pc.utf8_trim_whitespace(known))
    is_number = pc.all(pc.match_substring_regex(words, amounts.NUMBER)).as_py()
    is_code = pc.any(pc.match_substring_regex(words, rf"^[+-]?(0\d|\d{{{MAX_EXACT_DIGITS + 1},}}$)")).as_py()
    if words.null_count == len(words) or (is_number and is_code):
        return column
    if is_number:
        plain = cells.without_null_words(pc.utf8_trim_whitespace(column.combine_chunks()))
        is_whole = pc.all(pc.match_substring_regex(words, cells.WHOLE)).as_py()
        return pa.chunked_array([pc.utf8_ltrim(plain, "+").cast(pa.int64() if is_whole else pa.float64())])
    if pc.all(pc.is_in(pc.utf8_lower(words), pa.array(["true", "false"]))).as_py():
        return pa.chunked_array([pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(column.combine_chunks())), "true")])
    return column


def _unit_notes(path: Path, plans: list[ColumnPlan], header: Sequence[str]) -> Iterator[str]:
    for plan in plans:
        if plan.unit and plan.position is not None:
            yield f"{path}: {header[plan.position]} is read as {unit_words(plan.unit)}."


def _bad_notes(path: Path, parts: list[Converted], incomplete: float) -> Iterator[str]:
    """The rows left out.

    Raises:
        TableError: they are more than MAX_BAD_SHARE of all, beside the share known to be `incomplete`.
    """
    bad = [row for part in parts for row in part.bad]
    rows = sum(part.rows for part in parts)
    if len(bad) > (MAX_BAD_SHARE + incomplete) * rows:
        raise TableError(_described(path, bad[0]))
    if bad:
        yield f"{len(bad):,} of {rows:,} rows are left out; the first: {_described(path, bad[0])}"


def _unread_notes(path: Path, parts: list[Converted]) -> Iterator[str]:
    for name in dict.fromkeys(cell.column for part in parts for cell in part.unread):
        unread = [cell for part in parts for cell in part.unread if cell.column == name]
        yield f"{len(unread):,} cells of {name} are taken for empty; the first: {_described(path, unread[0])}"


def _described(path: Path, cell: BadCell) -> str:
    """A cell or row and the rule that it breaks, as a sentence."""
    where = f"{path}: line {cell.line}: "
    if not cell.column:
        return f"{where}{cell.rule}."
    if not cell.value.strip():
        return f"{where}{cell.column} is empty, every row needs one."
    return f"{where}{cell.column} is {cell.value[:80]!r}, which {cell.rule}."
