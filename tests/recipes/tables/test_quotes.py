"""Rows of any text: no byte is lost, blocks of any size give the same rows, and damage costs linear time."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.tables import quotes
from recipes.tables.dialect import CsvFormat
from recipes.tables.quotes import Marks, quoted_in_even_rows, quoting_of, row_end, row_starts, split_rows, tally
from recipes.tables.text import TextStream, blocks

COMMA = Marks(b",")
ESCAPED = Marks(b",", b'"', b"\\")
PIECES = st.sampled_from(["a", "bc", ",", '"', '""', "\n", "\r\n", " ", "\\", '\\"', "é"])
TEXTS = st.lists(PIECES, max_size=40).map("".join)
CELLS = st.text(st.sampled_from('ab,"\n\\ é'), max_size=6)


def rows(text, marks=COMMA):
    return [[cell.decode() for cell in row.cells] for row in split_rows(text.encode(), marks)]


def test_it_works():
    assert rows('a,"b, ""c""\nd",e\r\n\nf,27" g,"h"\n') == [["a", 'b, "c"\nd', "e"], ["f", '27" g', "h"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('1,"a,b\n2,c\n', [["1", '"a', "b"], ["2", "c"]]),
        ('1,"a" b,c\n', [["1", '"a" b', "c"]]),
        ('1, "a, b" ,c\n', [["1", "a, b", "c"]]),
        ('1,a"b"c,d\n', [["1", 'a"b"c', "d"]]),
        ('1,"a\\",b\n', [["1", "a\\", "b"]]),
        ('"a\n"b"\nc', [['"a'], ["b"], ["c"]]),
        ('"",""\n,\n', [["", ""], ["", ""]]),
    ],
    ids=["never closed", "closed early", "blanks", "inside a cell", "backslash", "only rows", "empty"],
)
def test_a_quote_encloses_a_cell_only_if_it_is_closed_at_its_end(text, found):
    assert rows(text) == found


def test_an_escape_makes_a_quote_content_and_leaves_other_backslashes():
    assert rows(r'"a \"b\", c","d\\","C:\new"' + "\n", ESCAPED) == [['a "b", c', "d\\", "C:\\new"]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=6))
def test_what_csv_writers_write_is_read_back(table):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)

    assert rows(text.getvalue()) == table


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_quotes_that_are_counted_at_once_are_those_that_are_looked_at_one_by_one(text):
    data = text.encode()
    counted = quoted_in_even_rows(data, COMMA)

    whole = data[: row_end(data, COMMA, "regular")]
    assert counted in {0, tally(data, COMMA)[0]}
    assert not counted or len({len(row.cells) for row in split_rows(whole, COMMA)}) == 1


def test_cells_that_are_quoted_alike_are_counted_at_once():
    data = b'"a","b"\n"1","x ""y"""\n"2",z\n\n"3","a\nb"\n"4","cut o'
    assert quoted_in_even_rows(data, COMMA) == tally(data, COMMA)[0] == 8
    assert quoted_in_even_rows(data + b'ff"\n5,a "b"\n', COMMA) == 0  # content
    assert quoted_in_even_rows(data + b'ff"\n5\n', COMMA) == 0  # a short row


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from([COMMA, ESCAPED]), st.integers(1, 30))
def test_blocks_of_any_size_hold_the_same_rows(text, marks, size):
    form = CsvFormat(",", '"', "utf-8", escape=marks.escape.decode())
    data = text.encode().replace(b"\r\n", b"\n")

    cut = list(blocks(TextStream("a.csv", io.BytesIO(b"-\n" + data)), form, size))

    assert b"".join(block.data for block in cut) == b"-\n" + data
    together = [row.cells for row in split_rows(data, marks)]
    assert [row.cells for block in cut for row in split_rows(block.data, marks)][1:] == together
    for block in cut:
        if block.quoting != "irregular":
            found = [
                row.start for row in split_rows(block.data, marks if block.quoting == "regular" else Marks(b",", b""))
            ]
            assert row_starts(block.data, marks, block.quoting).tolist() == found


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_no_character_vanishes(text):
    kept = [character for row in rows(text.replace("\r\n", "\n")) for cell in row for character in cell]

    assert [c for c in kept if c in "abcé"] == [c for c in text if c in "abcé"]


@pytest.mark.parametrize("line", ['"a', 'b,"c', '""d,"e', '"""f', '"g""', 'h,"i"j,"'])
def test_searches_for_closing_quotes_cross_a_text_a_bounded_number_of_times(monkeypatch, line):
    """The bytes that all searches pass over grow with the text, whatever the quotes are like."""

    def crossed(number):
        data = (f"{line}\n" * number).encode()
        passed = 0
        body, pending = quotes._patterns(COMMA)

        class Counting:
            def match(self, text, at):
                nonlocal passed
                found = pending.match(text, at) or body.match(text, at)
                reach = found.end() if found else _odd_run(text, at)
                passed += reach - at
                return body.match(text, at)

        with monkeypatch.context() as patch:
            patch.setattr(quotes, "_patterns", lambda _: (Counting(), pending))
            list(split_rows(data, COMMA))
        return passed / len(data)

    assert crossed(400) <= crossed(100) + 1


def _odd_run(text, at):
    """Where the first run of an odd number of quotes behind the one at `at` ends."""
    at += 1
    while at < len(text):
        start = text.find(b'"', at)
        if start < 0:
            return len(text)
        at = start
        while at < len(text) and text[at : at + 1] == b'"':
            at += 1
        if (at - start) % 2:
            return at
    return len(text)


def test_a_quote_that_is_never_closed_holds_back_a_bounded_part_of_a_text(monkeypatch):
    monkeypatch.setattr(quotes, "MAX_QUOTED_BYTES", 100)
    data = b'a,"b\n' + b"c,d\n" * 100

    assert row_end(data, COMMA, quoting_of(data, COMMA)) == len(data)
    assert row_end(data[:50], COMMA, quoting_of(data[:50], COMMA)) == 0


def test_an_escaped_delimiter_is_content():
    rows = split_rows(b'a\\,b,c\\\\,d\n1,"2\\,3",4\n', Marks(b",", b'"', b"\\"))
    assert [row.cells for row in rows] == [[b"a,b", b"c\\", b"d"], [b"1", b"2,3", b"4"]]
