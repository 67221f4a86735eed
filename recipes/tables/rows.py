"""Blocks of text into typed tables, the rows that break a rule, and the cells that cannot be read.

Nearly every block is clean: it is parsed straight into its columns' types and checked by a few aggregates. Only a block
that fails takes the slow path, where every column is read as text and each cell is checked (recipes.tables.cells). A cell that
may be empty and cannot be read is; a row is left out only for what its column requires.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from recipes.tables import cells, epochs, quotes
from recipes.tables.amounts import plain_numbers
from recipes.tables.clocks import with_clock
from recipes.tables.dialect import UNIT, CsvFormat
from recipes.tables.field import MAX_TEXT_LENGTH, Field
from recipes.tables.lists import listed
from recipes.tables.quotes import Row
from recipes.tables.short_rows import short_rows
from recipes.tables.structured import NO_OBJECT
from recipes.tables.text import Block

NUMBER_TIMES = dict.fromkeys(epochs.PER_SECOND, pa.int64())
WORDS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class BadCell:
    """A cell that cannot be read, and why; with an empty `column` it is the whole row."""

    line: int
    column: str
    value: str
    rule: str
    row: str


@dataclass(frozen=True)
class ColumnPlan:
    """Where a schema's column comes from: a position in the file, a constant, or nowhere (nulls).

    `unit` says how times are written: s, ms, us, ns, iso, excel, or a strptime format, or several of them with | between;
    `decimal` is the column's decimal point where it is not the file's; `separator` divides a list, "json" an array; `clock` is
    the column of the time of day where it stands apart from the day.
    """

    field: Field
    position: int | None
    unit: str = ""
    constant: str | None = None
    decimal: str = ""
    separator: str = ""
    clock: int | None = None

    @property
    def is_list(self) -> bool:
        """Whether cells hold several categories, divided by something else than |."""
        return self.field.type == "string" and self.separator not in {"", "|"}

    def read_type(self, decimal: str) -> pa.DataType:
        """What the parser, which takes `decimal` for the decimal point, is asked for on the fast path."""
        if self.clock is not None:
            return pa.string()
        if self.field.is_time:
            return pa.float64() if self.unit == epochs.EXCEL else NUMBER_TIMES.get(self.unit, pa.string())
        if self.is_list or (pa.types.is_floating(self.field.arrow) and self.decimal not in {"", decimal}):
            return pa.string()
        return WORDS if self.field.type == "string" and not self.field.textual else self.field.arrow


@dataclass(frozen=True)
class Converted:
    """What a block holds: good rows in the schema's columns, the rows left out, and cells of good rows that became null."""

    table: pa.Table
    bad: list[BadCell]
    unread: list[BadCell]

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return int(self.table.num_rows) + len(self.bad)


@dataclass(frozen=True)
class Texts:
    """Rows as text: the cells by position, the line of each row, its text, and rows of another width than the header's."""

    columns: dict[int, pa.Array]
    places: Places
    ragged: list[tuple[int, str]]  # row number and rule; these rows are not in `columns`
    short: frozenset[int] = frozenset()  # numbers of rows that left out last cells, which are empty in `columns`


class Places:
    """Where a block's rows stand in its file."""

    def __init__(self, block: Block, starts: NDArray[np.int64]) -> None:
        """Rows that begin at `starts` of the block's data."""
        self._block, self._starts = block, starts
        self._ends = np.flatnonzero(np.frombuffer(block.data, np.uint8) == quotes.NEWLINE)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._starts)

    def line(self, row: int) -> int:
        """The number of the row's first line."""
        return self._block.first_line + int(np.searchsorted(self._ends, self._starts[row]))

    def text(self, row: int) -> str:
        """The row as it stands in the file."""
        end = self._starts[row + 1] if row + 1 < len(self._starts) else len(self._block.data)
        text = self._block.data[self._starts[row] : end].decode("utf-8", "replace")
        return text.strip("\r\n").replace(UNIT.decode(), "::")


class BlockReader:
    """Turns blocks of one file into tables."""

    def __init__(
        self,
        fields: Sequence[Field],
        plans: list[ColumnPlan],
        form: CsvFormat,
        width: int,
        looked_at: Sequence[Sequence[bytes]] = (),
    ) -> None:
        """Read files with `width` columns laid out as `form` into the columns of `fields`; `looked_at` are a file's first rows."""
        self._schema = pa.schema([pa.field(field.name, field.arrow) for field in fields])
        self._plans, self._form, self._width = plans, form, width
        self._names = [str(position) for position in range(width)]
        places = {place for plan in plans for place in (plan.position, plan.clock)}
        self._used = sorted(place for place in places if place is not None)
        required = [plan for plan in plans if not plan.field.nullable and plan.position is not None]
        ids = [plan.position for plan in required if plan.field.is_id and plan.position is not None]
        places = {place for plan in required for place in (plan.position, plan.clock)}
        self._short = short_rows(looked_at, width, [place for place in places if place is not None], ids)
        self._latest = int(time.time()) + cells.MAX_SKEW_S
        self._is_small = any(self._tells_small(plan, looked_at) for plan in plans)

    def _tells_small(self, plan: ColumnPlan, rows: Sequence[Sequence[bytes]]) -> bool:
        if plan.field.name != "TIMESTAMP" or plan.position is None or plan.unit not in epochs.PER_SECOND:
            return False
        found = (row[plan.position] for row in rows if plan.position < len(row))
        return epochs.are_small(found, plan.unit, self._latest)

    def convert(self, block: Block) -> Converted:
        """Type and check all rows of `block`."""
        plain = self._with_doubled_quotes(block)
        if plain.quoting == "irregular" or b"\0" in block.data or len(self._form.marks.delimiter) > 1:
            return self._slow(block)
        table = self._fast(plain)
        if table is None and plain.quoting == "none" and (text := self._with_last_cells(plain.data)):
            table = self._fast(replace(plain, data=text))
        return Converted(table, [], []) if table is not None else self._slow(block)

    def _with_last_cells(self, data: bytes) -> bytes | None:
        marks = self._form.marks
        if len(marks.delimiter) != 1 or (marks.escape and marks.escape in data):
            return None
        return self._short.completed_text(data, marks.delimiter)

    def _with_doubled_quotes(self, block: Block) -> Block:
        """A block with its escaped quotes doubled, which is what the fast parser reads; itself where that would change more."""
        marks = self._form.marks
        if not marks.escape or b"\0" in block.data or marks.escape + marks.delimiter in block.data:
            return block
        data = block.data.replace(marks.escape * 2, b"\0").replace(marks.escape + marks.quote, marks.quote * 2)
        data = data.replace(b"\0", marks.escape)
        return replace(block, data=data, quoting=quotes.quoting_of(data, replace(marks, escape=b""), whole=True))

    def _fast(self, block: Block) -> pa.Table | None:
        decimal = self._form.decimal
        types = {str(place): pa.string() for place in self._used}
        types |= {str(plan.position): plan.read_type(decimal) for plan in self._plans if plan.position is not None}
        try:
            raw = self._parse(block, types)
            arrays = [self._finish(plan, raw) for plan in self._plans]
        except (pa.ArrowInvalid, UnicodeDecodeError):
            return None
        clean = all(self._is_clean(plan, values) for plan, values in zip(self._plans, arrays, strict=True))
        return pa.table(arrays, names=self._schema.names) if clean else None

    def _finish(self, plan: ColumnPlan, raw: pa.Table) -> pa.Array:
        if plan.position is None:
            return _constant(plan, raw.num_rows)
        values = _flat(raw[str(plan.position)])
        if plan.clock is not None:
            values = with_clock(values, _flat(raw[str(plan.clock)]))
        if plan.field.is_time:
            values = cells.to_seconds(values, plan.unit)
        if plan.field.textual and _longest(values) > MAX_TEXT_LENGTH:
            values = cells.shortened(values)
        if plan.is_list:
            return listed(values, plan.separator)
        if pa.types.is_string(values.type) and plan.field.type != "string":
            values = plain_numbers(values, plan.decimal)
        return values if pa.types.is_dictionary(values.type) else values.cast(plan.field.arrow)

    def _is_clean(self, plan: ColumnPlan, values: pa.Array) -> bool:
        """Whether no value of a fast-path column breaks a rule; errs towards no."""
        if values.null_count and not plan.field.nullable:
            return False
        if isinstance(values, pa.DictionaryArray):
            return _are_clean_words(plan.field, values.dictionary)
        if pa.types.is_string(values.type):
            return _are_clean_words(plan.field, values)
        if plan.field.is_time:
            earliest, latest = cells.bounds(plan.field, self._latest)
            if not self._is_small and epochs.may_be_misread(values, plan.unit, is_event=earliest == 0):
                return False
            span = pc.min_max(values).as_py()
            return span["min"] is None or (span["min"] >= earliest and span["max"] <= latest)
        if pa.types.is_floating(values.type):
            return pc.all(pc.is_finite(values)).as_py() is not False
        return True

    def _slow(self, block: Block) -> Converted:
        data = _decodable(block.data)
        return self.checked(self._texts(replace(block, data=data)))

    def checked(self, texts: Texts) -> Converted:
        """The rows of `texts` with every cell checked."""
        places = texts.places
        parsed = np.setdiff1d(np.arange(len(places)), [row for row, _ in texts.ragged])
        wrong = {row: ("", places.text(row), rule) for row, rule in texts.ragged}
        arrays, unread = [], []
        for plan in self._plans:
            values, faults = self._check(plan, texts, len(parsed))
            arrays.append(values)
            for at, value, rule in faults:
                if plan.field.nullable and int(parsed[at]) not in texts.short:
                    unread.append((at, plan.field.name, value, rule))
                else:  # a cell that cannot be read speaks against a row of which others are missing
                    wrong.setdefault(int(parsed[at]), (plan.field.name, value, rule))
        blank = {row for row in parsed[self._empty(texts, len(parsed))].tolist() if self._is_blank(places.text(row))}
        good = ~np.isin(parsed, [*wrong, *blank])
        table = pa.table(arrays, names=self._schema.names).filter(pa.array(good)).cast(self._schema)
        bad = [BadCell(places.line(row), column, value, rule, places.text(row))
               for row, (column, value, rule) in sorted(wrong.items()) if row not in blank]  # fmt: skip
        lost = [BadCell(places.line(row := int(parsed[at])), column, value, rule, places.text(row))
                for at, column, value, rule in unread if good[at]]  # fmt: skip
        return Converted(table, bad, lost)

    def _check(self, plan: ColumnPlan, texts: Texts, rows: int) -> tuple[pa.Array, list[tuple[int, str, str]]]:
        """The column's values, null where a cell breaks a rule, and what each of those breaks."""
        if plan.position is None:
            return _constant(plan, rows), []
        column = texts.columns[plan.position]
        if plan.clock is not None:
            column = with_clock(column, texts.columns[plan.clock])
        if plan.is_list:
            column = listed(column, plan.separator)
        decimal = plan.decimal or self._form.decimal
        values, rules = cells.check(plan.field, column, plan.unit, decimal, self._latest, is_small=self._is_small)
        faults = [(row, column[row].as_py() or "", rules[row]) for row in np.flatnonzero(rules != "").tolist()]
        return values, faults

    def _empty(self, texts: Texts, rows: int) -> NDArray[np.bool_]:
        """Which rows hold nothing in any column that is read."""
        empty = np.ones(rows, bool)
        for position in self._used:
            filled = pc.not_equal(pc.utf8_trim_whitespace(texts.columns[position]), "")
            empty &= ~np.asarray(pc.fill_null(filled, False))
        return empty

    def _is_blank(self, row: str) -> bool:
        """Whether a row holds nothing at all, as spreadsheets leave them below a table."""
        marks = self._form.marks
        return not row.strip(f" \t\r\n{marks.delimiter.decode()}{marks.quote.decode()}{self._form.delimiter}")

    def _texts(self, block: Block) -> Texts:
        """The block's cells as text, by the fast parser where it can."""
        if block.quoting != "irregular" and block.data.count(b"\r") == block.data.count(b"\r\n"):
            try:
                raw = self._parse(block, {str(position): pa.string() for position in self._used})
            except pa.ArrowInvalid:
                return self._split(block)
            starts = quotes.row_starts(block.data, self._form.marks, block.quoting)
            if raw.num_rows == len(starts):
                columns = {position: _flat(raw[str(position)]) for position in self._used}
                return Texts(columns, Places(block, starts), [])
        return self._split(block)

    def _split(self, block: Block) -> Texts:
        """The block's cells by the rule of recipes.tables.quotes; more cells than the header has may follow if they are empty."""
        starts, kept, ragged, short = [], [], [], []
        for number, row in enumerate(self._rows(block.data)):
            starts.append(row.start)
            if self._fits(row):
                kept.append(row.cells[: self._width])
            elif completed := self._short.completed(row.cells):
                kept.append(completed)
                short.append(number)
            else:
                ragged.append((number, self._width_rule(row)))
        columns = {
            position: pa.array([row[position].decode() or None for row in kept], pa.string()) for position in self._used
        }
        return Texts(columns, Places(block, np.asarray(starts, np.int64)), ragged, frozenset(short))

    def _width_rule(self, row: Row) -> str:
        is_object = len(row.cells) != self._width + 1 or row.cells[-1] != NO_OBJECT.encode()
        return f"{len(row.cells)} columns; the header has {self._width}" if is_object else "no JSON object"

    def _fits(self, row: Row) -> bool:
        """Whether a row is as wide as the header; more cells may follow if they are empty."""
        return len(row.cells) >= self._width and not any(row.cells[self._width :])

    def _rows(self, data: bytes) -> Iterator[Row]:
        """All rows; where a quote that was never closed has swallowed whole rows, its line alone, and those rows behind it."""
        marks = self._form.marks
        found = quotes.split_rows(data, marks)
        row = next(found, None)
        while row is not None:
            after = next(found, None)
            end = after.start if after else len(data)
            second = data.find(b"\n", row.start, end) + 1 or end
            if self._are_rows(data[second:end], self._fits(row)):
                yield from (replace(one, start=row.start) for one in quotes.split_rows(data[row.start : second], marks))
                found = quotes.split_rows(data, marks, second)
                after = next(found, None)
            else:
                yield row
            row = after

    def _are_rows(self, text: bytes, fits: bool) -> bool:
        """Whether the lines behind a row's first are rows by themselves; those of a row that `fits` have to have ids, too."""
        if not text.strip():
            return False
        lines = [row for line in text.split(b"\n") for row in quotes.split_rows(line, self._form.marks)]
        if fits and not all(self._short.has_ids(line.cells) for line in lines):
            return False
        return all(self._fits(line) or self._short.completed(line.cells) for line in lines)

    def _parse(self, block: Block, types: dict[str, pa.DataType]) -> pa.Table:
        data, marks = block.data, self._form.marks
        if not data or data.isspace():
            return pa.table({name: pa.array([], kind) for name, kind in types.items()})
        is_quoted = block.quoting == "regular"
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(data) + 1),
            arrow_csv.ParseOptions(
                delimiter=marks.delimiter.decode(),
                quote_char=marks.quote.decode() if is_quoted else False,
                newlines_in_values=is_quoted,
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


def _decodable(data: bytes) -> bytes:
    """The block as valid UTF-8, in which a replacement character stands for what was none."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _constant(plan: ColumnPlan, rows: int) -> pa.Array:
    value = None if plan.constant is None else pa.scalar(plan.constant).cast(plan.field.arrow)
    return pa.nulls(rows, plan.field.arrow) if value is None else pa.repeat(value, rows)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _longest(values: pa.Array) -> int:
    """The longest value in bytes, which bounds its characters."""
    return pc.max(pc.binary_length(values)).as_py() or 0 if len(values) else 0


def _are_clean_words(field: Field, words: pa.Array) -> bool:
    if field.max_length is not None and _longest(words) > field.max_length:
        return False
    if pc.any(pc.starts_with(words, '="')).as_py():
        return False
    if not field.is_id:
        return not pc.any(pc.equal(words, cells.NULL_MARK)).as_py()
    padded = pc.sum(pc.binary_length(words)).as_py() != pc.sum(pc.binary_length(pc.utf8_trim_whitespace(words))).as_py()
    return not padded and not pc.any(pc.is_in(words, pa.array(cells.NO_IDS))).as_py()
