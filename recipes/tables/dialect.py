"""How a file's text is laid out, found out from a sample of it, with the evidence for what was found."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise, takewhile
from typing import Any

from recipes.tables.quotes import Marks, Row, quoted_in_even_rows, split_rows, tally
from recipes.tables.short_rows import begin_rows, leave_out_cells, whole_but_for_last_cells

DELIMITERS = (",", ";", "\t", "|", "::", "\x01", "~", "^")
OTHER_MARKS = (b",", b";", b"|", b"::")  # in a text that blanks divide, there are few of them
NAMES = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    " ": "blanks",
    "::": "two colons",
    "\x01": "Ctrl-A",
}
LOOKED_AT = 200  # rows
LAYOUT_BYTES = 1 << 18
MAX_PREAMBLE = 30  # rows above the header
REGULAR = 0.8  # of the rows that have as many cells as most
NEARLY_ALL = 0.9
MOSTLY_CLOSED = 0.02  # unclosed quotes for each that closes, at most
UNIT = b"\x1f"  # stands for a delimiter of several characters
BLANKS = re.compile(rb"[ \t]+")
SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"]{1,2})"?[;,\t]*\r?\n', re.IGNORECASE)
TYPED = re.compile(r":(token|float)(_seq)?$")


@dataclass(frozen=True)
class CsvFormat:
    """How a file's text is laid out. An empty delimiter or encoding means: find out.

    A blank as `delimiter` stands for any run of blanks and tabs. `escape` makes a quote within quotes content, beside doubling.
    `skip` lines stand above the header.
    """

    delimiter: str = ""
    quote: str = '"'
    encoding: str = ""
    header: bool = True
    decimal: str = "."
    escape: str = ""
    skip: int = 0

    @property
    def marks(self) -> Marks:
        """The marks of the text once each delimiter is one byte (recipes.tables.text.canonical)."""
        if self.delimiter == " ":
            return Marks(b"\t", self.quote.encode(), self.escape.encode())
        if len(self.delimiter) > 1 and not self.quote:
            return Marks(UNIT, b"")
        return Marks((self.delimiter or ",").encode(), self.quote.encode(), self.escape.encode())


@dataclass(frozen=True)
class Found:
    """A layout and what speaks for it."""

    form: CsvFormat
    evidence: list[str] = field(default_factory=list)


def column_key(name: str) -> str:
    """A column's name by which spellings are compared: no case, no punctuation, no RecBole type such as `:token`."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", TYPED.sub("", name.strip())).lower())


def detect(sample: bytes, given: Mapping[str, Any] | None = None, wanted: Collection[str] = ()) -> Found:
    """Find out the layout of a text.

    Args:
        sample: UTF-8 text, the file's first lines first.
        given: members of CsvFormat that are known.
        wanted: names of columns of which the header should hold some.
    """
    known = {name: value for name, value in (given or {}).items() if value is not None and value != ""}
    if (given or {}).get("quote") == "":
        known["quote"] = ""
    form, evidence = replace(CsvFormat(), **known), []
    stated = SEPARATOR_LINE.match(sample)
    if stated:
        evidence.append(f"The first line says that cells are separated by {stated[1].decode('utf-8', 'replace')!r}.")
        form = replace(form, skip=max(form.skip, 1), delimiter=form.delimiter or stated[1].decode("utf-8", "replace"))
    sample = sample[stated.end() :] if stated else sample
    if not form.delimiter:
        form, reason = _with_delimiter(form, sample[:LAYOUT_BYTES], wanted)
        evidence.append(reason)
    if "skip" not in known:
        form, reason = _with_preamble(form, sample[:LAYOUT_BYTES], wanted)
        evidence += [reason] if reason else []
    if form.delimiter == " ":
        sample, form = BLANKS.sub(b"\t", sample), replace(form, delimiter="\t")
        form, reason = _with_quotes(form, sample)
        return Found(replace(form, delimiter=" "), [*evidence, *([reason] if reason else [])])
    if "quote" not in known:
        form, reason = _with_quotes(form, sample)
        evidence += [reason] if reason else []
    return Found(form, evidence)


def first_rows(sample: bytes, marks: Marks, number: int = LOOKED_AT) -> list[Row]:
    """The first rows of a text, the last of which may be cut off."""
    return list(islice(split_rows(sample, marks), number))


def _with_delimiter(form: CsvFormat, sample: bytes, wanted: Collection[str]) -> tuple[CsvFormat, str]:
    """The delimiter that finds the wanted names, else the one that cuts the rows most regularly."""
    keys = {column_key(name) for name in wanted}
    cuts = {mark: _best_cut(sample, mark, keys) for mark in DELIMITERS}
    scores = {mark: score for mark, (score, _) in cuts.items()}
    best, ending = max(DELIMITERS, key=lambda mark: _rank(scores[mark])), ""
    if scores[best] < (0, 1, REGULAR, 2):
        shortened = {mark: score for mark, (_, rows) in cuts.items() if (score := _shortened_regularity(rows, keys))}
        if shortened:
            best, ending = max(shortened, key=lambda mark: _rank(shortened[mark])), " or leave out the last of them"
            scores |= shortened
    if scores[best] < (0, 1, REGULAR, 2):
        lines = [line for line in sample.split(b"\n")[:LOOKED_AT] if line.strip()]
        others = sum(any(mark in line for mark in OTHER_MARKS) for line in lines)
        blanks = _regularity([Row(0, line.split()) for line in lines], keys)
        if blanks >= (0, 1, 0.95, 2) and others <= 0.1 * len(lines):
            best, scores[" "] = " ", blanks
    _, _, share, width = scores[best]
    if width < 2:
        return replace(form, delimiter=","), "No character separates cells regularly; there is one column."
    return (
        replace(form, delimiter=best),
        f"Cells are separated by {NAMES.get(best, best)}: {share:.0%} of the first rows have {width} cells{ending}.",
    )


def _best_cut(sample: bytes, delimiter: str, keys: set[str]) -> tuple[tuple[int, int, float, int], list[Row]]:
    """How well a delimiter cuts, and the rows, by that reading of backslashes under which they are more regular."""
    escapes = (b"", b"\\") if b'\\"' in sample or b"\\" + delimiter.encode() in sample else (b"",)
    cuts = [first_rows(sample, Marks(delimiter.encode(), b'"', escape)) for escape in escapes]
    return max(((_regularity(rows, keys), rows) for rows in cuts), key=lambda cut: _rank(cut[0]))


def _rank(regularity: tuple[int, int, float, int]) -> tuple[int, int, float, int]:
    """Regularities in order: of those that cut nearly all rows alike the one with more cells is better."""
    names, place, share, width = regularity
    return names, place, min(share, NEARLY_ALL), width


def _regularity(rows: Sequence[Row], keys: set[str]) -> tuple[int, int, float, int]:
    """How well a delimiter cuts: names found, whether the first row is as wide as most, how many are, how wide they are.

    The second is 2 where that is so, 1 where it is once lines above a header are left out.
    """
    widths = Counter(len(row.cells) for row in rows)
    if not widths:
        return 0, 0, 0.0, 1
    width, number = max(widths.items(), key=lambda entry: (entry[1], entry[0]))
    names = {column_key(cell.decode("utf-8", "replace")) for row in rows[:1] for cell in row.cells}
    if width < 2:
        return len(names & keys), 0, 0.0, 1
    above = _preamble(rows, width)
    has_names = width - len(rows[above].cells) in {0, 1}  # R leaves out the name of the rows' own column
    is_regular = has_names and number >= REGULAR * len(rows)
    return len(names & keys), (1 if above else 2) if is_regular else 0, number / len(rows), width


def _shortened_regularity(rows: Sequence[Row], keys: set[str]) -> tuple[int, int, float, int] | None:
    """As `_regularity`, where rows that leave out last cells count as whole; None if rows are not alike so, either."""
    width, number = whole_but_for_last_cells([[cell.decode("utf-8", "replace") for cell in row.cells] for row in rows])
    if width < 3 or number < REGULAR * len(rows):
        return None
    names = {column_key(cell.decode("utf-8", "replace")) for cell in rows[_preamble(rows, width)].cells}
    return len(names & keys), 1, number / len(rows), width


def _preamble(rows: Sequence[Row], width: int) -> int:
    """How many rows stand above the table: comments, and titles of one cell above rows of several."""

    def is_above(row: Row) -> bool:
        filled = sum(bool(cell.strip()) for cell in row.cells)
        is_comment = row.cells[0].startswith(b"#") and len(row.cells) != width
        return is_comment or (filled <= 1 and (len(row.cells) < width or width > 2))

    number = len(list(takewhile(is_above, rows)))
    return number if number <= min(MAX_PREAMBLE, len(rows) - 1) else 0


def _with_preamble(form: CsvFormat, sample: bytes, wanted: Collection[str]) -> tuple[CsvFormat, str]:
    if form.delimiter == " ":
        return form, ""
    _, rows = _best_cut(sample, form.delimiter, {column_key(name) for name in wanted})
    widths = Counter(len(row.cells) for row in rows)
    width = widths.most_common(1)[0][0] if widths else 1
    number = _preamble(rows, width) if width > 1 else 0
    lines = sample.count(b"\n", 0, rows[number].start) if number else 0
    if not lines:
        return form, ""
    return replace(form, skip=form.skip + lines), f"{lines} lines above the header are no rows."


@dataclass(frozen=True)
class _Reading:
    """What a way to read quotes makes of a sample: rows not as wide as most, quoted cells, and quotes that never close.

    `merged` rows hold several lines, each of which is as wide as the header by itself.
    """

    marks: Marks
    rows: int
    ragged: int
    closed: int
    unclosed: int
    merged: int

    @property
    def whole(self) -> int:
        """Rows as wide as most; where rows are merged fewer are ragged, too."""
        return self.rows - self.ragged


def _with_quotes(form: CsvFormat, sample: bytes) -> tuple[CsvFormat, str]:
    """Whether quotes enclose cells, and how a quote within them is written."""
    delimiter = form.delimiter.encode()
    if b"\\" + delimiter in sample and len(form.delimiter) == 1:  # who separates cells by two characters escapes none
        escaped = _read(sample, Marks(delimiter, b'"', b"\\"))
        if escaped.whole > _read(sample, Marks(delimiter, b'"')).whole:
            return replace(
                form, escape="\\"
            ), "A backslash makes the next mark content: read so, more rows are as wide as most."
    if b'"' not in sample:
        return _with_apostrophes(form, sample)
    is_escaped = b'\\"' in sample
    if not is_escaped and (closed := quoted_in_even_rows(sample, Marks(delimiter, b'"'))):
        return form, _doubled(closed)
    return _with_double_quotes(form, sample, is_escaped=is_escaped)


def _with_double_quotes(form: CsvFormat, sample: bytes, *, is_escaped: bool) -> tuple[CsvFormat, str]:
    """The same of a sample that has some, looked at row by row; `is_escaped` if it holds one behind a backslash."""
    delimiter = form.delimiter.encode()
    doubled = _read(sample, Marks(delimiter, b'"'))
    best, reason = doubled, ""
    if is_escaped:
        escaped = _read(sample, Marks(delimiter, b'"', b"\\"))
        if _is_better(sample, escaped, doubled):
            best, reason = escaped, 'Within quotes, \\" is a quote: read so, more cells close.'
    plain = _read(sample, Marks(delimiter, b""))
    spanning = (
        best.rows < plain.rows and plain.ragged <= best.ragged
    )  # cells over several lines that are rows by themselves
    unclosed = plain.ragged == best.ragged and best.unclosed > best.closed
    is_well_quoted = _is_well_quoted(sample, best, MOSTLY_CLOSED)
    is_worse = plain.ragged < best.ragged and (plain.ragged < best.merged or not (plain.ragged or is_well_quoted))
    is_content = (plain.ragged < best.ragged or spanning or unclosed) and not is_well_quoted
    if is_worse or is_content or _hold_rows(sample, best, plain) or (len(form.delimiter) > 1 and not best.closed):
        return (
            replace(form, quote=""),
            f"Quotes are content: {best.unclosed:,} that begin a cell never close, {best.closed:,} do.",
        )
    if not reason and best.closed:
        reason = _doubled(best.closed)
    return replace(form, escape=best.marks.escape.decode()), reason


def _doubled(closed: int) -> str:
    return f"{closed:,} cells looked at are quoted; a quote within them is doubled."


def _with_apostrophes(form: CsvFormat, sample: bytes) -> tuple[CsvFormat, str]:
    if b"'" not in sample:
        return (replace(form, quote=""), "") if len(form.delimiter) > 1 else (form, "")
    quoted = _read(sample, Marks(form.delimiter.encode(), b"'"))
    rows = sample.count(b"\n") + 1
    if quoted.closed >= 0.5 * rows and not quoted.unclosed and quoted.closed > 1:
        return replace(form, quote="'"), f"{quoted.closed:,} cells looked at are quoted with apostrophes."
    return (replace(form, quote=""), "") if len(form.delimiter) > 1 else (form, "")


def _read(sample: bytes, marks: Marks) -> _Reading:
    rows = list(split_rows(sample, marks))
    widths = Counter(len(row.cells) for row in rows)
    width, most = widths.most_common(1)[0] if widths else (0, 0)
    closed, unclosed = tally(sample, marks) if marks.quote else (0, 0)
    header = next((len(row.cells) for row in rows if len(row.cells) >= width), 0)  # most may leave out last cells
    merged = _merged(sample, [row.start for row in rows], marks.delimiter, header) if closed else 0
    return _Reading(marks, widths.total(), widths.total() - most, closed, unclosed, merged)


def _merged(sample: bytes, starts: Sequence[int], delimiter: bytes, width: int) -> int:
    """How many rows are several lines that have `width` cells each."""
    texts = (sample[start:after].split(b"\n") for start, after in pairwise([*starts, len(sample)]))
    lines = ([line for line in text if line.strip()] for text in texts)
    return sum(len(row) > 1 and all(line.count(delimiter) == width - 1 for line in row) for row in lines)


def _is_better(sample: bytes, escaped: _Reading, doubled: _Reading) -> bool:
    """Whether backslashes escape quotes: only so all quotes close, or more of them do, or more rows are as wide as most."""
    well = [_is_well_quoted(sample, reading) for reading in (doubled, escaped)]
    if any(well):
        return not well[0] or (well[1] and escaped.whole > doubled.whole)
    closed, open_ = escaped.closed - doubled.closed, escaped.unclosed - doubled.unclosed
    if closed * open_ < 0:  # one reading closes more quotes and leaves fewer open
        return closed > 0
    return (escaped.whole, -escaped.unclosed) > (doubled.whole, -doubled.unclosed)


def _is_well_quoted(sample: bytes, best: _Reading, most_unclosed: float = 0.0) -> bool:
    """Whether every quote that begins a cell is closed, but for a share, and the rows that are not whole leave out last cells."""
    if not best.closed or best.unclosed > most_unclosed * best.closed:
        return False
    rows = [[cell.decode("utf-8", "replace") for cell in row.cells] for row in split_rows(sample, best.marks)]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    return leave_out_cells([row for row in rows if len(row) <= width])  # wider ones are so whatever quotes are


def _hold_rows(sample: bytes, best: _Reading, plain: _Reading) -> bool:
    """Whether each quoted cell holds whole rows: a quote that was never closed, and a later one that is content."""
    if not best.closed or best.closed > plain.rows - best.rows:
        return False
    delimiter = best.marks.delimiter
    found = list(split_rows(sample, best.marks))
    texts = [sample[row.start : after.start] for row, after in pairwise(found)] + [sample[found[-1].start :]]
    lines = [[_cells(line, delimiter) for line in text.split(b"\n")[1:] if line.strip()] for text in texts]
    whole = [_cells(line, delimiter) for line in sample.split(b"\n")]
    return sum(bool(inner) and begin_rows(inner, whole) for inner in lines) >= best.closed


def _cells(line: bytes, delimiter: bytes) -> list[str]:
    return [cell.decode("utf-8", "replace") for cell in line.rstrip(b"\r").split(delimiter)]
