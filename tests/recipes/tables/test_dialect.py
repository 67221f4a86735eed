"""Layouts are found by evidence from the whole sample, and the evidence is told."""

from __future__ import annotations

import pytest

from recipes.tables.dialect import column_key, detect
from recipes.tables.quotes import split_rows

ROWS = [[f"u{n}", f"i{n % 7}", str(1_700_000_000 + n)] for n in range(40)]


def text(delimiter, rows=ROWS, header=("user", "item", "time"), end="\n"):
    lines = [delimiter.join(row) for row in ([header, *rows] if header else rows)]
    return (end.join(lines) + end).encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "::", "\x01", " ", "^"])
@pytest.mark.parametrize("header", [("user", "item", "time"), None], ids=["header", "no header"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_delimiter_is_the_one_that_cuts_regularly(delimiter, header, end):
    found = detect(text(delimiter, header=header, end=end))

    assert found.form.delimiter == delimiter
    assert "Cells are separated by" in found.evidence[0]


def test_decimal_commas_do_not_hide_semicolons():
    rows = [[f"i{n}", f"{n},5", f"{n},25"] for n in range(30)]
    assert detect(text(";", rows)).form.delimiter == ";"


def test_a_few_odd_rows_below_a_title_do_not_hide_them_either():
    rows = [[f"i{n}", f"u{n}", "red", f"{n},5"] + ["more"] * (n % 40 == 9) for n in range(160)]
    found = detect(b"Orders of May\n\n" + text(";", rows, ("item", "user", "title", "value")))
    assert (found.form.delimiter, found.form.skip) == (";", 2)


@pytest.mark.parametrize("share", [0.3, 0.6])
@pytest.mark.parametrize("above", [b"", b"Orders of May\n\n"])
@pytest.mark.parametrize("delimiter", ["|", ";", "\t"])
def test_many_rows_that_leave_out_last_cells_hide_neither_the_delimiter_nor_the_header(share, above, delimiter):
    rows = [[f"u{n}", f"i{n}", "red", *([f"{n},259", "5.25"] if n % 10 >= 10 * share else [])] for n in range(120)]
    rows[9:12] = [[*row, "more"] for row in rows[9:12]]
    found = detect(above + text(delimiter, rows, ("user", "item", "title", "views", "price")), wanted=["USER_ID"])
    assert (found.form.delimiter, found.form.skip) == (delimiter, above.count(b"\n"))
    assert "5 cells or leave out the last of them" in found.evidence[0]


@pytest.mark.parametrize("above", [b"", b"# Report\n#\n"])
def test_decimal_commas_in_nearly_all_rows_do_not_hide_semicolons_where_a_quote_spoils_a_row(above):
    rows = [[f"i{n}", f"u{n}", '"a; b"' if n % 5 == 0 else "red", f"{n},5"] for n in range(48)]
    rows[21][2], rows[22][2] = '"open', '";x red"'
    form = detect(above + text(";", rows, ("item", "user", "title", "value"))).form
    assert (form.delimiter, form.skip) == (";", above.count(b"\n"))


@pytest.mark.parametrize("above", [b"", b"Orders of May\n", b"# Report\n#\n"], ids=["", "a title", "comments"])
def test_escaped_quotes_do_not_hide_the_delimiter_nor_the_header(above):
    titles = ['a \\"quoted\\" word; and \\"best\\" of, x', '27\\"; 30\\"', '\\"']
    rows = [[f'"i{n}"', f'"{titles[n % 3]}"', f'"{n},5"', f'"{n * 7},25"'] for n in range(60)]
    form = detect(above + text(";", rows, ('"item"', '"title"', '"value"', '"price"'))).form
    assert (form.delimiter, form.escape, form.skip) == (";", "\\", above.count(b"\n"))


def test_the_wanted_names_decide_where_rows_are_odd():
    data = b"USER_ID;ITEM_ID;NOTE\n" + b"u;i;a, b, c\nu;i\n" * 10
    assert detect(data, wanted=["USER_ID", "ITEM_ID", "NOTE"]).form.delimiter == ";"


def test_the_line_that_spreadsheets_write_above_is_believed():
    form = detect(b"sep=|\r\n" + text("|")).form
    assert (form.delimiter, form.skip) == ("|", 1)


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        (b"# Report\n# 20240101-20240131\n\n", 3),
        (b"Orders of May\n\n", 2),
        (b"Orders of May,,\n", 1),
        (b"#user,item,time\n", 0),
        (b"", 0),
    ],
)
def test_titles_and_comments_above_the_header_are_no_rows(above, lines):
    assert detect(above + text(",")).form.skip == lines


def test_a_backslash_before_a_last_quote_escapes_none_where_rows_would_be_merged():
    data = (
        b"USER_ID,ITEM_ID,TIMESTAMP,TITLE,EVENT_VALUE,in_stock\n"
        b'u0,i0x,1650018437123,"""",1.3,false\n'
        b'u4,i40x,1651157560123,"open,2.6,true\n'
        b'u6,i42x,1651217907123,"""best"" of ends\\",3.5,true\n'
        b"u2,i47x,1651374711123,0042 x\n"
        b'u3,i48x,1651398011123,",x"\n'
    )
    form = detect(data).form
    assert (form.quote, form.escape) == ('"', "")


def test_a_cell_of_two_lines_holds_no_row_for_beginning_as_the_header_does():
    rows = [[f"u{n}", f"i{n}", "red", "2.5"] for n in range(8)]
    rows[7][2] = '"two\nlines ,x"'
    assert detect(text(",", rows, ("user", "item", "title", "value"))).form.quote == '"'


def test_backslashes_escape_where_nearly_all_quotes_close_so_although_short_rows_seem_whole():
    titles = ['so \\"', '27\\" \\"', "a, b", 'a \\"quoted\\" word a, b', "red"]
    rows = [[f'"u{n % 9}"', f'"i{n}"', f'"{titles[n % 5]}"', '"2.5"', ""] for n in range(100)]
    for row in rows[3::5]:
        row[3:] = [""]
    rows[41] = ["u1", "i41", '"open', "2.5", ""]
    assert detect(text(",", rows, ('"user"', '"item"', '"title"', '"value"', ""))).form.escape == "\\"


INCHES = [[f"i{n}", f'{n}" monitor', "5"] for n in range(50)]
LONE = [[f"i{n}", '"new' if n == 7 else "old", "5"] for n in range(50)]
QUOTED = [[f'"i{n}"', '"a, ""b"""', '"5"'] for n in range(50)]
ENDING = [*QUOTED, ['"i99"', '"folder\\"', '"5"']]
BACKSLASH = [[f'"i{n}"', '"a, \\"b\\", c"', '"5"'] for n in range(50)]
APOSTROPHES = [[f"'i{n}'", "'a, b'", "'5'"] for n in range(50)]


@pytest.mark.parametrize(
    ("rows", "quote", "escape"),
    [
        (ROWS, '"', ""),
        (INCHES, '"', ""),
        (LONE, "", ""),
        (QUOTED, '"', ""),
        (ENDING, '"', ""),
        (BACKSLASH, '"', "\\"),
        (APOSTROPHES, "'", ""),
        ([[f"i{n}", "l'été", "'tis"] for n in range(50)], '"', ""),
    ],
    ids=[
        "none",
        "inches",
        "lone",
        "doubled",
        "ends with a backslash",
        "backslash",
        "apostrophes",
        "apostrophes inside",
    ],
)
def test_quotes_are_told_apart_by_what_closes(rows, quote, escape):
    form = detect(text(",", rows, ("item", "title", "price"))).form
    assert (form.delimiter, form.quote, form.escape) == (",", quote, escape)


def test_what_is_given_is_not_searched_for():
    form = detect(text(";"), {"delimiter": ",", "quote": "", "skip": 2}).form
    assert (form.delimiter, form.quote, form.skip) == (",", "", 2)


@pytest.mark.parametrize("sample", [b"", b"\n\n", b"a", b'"', b"a\nb\n", b",,,\n"])
def test_next_to_nothing_has_a_layout_too(sample):
    assert detect(sample).form.delimiter == ","


@pytest.mark.parametrize("name", ["user_id", "UserID", "user_id:token", " USER ID ", "user-id:token_seq"])
def test_names_are_compared_without_case_punctuation_and_type(name):
    assert column_key(name) == "userid"


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_row_that_is_too_long_makes_no_quotes_content_where_others_leave_out_last_cells(delimiter):
    rows = [[f"u{n}", f"i{n}", str(1_700_000_000 + n), '"say ""hi"""', "2.5"] for n in range(45)]
    for place in (3, 9, 14, 21, 30):
        rows[place] = [*rows[place][:3], f'"{delimiter}x"']  # as wide as others if quotes were content
    rows[12] = [*rows[12], '"more"']
    found = detect(text(delimiter, rows, ("user", "item", "time", "title", "value")))
    assert (found.form.delimiter, found.form.quote) == (delimiter, '"')


ODD_QUOTES = ['"' * number for number in (1, 3, 9, 11)]


@pytest.mark.parametrize("cell", ODD_QUOTES, ids=len)
@pytest.mark.parametrize("every", [2, 5, 7])
@pytest.mark.parametrize("place", [1, 3, 4], ids=["second", "inside", "last"])
@pytest.mark.parametrize("other", ["red", '27"', 'so "', 'a "quoted" word'])
def test_cells_of_quotes_alone_merge_no_rows(cell, every, place, other):
    rows = [[f"u{n % 9}", f"i{n}", str(1_700_000_000 + n), other if n % 4 == 1 else "red", "2.5"] for n in range(60)]
    for row in rows[::every]:
        row[place] = cell
    data = text("\t", rows, ("user", "item", "time", "title", "value"))
    form = detect(data).form
    assert [[part.decode() for part in row.cells] for row in split_rows(data, form.marks)][1:] == rows


@pytest.mark.parametrize("number", [8, 60])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
@pytest.mark.parametrize(
    "title", ['"two\nlines"', '"a, b; c\td"', '"say ""hi"""', '"two\n\nlines, so"', '"a, b\nc, d; e"']
)
@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_quotes_enclose_cells_also_where_most_rows_leave_out_last_cells(number, share, title, delimiter):
    rows = [[f"u{n % 9}", f"i{n}", str(1_700_000_000 + n), "red", "2.5", "12"] for n in range(number)]
    for place, row in enumerate(rows):
        if place % 10 < 10 * share:
            del row[4:]
        elif place % 3 != 1:
            row[3] = title
    data = text(delimiter, rows, ("user", "item", "time", "title", "value", "pieces"))
    form = detect(data, {"delimiter": delimiter}).form
    found = [[part.decode() for part in row.cells] for row in split_rows(data, form.marks)][1:]
    assert [row[:3] for row in found] == [row[:3] for row in rows]


@pytest.mark.parametrize("delimiter", ["|", ",", ";", "\t"])
@pytest.mark.parametrize("place", [3, 30, 57])
def test_one_open_quote_makes_no_content_of_all_that_close(delimiter, place):
    rows = [
        [f'"u{n % 9}"', f'"i{n}"', '"5"', f'"a{delimiter} b"' if n % 4 == 1 else '"red"', '"2.5"'] for n in range(60)
    ]
    for row in rows[1::4]:
        del row[4:]  # as wide as the others if quotes were content
    rows[place][3] = '"open'
    assert detect(text(delimiter, rows, ('"user"', '"item"', '"n"', '"title"', '"value"'))).form.quote == '"'


ENCLOSED = {
    "whole": lambda row: row,
    "no user": lambda row: ["", *row[1:]],
    "no item": lambda row: [row[0], "", *row[2:]],
    "no title": lambda row: [*row[:3], "", row[4]],
    "too long": lambda row: [*row, "more"],
    "too short": lambda row: row[:3],
    "empty": lambda row: [""] * len(row),
}


@pytest.mark.parametrize("change", ENCLOSED.values(), ids=ENCLOSED)
@pytest.mark.parametrize("between", [1, 2, 4])
@pytest.mark.parametrize("delimiter", ["\x01", "\t", ",", "|"])
def test_an_open_quote_swallows_no_row_up_to_one_that_ends_a_cell(change, between, delimiter):
    rows = [[f"u{n % 9}", f"i{n}", str(1_700_000_000 + n), "red", "2.5"] for n in range(50)]
    for row in rows[::6]:
        row[3] = 'best" of a "quoted" word'
    rows[22][3] = '"open'
    rows[23 + between][3] = '27"'
    rows[23] = change(rows[23])
    data = text(delimiter, rows, ("user", "item", "time", "title", "value"))
    form = detect(data).form
    assert [[part.decode() for part in row.cells] for row in split_rows(data, form.marks)][1:] == rows


def test_quoted_cells_that_leave_out_others_are_no_content_for_having_delimiters():
    rows = [[f"i{n}", "red", '"a, b"' if n % 3 else '"say ""hi"""', "2.5"] for n in range(40)]
    rows[5] = ["i5", '"a, b"', '"c"']  # as wide as the others if quotes were content
    assert detect(text(",", rows, ("item", "colour", "title", "value"))).form.quote == '"'


@pytest.mark.parametrize("delimiter", [",", "|", ";"])
@pytest.mark.parametrize("mark", ['"', ""], ids=["all cells quoted", "where needed"])
def test_quotes_are_no_content_where_short_rows_hold_the_delimiters_that_they_lack(mark, delimiter):
    rows = [[f"{mark}{cell}{mark}" for cell in (f"u{n}", f"i{n}", "red", "2.5")] for n in range(8)]
    for number in (2, 5):
        rows[number][2:] = [f'"say \\"hi\\"{delimiter} x"']
    form = detect(text(delimiter, rows, [f"{mark}{name}{mark}" for name in ("user", "item", "title", "value")])).form
    assert (form.quote, form.escape) == ('"', "\\")


def test_a_backslash_that_ends_a_quoted_cell_escapes_no_delimiter_where_fewer_rows_would_be_whole():
    rows = [[f"u{n}", f"i{n}", "red", "2.5"] for n in range(40)]
    for row in rows[::3]:
        row[3:] = []
    rows[7][2], rows[20][2], rows[31][2] = '"a, b ends\\"', '",x 27"', "ends\\"
    assert detect(text(",", rows, ("user", "item", "title", "value"))).form.escape == ""


def test_backslashes_escape_where_all_quotes_close_either_way_and_only_so_all_rows_are_whole():
    rows = [[f'"u{n}"', f'"i{n}"', '"red"', '"2.5"'] for n in range(8)]
    rows[0][2] = '"|x \\" |x"'
    assert detect(text("|", rows, ('"user"', '"item"', '"title"', '"value"'))).form.escape == "\\"
