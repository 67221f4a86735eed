"""Rows that leave out empty last cells come in; pieces of rows, footers and rows that lack something do not."""

from __future__ import annotations

import pytest

from recipes.tables.dialect import CsvFormat, first_rows
from recipes.tables.field import Field
from recipes.tables.files import read_file
from recipes.tables.quotes import quoting_of
from recipes.tables.rows import BlockReader, ColumnPlan
from recipes.tables.text import Block

ITEMS = (
    Field("ITEM_ID", "string"),
    Field("TITLE", "string", nullable=True),
    Field("PRICE", "float", nullable=True),
    Field("COLOUR", "string", nullable=True),
)
WHOLE = "i1,Lamp,9.5,red\ni2,Chair,12,blue\n"


def convert(text, fields=ITEMS, **form):
    """Read a file of one block."""
    plans = [ColumnPlan(field, place) for place, field in enumerate(fields)]
    layout = CsvFormat(",", **form)
    data = text.encode()
    rows = [row.cells for row in first_rows(data, layout.marks, 5000)]
    reader = BlockReader(fields, plans, layout, len(fields), rows)
    return reader.convert(Block(data, 2, quoting_of(data, layout.marks, whole=True)))


@pytest.mark.parametrize("quoted", ["", 'i9,"a ""round"" one",1,red\n'])  # by the fast parser, and by the slow one
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_left_out_last_cells_are_empty(quoted, end):
    found = convert((WHOLE + quoted + "i3,Table,3\ni4,Mat\ni5,Shelf,7\n").replace("\n", end))
    assert found.bad == found.unread == []
    assert found.table.to_pylist()[-3:] == [
        {"ITEM_ID": "i3", "TITLE": "Table", "PRICE": 3.0, "COLOUR": None},
        {"ITEM_ID": "i4", "TITLE": "Mat", "PRICE": None, "COLOUR": None},
        {"ITEM_ID": "i5", "TITLE": "Shelf", "PRICE": 7.0, "COLOUR": None},
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        "i3,A table\nof oak,3,red\n",  # a line break within a cell
        "i3,A table\nof oak,3,red\ni4,A mat\nof wool,7,blue\n",
    ],
)
def test_pieces_of_rows_with_line_breaks_are_listed(pieces):
    found = convert(WHOLE + pieces + "i7,Bed,90,white\n")
    assert found.table["ITEM_ID"].to_pylist() == ["i1", "i2", "i7"]
    assert [row.row for row in found.bad] == pieces.splitlines()


def test_short_rows_that_an_unclosed_quote_swallows_are_given_back():
    found = convert(f'{WHOLE}i3,"open\ni4,Table,3\ni5,Bed\ni6,Mat\ni7,",x"\ni8,"two\nlines"\n')
    assert found.table["ITEM_ID"].to_pylist() == ["i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8"]
    assert found.table["TITLE"].to_pylist()[2:] == ['"open', "Table", "Bed", "Mat", ",x", "two\nlines"]


def test_rows_that_an_unclosed_quote_swallows_into_one_of_the_right_width_are_given_back():
    """The quote of i3 closes where the title of i5 begins with a delimiter."""
    found = convert(f'{WHOLE}i3,"open,1,red\ni4,Bed,90,red\ni5,",x two\nlines",3,red\ni6,"a ""b""",4,blue\n')
    assert found.table["ITEM_ID"].to_pylist() == ["i1", "i2", "i3", "i4", "i5", "i6"]
    assert found.table["TITLE"].to_pylist()[2:] == ['"open', "Bed", ",x two\nlines", 'a "b"']
    assert found.bad == found.unread == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (r'"i3","the \"big, best\" lamp"', 'the "big, best" lamp'),
        ('"i3",",x ends\\"', ",x ends\\"),
        ('"i3","a, b"', "a, b"),
    ],
)
def test_what_quotes_and_backslashes_mean_is_told_beside_short_rows(tmp_path, text, title):
    """A delimiter within the quotes of a short row would make it a whole one."""
    rows = ['"i1","Lamp","9.5","red"', '"i2","Chair","12","blue"', '"i4","Mat"', text]
    (tmp_path / "items.csv").write_text("\n".join(['"ITEM_ID","TITLE","PRICE","COLOUR"', *rows * 3]) + "\n")
    found = read_file(tmp_path / "items.csv", ["ITEM_ID"])
    assert found.table["TITLE"].to_pylist()[3] == title
    assert found.table.num_rows == 12


def test_a_word_for_no_id_does_not_make_a_line_of_a_cell_a_row(tmp_path):
    rows = [f"i{n}\tLamp\t{n}\tred" for n in range(40)]
    text = (
        "\n".join(["ITEM_ID\tTITLE\tPRICE\tCOLOUR", *rows, "NULL\tBed\t1\tred", 'i99\t"two\nlines \tx"\t3.9\tred'])
        + "\n"
    )
    (tmp_path / "items.csv").write_text(text)
    assert read_file(tmp_path / "items.csv", ["ITEM_ID"]).table["TITLE"].to_pylist()[-1] == "two\nlines \tx"


@pytest.mark.parametrize("footer", ["Total", "(2 rows affected)", "2 rows, in all", "-- end,of report"])
def test_a_footer_is_listed(footer):
    found = convert(f"{WHOLE}i3,Table,3\ni4,Bed,90,red\n{footer}\n")
    assert found.table["ITEM_ID"].to_pylist() == ["i1", "i2", "i3", "i4"]
    assert [row.row for row in found.bad] == [footer]


def test_a_cell_of_another_kind_speaks_against_a_short_row():
    found = convert(f"{WHOLE}i3,red,Table\n")
    assert [(row.column, row.value) for row in found.bad] == [("PRICE", "Table")]


def test_of_two_columns_the_second_may_be_left_out():
    found = convert("i1,red\ni2\ni3\ni4,blue\n", (ITEMS[0], ITEMS[3]))
    assert found.table["COLOUR"].to_pylist() == ["red", None, None, "blue"]
    assert found.bad == []


def test_short_rows_without_content_are_no_rows():
    found = convert(f"{WHOLE},,\n,\n  ,\ni3,Table,3\n")
    assert found.table["ITEM_ID"].to_pylist() == ["i1", "i2", "i3"]
    assert found.bad == []


def test_the_library_reads_them_alike(tmp_path):
    rows = [f"u{n % 7},i{n % 11},{1_700_000_000 + 60 * n}" + (f",{n % 5},phone" if n % 3 else "") for n in range(60)]
    (tmp_path / "events.csv").write_text("\n".join(["USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DEVICE", *rows]))
    found = read_file(tmp_path / "events.csv", ["USER_ID", "ITEM_ID", "TIMESTAMP"])
    assert found.table.num_rows == 60
    assert found.table["DEVICE"].null_count == 20
    assert found.notes == []
