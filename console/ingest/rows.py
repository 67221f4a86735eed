"""Blocks of CSV lines into typed tables, and the rows that break a rule.

Nearly every block is clean: it is parsed straight into its columns' types and checked by a few aggregates. Only a block
that fails takes the slow path, where every column is read as text and each cell is judged (console.ingest.cells).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from console.ingest import cells
from console.ingest.cells import MAX_TIME, TIME_COLUMNS
from console.ingest.reserved import MAX_CATEGORY_LENGTH, MAX_ID_LENGTH, MAX_TEXT_LENGTH
from console.ingest.schema import DatasetSchema, Field
from console.ingest.sources import Block, CsvFormat


@dataclass(frozen=True)
class BadRow:
    """A row that was left out, and why."""

    line: int
    column: str
    value: str
    rule: str
    row: str


@dataclass(frozen=True)
class ColumnPlan:
    """Where a schema's column comes from: a position in the file, a constant, or nowhere (nulls).

    `unit` says how times are written: s, ms, us, ns, iso, or a strptime format.
    """

    field: Field
    position: int | None
    unit: str = ""
    constant: str | None = None

    @property
    def is_time(self) -> bool:
        """Whether the column holds epoch seconds."""
        return self.field.name in TIME_COLUMNS

    @property
    def read_type(self) -> pa.DataType:
        """What the parser is asked for on the fast path."""
        as_text = self.is_time and self.unit not in cells.PER_SECOND
        return pa.string() if as_text else self.field.arrow

    @property
    def max_length(self) -> int | None:
        """How many characters a value may have."""
        if self.field.name in {"USER_ID", "ITEM_ID", "ACTION_ID", "EVENT_TYPE", "RECOMMENDATION_ID"}:
            return MAX_ID_LENGTH
        return MAX_CATEGORY_LENGTH if self.field.categorical or self.field.name == "IMPRESSION" else None


@dataclass(frozen=True)
class Converted:
    """What a block holds: good rows in the schema's columns, and the others."""

    table: pa.Table
    bad: list[BadRow]

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return int(self.table.num_rows) + len(self.bad)


class BlockReader:
    """Turns blocks of one file into tables."""

    def __init__(self, schema: DatasetSchema, plans: list[ColumnPlan], form: CsvFormat, width: int) -> None:
        """Read files with `width` columns laid out as `form`."""
        self._schema, self._plans, self._form = schema.arrow(), plans, form
        self._names = [str(position) for position in range(width)]
        self._used = sorted({plan.position for plan in plans if plan.position is not None})

    def convert(self, block: Block) -> Converted:
        """Type and check all rows of `block`."""
        table = self._fast(block)
        return Converted(table, []) if table is not None else self._slow(block)

    def _fast(self, block: Block) -> pa.Table | None:
        types = {str(plan.position): plan.read_type for plan in self._plans if plan.position is not None}
        try:
            raw = self._parse(block.data, types)
            arrays = [self._finish(plan, raw) for plan in self._plans]
        except pa.ArrowInvalid:
            return None
        clean = all(_is_clean(plan, values) for plan, values in zip(self._plans, arrays, strict=True))
        return pa.table(arrays, schema=self._schema) if clean else None

    def _finish(self, plan: ColumnPlan, raw: pa.Table) -> pa.Array:
        if plan.position is None:
            return _constant(plan, raw.num_rows)
        values = _flat(raw[str(plan.position)])
        if plan.is_time:
            values = cells.to_seconds(values, plan.unit)
        if plan.field.textual and _longest(values) > MAX_TEXT_LENGTH:
            values = pc.utf8_slice_codeunits(values, 0, MAX_TEXT_LENGTH)
        return values.cast(plan.field.arrow)

    def _slow(self, block: Block) -> Converted:
        data, wrong_text = _decodable(block.data)
        ragged: list[tuple[int, str]] = []

        def remember(row: Any) -> str:
            found, wanted = row.actual_columns, row.expected_columns
            ragged.append((row.number - 1, f"{found} columns; the header has {wanted}"))
            return "skip"

        raw = self._parse(data, {str(position): pa.string() for position in self._used}, remember)
        parsed = np.setdiff1d(np.arange(raw.num_rows + len(ragged)), [row for row, _ in ragged])  # rows of the block
        lines = Lines(Block(data, block.first_line), self._form)
        wrong: dict[int, tuple[str, str, str]] = {row: ("", lines.text(row), rule) for row, rule in ragged}
        arrays = []
        for plan in self._plans:
            values, faults = self._judge(plan, raw, wrong_text)
            arrays.append(values)
            for row, value, rule in faults:
                wrong.setdefault(int(parsed[row]), (plan.field.name, value, rule))
        good = ~np.isin(parsed, list(wrong))
        table = pa.table(arrays, names=self._schema.names).filter(pa.array(good)).cast(self._schema)
        bad = [BadRow(lines.number(row), column, value, rule, lines.text(row))
               for row, (column, value, rule) in sorted(wrong.items())]  # fmt: skip
        return Converted(table, bad)

    def _judge(
        self, plan: ColumnPlan, raw: pa.Table, wrong_text: bool
    ) -> tuple[pa.Array, Iterator[tuple[int, str, str]]]:
        """The column's values, null where a cell breaks a rule, and what each of those breaks."""
        if plan.position is None:
            return _constant(plan, raw.num_rows), iter(())
        texts = _flat(raw[str(plan.position)])
        values, rules = cells.judge(plan.field, texts, plan.unit, self._form.decimal, plan.max_length, wrong_text)
        rows = np.flatnonzero(rules.astype(bool))
        return values, ((int(row), texts[int(row)].as_py() or "", str(rules[row])) for row in rows)

    def _parse(self, data: bytes, types: dict[str, pa.DataType], handler: Any = None) -> pa.Table:
        if not data or data.isspace():
            return pa.table({name: pa.array([], kind) for name, kind in types.items()})
        quote = self._form.quote.encode()
        escaped = bool(quote) and b"\\" + quote in data
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(data) + 1),
            arrow_csv.ParseOptions(
                delimiter=self._form.delimiter or ",",
                quote_char=self._form.quote or False,
                escape_char="\\" if escaped else False,
                newlines_in_values=bool(quote) and quote in data,
                invalid_row_handler=handler,
            ),
            arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=sorted(types, key=int),
                null_values=[""],
                strings_can_be_null=True,
                decimal_point=self._form.decimal,
                check_utf8=not data.isascii(),
            ),
        )


class Lines:
    """Where a block's rows stand in its file; blank lines are no rows, and a quoted row may span several lines."""

    def __init__(self, block: Block, form: CsvFormat) -> None:
        """Find the lines of `block`."""
        self._data, self._first = block.data, block.first_line
        self._starts = _line_starts(block.data)
        quoted = bool(form.quote) and form.quote.encode() in block.data
        self._rows = self._row_lines(form) if quoted else self._filled_lines()

    def number(self, row: int) -> int:
        """The number of the row's first line."""
        return self._first + int(self._rows[row]) if row < len(self._rows) else 0

    def text(self, row: int) -> str:
        """The row as it stands in the file."""
        if row >= len(self._rows):
            return ""
        end = self._rows[row + 1] if row + 1 < len(self._rows) else len(self._starts) - 1
        return self._data[self._starts[self._rows[row]] : self._starts[end]].decode("utf-8", "replace").strip("\r\n")

    def _filled_lines(self) -> NDArray[np.int64]:
        sizes = np.diff(self._starts)
        blank = (sizes == 1) | ((sizes == 2) & (np.frombuffer(self._data, np.uint8)[self._starts[:-1]] == 13))
        return np.flatnonzero(~blank)

    def _row_lines(self, form: CsvFormat) -> NDArray[np.int64]:
        text = self._data.decode("utf-8", "replace").replace("\r", " ")
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=form.delimiter or ",", quotechar=form.quote)
        begins, line = [], 0
        for cells_of_row in reader:
            if any(cells_of_row) or len(cells_of_row) > 1:
                begins.append(line)
            line = reader.line_num
        return np.asarray(begins, np.int64)


def _line_starts(data: bytes) -> NDArray[np.int64]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    tail = [len(data)] if not data.endswith(b"\n") else []
    return np.concatenate([[0], ends, tail]).astype(np.int64)


def _decodable(data: bytes) -> tuple[bytes, bool]:
    """The block as valid UTF-8, and whether it was not."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode(), True
    return data, False


def _constant(plan: ColumnPlan, rows: int) -> pa.Array:
    value = None if plan.constant is None else pa.scalar(plan.constant).cast(plan.field.arrow)
    return pa.nulls(rows, plan.field.arrow) if value is None else pa.repeat(value, rows)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _longest(values: pa.Array) -> int:
    """The longest value in bytes, which bounds its characters."""
    return pc.max(pc.binary_length(values)).as_py() or 0 if len(values) else 0


def _is_clean(plan: ColumnPlan, values: pa.Array) -> bool:
    """Whether no value of a fast-path column breaks a rule; errs towards no."""
    if values.null_count and not plan.field.nullable:
        return False
    if plan.max_length is not None and _longest(values) > plan.max_length:
        return False
    if plan.is_time:
        span = pc.min_max(values).as_py()
        return span["min"] is None or (span["min"] >= 0 and span["max"] <= MAX_TIME)
    if pa.types.is_floating(values.type):
        return pc.all(pc.is_finite(values)).as_py() is not False
    return True
