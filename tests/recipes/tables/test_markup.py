"""Tables of HTML and of Excel's XML come in as those of spreadsheets; pages without one are refused, and no damage is slow."""

from __future__ import annotations

from html import escape

import pytest

from recipes.tables.files import read_file
from recipes.tables.text import TableError

HEADER = ["USER_ID", "ITEM_ID", "TIMESTAMP", "TITLE"]
ROWS = [[f"u{n % 5}", f"{n % 7:04}", str(1_700_000_000 + n), f"Größe & <{n}>"] for n in range(40)]
CELLS = [HEADER, *ROWS]


def page(rows, before="", after=""):
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<html><head><style>td {{x: 1}}</style></head><body>{before}<table border=1>{body}</table>{after}</body></html>"


def workbook_of_2003(rows):
    body = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{escape(cell)}</Data></Cell>' for cell in row) + "</Row>"
        for row in rows
    )
    return (
        '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        f'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="A"><Table>{body}</Table></Worksheet></Workbook>'
    )


def read(folder, text, encoding="utf-8"):
    path = folder / "orders.xls"
    path.write_bytes(text.encode(encoding))
    return read_file(path, HEADER[:3]).table


KINDS = {
    "a page": page(CELLS),
    "marks in capitals that nothing closes": "<TABLE>" + "".join("<TR><TD>" + "<TD>".join(map(escape, row)) for row in CELLS),
    "a header of its own": page(ROWS).replace("<table border=1>", f"<table><thead><tr><th>{'</th><th>'.join(HEADER)}</th></tr></thead><tbody>"),
    "within a table that arranges the page": f"<table><tr><td>Menu</td><td>{page(CELLS)}</td></tr></table>",
    "beside smaller tables": page(CELLS, "<table><tr><td>Orders</td></tr></table>", "<table><tr><td>40</td><td>rows</td></tr></table>"),
    "with comments, breaks and blanks": page(CELLS).replace("<td>", "<td>\n  <!-- <td>no</td> -->&nbsp;").replace("</td>", "\n</td>"),
    "Excel's XML": workbook_of_2003(CELLS),
    "a title above": page([["Orders of May", "", "", ""], *CELLS]),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("text", KINDS.values(), ids=KINDS)
def test_a_table_is_read(tmp_path, text, encoding):
    table = read(tmp_path, text, encoding)
    assert [list(map(str, row.values())) for row in table.select(HEADER).to_pylist()] == ROWS


def test_cells_that_span_others_keep_the_rest_in_their_columns(tmp_path):
    rows = '<tr><td rowspan=2>u1</td><td>i1</td><td>1700000000</td><td colspan="2">a</td></tr><tr><td>i2</td><td>1700000001</td><td>b</td></tr>'
    names = "".join(f"<th>{name}</th>" for name in [*HEADER, "NOTE"])
    table = read(tmp_path, f"<table><tr>{names}</tr>{rows}</table>")
    assert table.select(HEADER).to_pylist() == [
        {"USER_ID": "u1", "ITEM_ID": "i1", "TIMESTAMP": 1700000000, "TITLE": "a"},
        {"USER_ID": "u1", "ITEM_ID": "i2", "TIMESTAMP": 1700000001, "TITLE": "b"},
    ]


def test_cells_that_name_their_column_leave_out_those_before(tmp_path):
    text = workbook_of_2003(CELLS).replace(
        '<Cell><Data ss:Type="String">Größe &amp; &lt;3&gt;', '<Cell ss:Index="4"><Data>x', 1
    )
    assert read(tmp_path, text)["TITLE"].to_pylist()[3] == "x"


@pytest.mark.parametrize(
    "text",
    ["<html><body>Please sign in</body></html>", "<rss><item><![CDATA[<table><tr><td>x</td></tr></table>]]></item></rss>", "<table></table>"],
)  # fmt: skip
def test_what_has_no_table_is_refused(tmp_path, text):
    with pytest.raises(TableError, match="HTML or XML without a table"):
        read(tmp_path, text)


def test_an_external_entity_is_text(tmp_path):
    text = '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + page(
        [*CELLS, ["u1", "i1", "1700000000", "TITLE"]]
    )
    found = read(tmp_path, text.replace("TITLE</td></tr>\n</table>", "&x;</td></tr></table>"))
    assert found["TITLE"].to_pylist()[-1] == "&x;"


@pytest.mark.parametrize(
    "mark", ["<", "<!--", "<![CDATA[", "<td ", "<table>", "<td rowspan=1000>x", '<td colspan=1000 rowspan="1000">']
)
def test_damage_costs_no_more_than_its_length(tmp_path, mark):
    """A search that began anew at each mark would take hours for a megabyte of them."""
    with pytest.raises(TableError):
        read(tmp_path, page(CELLS[:1]).replace("</table>", mark * (1_000_000 // len(mark))))
