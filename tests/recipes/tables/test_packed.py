"""Compressed files, archives and workbooks are read as the table they hold, or refused with what is wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from recipes.tables.files import read_file
from recipes.tables.text import TableError
from tests.recipes.tables.workbooks import OLD_WORKBOOK, opendocument, opendocument_cell, workbook

REQUIRED = ("USER_ID", "ITEM_ID", "TIMESTAMP")
HEADER = "USER_ID,ITEM_ID,TIMESTAMP\n"
ROWS = [f"u{n % 5},i{n % 7},{1_700_000_000 + n}\n" for n in range(60)]
TEXT = (HEADER + "".join(ROWS)).encode()


def zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def read(folder, content, required=REQUIRED):
    path = folder / "file"
    path.write_bytes(content)
    return read_file(path, required).table


MANY = opendocument_cell("x", 't:number-columns-repeated="999999"')
BOMB = opendocument(f'<t:table-row t:number-rows-repeated="9999999">{MANY}</t:table-row>')
HALVES = {"a.csv": HEADER + "".join(ROWS[:30]).rstrip(), "b.csv": HEADER + "".join(ROWS[30:])}


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT),
        gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]),
        gzip.compress(gzip.compress(TEXT)),
        bz2.compress(TEXT),
        lzma.compress(TEXT),
        pa.compress(TEXT, "zstd", asbytes=True),
        zipped(**{"events.csv": TEXT}),
        zipped(**{"export__events.csv": TEXT, "export__readme.txt": "Hello", "__MACOSX__._events.csv": b"\0\1"}),
        zipped(**HALVES),
        zipped(**{"events.csv.gz": gzip.compress(TEXT)}),
    ],
    ids=["gzip", "members", "twice", "bzip2", "xz", "zstd", "zip", "zip-of-a-folder", "zip-of-parts", "gzip-in-zip"],
)
def test_what_is_packed_is_read(tmp_path, content):
    table = read(tmp_path, content)
    assert table.num_rows == 60
    assert table.slice(0, 1).to_pylist() == [{"USER_ID": "u0", "ITEM_ID": "i0", "TIMESTAMP": 1_700_000_000}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            zipped(**{"ratings.csv": TEXT, "movies.csv": "ITEM_ID,TITLE\n1,x\n"}),
            "several tables, movies.csv, ratings.csv",
        ),
        (zipped(**{"readme.txt": "Hello"}), "without a table"),
        (zipped(**{"events.csv": TEXT})[:200], "looks like ZIP but cannot be unpacked"),
        (bz2.compress(TEXT)[:100], "looks like bzip2 but cannot be unpacked"),
        (lzma.compress(TEXT)[:100], "looks like xz but cannot be unpacked"),
        (pa.compress(TEXT, "zstd", asbytes=True)[:100], "looks like Zstandard but cannot be unpacked"),
        (workbook([]), "workbook without any rows"),
        (workbook([["a"]], document_type=True), "has a document type"),
        (opendocument(""), "spreadsheet without any rows"),
        (opendocument("", head="<!DOCTYPE x>"), "has a document type"),
        (opendocument("", mime="application/vnd.oasis.opendocument.text"), "is a document and no table"),
        (BOMB, "a row of 16,384 cells is repeated 1,048,576 times"),
        (OLD_WORKBOOK[:3000], "looks like an old Excel workbook but cannot be read"),
        (OLD_WORKBOOK[:512] + "EncryptedPackage".encode("utf-16-le"), "is a workbook with a password"),
        (zipped(**{"xl__workbook.bin": b"x"}), "binary Excel workbook .*; save it as .xlsx or CSV"),
        (zipped(**{"Index__Document.iwa": b"x"}), "Numbers; export it as Excel or CSV"),
    ],
)
def test_what_cannot_be_unpacked_is_told(tmp_path, content, words):
    with pytest.raises(TableError, match=words):
        read(tmp_path, content)


def test_a_workbook_is_read_as_it_looks(tmp_path):
    rows = [["Orders of May"], ["customer", "product", "date", "zip", "price", "new"]]
    rows += [[f"c{n % 5}", 1000 + n % 7, ("date", 45_000 + n + 0.5), ("zip", n), 0.1 + 0.2, True] for n in range(60)]
    table = read(tmp_path, workbook(rows))
    assert table.num_rows == 60
    assert table.slice(1, 1).to_pylist() == [
        {"USER_ID": "c1", "ITEM_ID": "1001", "TIMESTAMP": (45_001 - 25_569) * 86_400 + 43_200, "zip": "00001", "price": 0.3, "new": True}
    ]  # fmt: skip


@pytest.mark.parametrize("shared", [True, False])
def test_gaps_in_a_workbook_stay_gaps(tmp_path, shared):
    rows = [["ITEM_ID", "TITLE", "GENRE"], *([f"i{n}", None, "Drama"] for n in range(20))]
    found = read(tmp_path, workbook(rows, shared=shared), ["ITEM_ID"]).to_pylist()
    assert found[3] == {"ITEM_ID": "i3", "TITLE": None, "GENRE": "Drama"}


def test_a_workbook_of_before_2007_is_read_as_it_looks(tmp_path):
    table = read(tmp_path, OLD_WORKBOOK)
    assert table.num_rows == 20
    assert table.slice(1, 1).to_pylist() == [
        {"USER_ID": "c1", "ITEM_ID": "1001", "TIMESTAMP": 1_678_968_000, "zip": "00001", "price": 0.3, "new": True}
    ]


def test_a_spreadsheet_of_libre_office_is_read_as_it_looks(tmp_path):
    header = "".join(map(opendocument_cell, ["user", "item", "date", "note", "pieces", "new"]))
    rows = f"<t:table-row>{opendocument_cell('Orders of May')}</t:table-row><t:table-header-rows><t:table-row>{header}</t:table-row></t:table-header-rows>"
    for n in range(30):
        cells = [f"c{n % 5}", f"i{n % 7}", f"2023-03-{n + 1:02}T12:00:00", None, n, True]
        rows += f"<t:table-row>{''.join(map(opendocument_cell, cells))}{opendocument_cell(None, EMPTY)}</t:table-row>"
    note = '<t:table-cell o:value-type="string"><o:annotation><x:p>no</x:p></o:annotation><x:p>two<x:s x:c="2"/>blanks</x:p></t:table-cell>'
    last = "".join(map(opendocument_cell, ["c9", "i9", "2023-04-01"])) + note + opendocument_cell(7) * 2
    table = read(tmp_path, opendocument(f"{rows}<t:table-row>{last}</t:table-row>"))
    assert table.num_rows == 31
    assert table.slice(1, 1).to_pylist()[0] | {"new": True} == {
        "USER_ID": "c1", "ITEM_ID": "i1", "TIMESTAMP": 1_677_758_400, "note": None, "pieces": 1, "new": True
    }  # fmt: skip
    assert table.slice(30, 1).to_pylist()[0]["note"] == "two  blanks"


EMPTY = 't:number-columns-repeated="16378"'


def test_repeated_cells_and_rows_are_as_many_as_are_shown(tmp_path):
    rows = f"<t:table-row>{opendocument_cell('ITEM_ID')}{opendocument_cell('GENRE')}{opendocument_cell('MORE')}</t:table-row>"
    for n in range(20):
        cells = opendocument_cell(f"i{n}") + opendocument_cell("Drama", 't:number-columns-repeated="2"')
        rows += f"<t:table-row>{cells}</t:table-row>"
    cells = "".join(map(opendocument_cell, ["again", "Comedy", "x"]))
    rows += f'<t:table-row t:number-rows-repeated="3">{cells}</t:table-row>'
    found = read(tmp_path, opendocument(rows), ["ITEM_ID"]).to_pylist()
    assert found[3] == {"ITEM_ID": "i3", "GENRE": "Drama", "MORE": "Drama"}
    assert [row["ITEM_ID"] for row in found[20:]] == ["again"] * 3
