"""Blocks of CSV: the fast path and the slow path agree, and every broken rule is told with line, column and value."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.tables.dialect import CsvFormat
from recipes.tables.field import Field
from recipes.tables.quotes import quoting_of
from recipes.tables.rows import BlockReader, ColumnPlan
from recipes.tables.text import Block

FIELDS = (
    Field("USER_ID", "string"),
    Field("ITEM_ID", "string"),
    Field("TIMESTAMP", "long"),
    Field("EVENT_VALUE", "float", nullable=True),
    Field("DEVICE", "string", nullable=True, categorical=True),
)


def convert(text, fields=FIELDS, first_line=2, **form):
    data = text if isinstance(text, bytes) else text.encode()
    plans = [ColumnPlan(field, position) for position, field in enumerate(fields)]
    layout = CsvFormat(",", **form)
    reader = BlockReader(fields, plans, layout, len(fields))
    return reader.convert(Block(data, first_line, quoting_of(data, layout.marks, whole=True)))


def test_it_works():
    found = convert("u,i,1700000000,2.5,phone\nu,i,1700000001,,\n")

    assert found.bad == []
    assert found.table.to_pylist() == [
        {"USER_ID": "u", "ITEM_ID": "i", "TIMESTAMP": 1700000000, "EVENT_VALUE": 2.5, "DEVICE": "phone"},
        {"USER_ID": "u", "ITEM_ID": "i", "TIMESTAMP": 1700000001, "EVENT_VALUE": None, "DEVICE": None},
    ]


BAD = {
    "too few columns": ("u,i", "", "2 columns; the header has 5"),
    "too few columns and one of another kind": ("u,i,1700000000,a", "EVENT_VALUE", "is not a number"),
    "too many columns": ("u,i,1700000000,1,a,b", "", "6 columns; the header has 5"),
    "no user": (",i,1700000000,1,a", "USER_ID", "is required"),
    "no time": ("u,i,,1,a", "TIMESTAMP", "is required"),
    "time as words": ("u,i,yesterday,1,a", "TIMESTAMP", "is not a number of seconds"),
    "time in milliseconds": ("u,i,1700000000000,1,a", "TIMESTAMP", "milliseconds"),
    "time in microseconds": ("u,i,1700000000000000,1,a", "TIMESTAMP", "microseconds"),
    "time in nanoseconds": ("u,i,1700000000000000000,1,a", "TIMESTAMP", "nanoseconds"),
    "time before 1970": ("u,i,-5,1,a", "TIMESTAMP", "before 1970"),
    "huge time": ("u,i,1e30,1,a", "TIMESTAMP", "after the year 2100"),
    "time in the future": (f"u,i,{int(time.time()) + 100_000},1,a", "TIMESTAMP", "at most a day ahead of the clock"),
    "no id but a word for none": ("NULL,i,1700000000,1,a", "USER_ID", "is required"),
    "no id but an error of a spreadsheet": (
        "u,#REF!,1700000000,1,a",
        "ITEM_ID",
        "is the error of a spreadsheet's formula",
    ),
    "no value of a spreadsheet": (
        "#N/A,i,1700000000,1,a",
        "USER_ID",
        "is the error of a spreadsheet's formula and no id",
    ),
    "long id": (f"{'u' * 257},i,1700000000,1,a", "USER_ID", "more than 256 characters"),
}


@pytest.mark.parametrize(("row", "column", "rule"), BAD.values(), ids=BAD)
def test_a_bad_row_is_told_and_left_out(row, column, rule):
    found = convert(f"u,i,1700000000,1,a\n\n{row}\nu,i,1700000002,1,a\n")

    assert found.table["TIMESTAMP"].to_pylist() == [1700000000, 1700000002]
    [bad] = found.bad
    assert (bad.line, bad.column, bad.row) == (4, column, row)
    assert rule in bad.rule


def timed(cells, unit="", field=FIELDS[2], looked_at=()):
    """What becomes of one column of times: good values, and the rules that the others break."""
    plans = [ColumnPlan(FIELDS[0], 0), ColumnPlan(field, 1, unit=unit)]
    data = "".join(f"u\t{cell}\n" for cell in cells).encode()
    reader = BlockReader([plan.field for plan in plans], plans, CsvFormat("\t"), 2, looked_at)
    found = reader.convert(Block(data, 1, "none"))
    return found.table[field.name].to_pylist(), [one.rule for one in found.bad + found.unread]


@pytest.mark.parametrize(("unit", "per"), [("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("share", [2, 50])
def test_a_number_in_a_coarser_unit_than_its_column_is_told_and_lies_not_in_1970(unit, per, share):
    coarser = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6}
    for name, factor in coarser.items():
        if factor < per:
            cells = [(1_700_000_000 + n) * (factor if n % share == 0 else per) for n in range(100)]
            times, rules = timed(cells, unit)
            assert len(times) + len(rules) == 100
            assert min(times) > 1_600_000_000
            assert set(rules) == {rule for rule in rules if rule.endswith(f"; it looks like {name} since 1970")}

            created = Field("CREATION_TIMESTAMP", "long", nullable=True)
            times, told = timed(cells, unit, created)
            assert (len(times), times.count(None), told) == (100, len(rules), rules)


def test_a_number_in_a_coarser_unit_is_told_beside_dates_in_words():
    times, rules = timed(["2024-03-01", "1709251200000", "1709251200"], "iso|ms")

    assert times == [1_709_251_200, 1_709_251_200]
    assert rules == ["is not a time; expected is ISO 8601 such as 2026-01-31T13:45:00Z or milliseconds since 1970"]


@pytest.mark.parametrize(
    ("cells", "looks"),
    [
        (["20240301", "20231130"], "a date in the form 20240131"),
        (["45000.5", "45001"], "a spreadsheet's number of days"),
        (["28333333", "28333334"], "minutes since 1970"),
        (["2023", "2024"], "a year"),
    ],
)
def test_an_event_s_number_that_is_no_second_is_told_by_what_it_looks_like(cells, looks):
    times, rules = timed([*cells, "1700000000"])

    assert times == [1_700_000_000]
    assert rules == [f"lies in 1970 as seconds since 1970; it looks like {looks}"] * 2


def test_small_times_that_are_meant_so_stay():
    counted = [*range(0, 3000, 7), 20_240_301]
    assert timed(counted) == (counted, [])
    later = list(range(26_000, 60_000, 50))
    assert timed(later, looked_at=[[b"u", b"%d" % n] for n in range(50)]) == (later, [])

    films = Field("CREATION_TIMESTAMP", "long", nullable=True)
    days = [-86_400 * 365, 0, 86_400 * 9, 86_400 * 19, 20_240_301, 1_700_000_000]
    assert timed(days, "", films) == (days, [])
    days.pop(4)
    assert timed([day * 1000 for day in days], "ms", films) == (days, [])


UNREAD = {
    "value as words": ("u,i,1700000000,much,a", "EVENT_VALUE", "is not a number"),
    "infinite value": ("u,i,1700000000,inf,a", "EVENT_VALUE", "is not a number"),
    "value beyond a float": ("u,i,1700000000,1e999,a", "EVENT_VALUE", "does not fit"),
    "long category": (f"u,i,1700000000,1,{'c' * 1001}", "DEVICE", "more than 1,000 characters"),
    "a NUL character": ("u,i,1700000000,1,a\0b", "DEVICE", "NUL"),
}


@pytest.mark.parametrize(("row", "column", "rule"), UNREAD.values(), ids=UNREAD)
def test_an_optional_cell_that_cannot_be_read_is_empty_and_told(row, column, rule):
    found = convert(f"u,i,1700000000,1,a\n\n{row}\nu,i,1700000002,1,a\n")

    assert found.table[column].to_pylist()[1] is None
    assert (found.table.num_rows, found.bad) == (3, [])
    [cell] = found.unread
    assert (cell.line, cell.column, cell.row) == (4, column, row)
    assert rule in cell.rule


@pytest.mark.parametrize("empty", ["", "NaN", "null", "N/A", " ", '""'])
def test_words_for_nothing_are_nulls_in_number_columns(empty):
    found = convert(f"u,i,1700000000,{empty},a\n")

    assert found.bad == []
    assert found.table["EVENT_VALUE"].to_pylist() == [None]


def test_whole_numbers_written_as_floats_are_whole_numbers():
    found = convert("u,i,1700000000.0,1,a\nu,i,1.7e9,1,a\n")

    assert found.bad == []
    assert found.table["TIMESTAMP"].to_pylist() == [1700000000, 1700000000]


def test_quoted_rows_keep_their_line_numbers():
    found = convert('u,i,1700000000,1,"a, ""b"" \n c"\nu,i,soon,1,a\n"u""1",i,1700000000,1,a\n')

    assert found.table["DEVICE"].to_pylist()[0] == 'a, "b" \n c'
    assert found.table["USER_ID"].to_pylist() == ["u", 'u"1']
    assert [bad.line for bad in found.bad] == [4]


def test_bytes_that_are_no_utf8_are_told():
    found = convert(b"u,i,1700000000,1,caf\xc3\xa9\nu,i,1700000000,1,caf\xe9\nu\xe9,i,1700000000,1,a\n")

    assert found.table["DEVICE"].to_pylist() == ["café", None]
    assert [(cell.line, cell.rule) for cell in found.unread] == [(3, "is not UTF-8 text")]
    assert [(row.line, row.rule) for row in found.bad] == [(4, "is not UTF-8 text")]


def test_long_text_is_cut():
    fields = (Field("ITEM_ID", "string"), Field("PLOT", "string", textual=True))

    found = convert(f"i,{'x' * 30_000}\n", fields)

    assert len(found.table["PLOT"][0].as_py()) == 20_000


@pytest.mark.parametrize("more", ["", "i,\0,,\n"])  # by the fast parser, and by the slow one
def test_a_vector_is_never_cut_and_no_long_category(more):
    vector = "|".join(["-0.0238467231392"] * 1536)
    fields = (
        Field("ITEM_ID", "string"),
        Field("PLOT", "string", nullable=True, textual=True),
        Field("GENRE", "string", nullable=True, categorical=True),
    )

    found = convert(f"i,{vector},{vector}\n{more}", fields)

    assert found.table.to_pylist()[0] == {"ITEM_ID": "i", "PLOT": vector, "GENRE": vector}


VALUES = st.sampled_from(
    ["1700000000", "1700000000.0", "", "x", "1e3", "-1", "99999999999999", " 5 ", "0.5", "nan", "é", '"q"']
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=4, max_size=6), min_size=1, max_size=8))
def test_a_row_fares_alone_as_in_company(rows):
    """The block's path depends on its rows; what becomes of each row must not."""
    lines = [",".join(row) for row in rows]

    together = convert("\n".join(lines) + "\n", first_line=1)

    alone = [convert(line + "\n", first_line=1) for line in lines]
    assert together.table.to_pylist() == [row for found in alone for row in found.table.to_pylist()]
    assert [(bad.column, bad.value, bad.rule) for bad in together.bad] == [
        (bad.column, bad.value, bad.rule) for found in alone for bad in found.bad
    ]
    assert [(cell.column, cell.value, cell.rule) for cell in together.unread] == [
        (cell.column, cell.value, cell.rule) for found in alone for cell in found.unread
    ]
    assert [bad.line for bad in together.bad] == [number for number, found in enumerate(alone, 1) if found.bad]


def test_rows_that_an_unclosed_quote_swallows_are_given_back():
    """The quote of the second row closes where the third begins a cell with a delimiter."""
    found = convert('u,i,1700000000,1,"a"\nu,i,1700000001,1,"open\nu,i,1700000002,1,",x"\nu,i,1700000003,1,b\n')

    assert found.table["TIMESTAMP"].to_pylist() == [1700000000, 1700000001, 1700000002, 1700000003]
    assert found.table["DEVICE"].to_pylist() == ["a", '"open', ",x", "b"]
    assert found.bad == []


def test_they_are_given_back_where_lines_end_with_a_delimiter():
    found = convert('u,i,1700000000,1,"a",\nu,i,1700000001,1,"open,\nu,i,1700000002,1,",x",\n')

    assert found.table["DEVICE"].to_pylist() == ["a", '"open', ",x"]
    assert found.bad == []


def test_more_cells_than_the_header_has_may_be_empty_and_rows_without_content_are_none():
    found = convert("u,i,1700000000,1,a,,\n,,,,\n , ,,,\nu,i,1700000001,1,b\n")

    assert found.table["DEVICE"].to_pylist() == ["a", "b"]
    assert found.bad == []


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (r'"i1","the \"best\" lamp, big"', 'the "best" lamp, big'), (r'"i1","C:\\new"', r"C:\new"), (r'"i1","ends\\"', "ends\\"),
        (r'"i1","a \"\"quote"', 'a ""quote'), (r'i1,plain', "plain"),
    ],
)  # fmt: skip
def test_escaped_quotes_are_read_by_the_fast_parser_as_by_the_slow_one(monkeypatch, line, title):
    form = CsvFormat(",", '"', "utf-8", escape="\\")
    fields = [Field("ITEM_ID", "string"), Field("TITLE", "string", nullable=True)]
    reader = BlockReader(fields, [ColumnPlan(field, place) for place, field in enumerate(fields)], form, 2)
    block = Block(f"{line}\n".encode() * 3, 2, "irregular")
    slow = reader._slow(block).table.to_pylist()
    monkeypatch.setattr(reader, "_slow", None)
    assert reader.convert(block).table.to_pylist() == slow == [{"ITEM_ID": "i1", "TITLE": title}] * 3
