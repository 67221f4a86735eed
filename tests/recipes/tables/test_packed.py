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
from tests.recipes.tables.workbooks import workbook

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
