"""What the preview shows of a column is what the import stores of it, in files that people bring."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from console import storage
from console.ingest import schema as avro
from console.ingest import sniff
from console.ingest.loading import Importer
from console.ingest.mapping import Reading, Source
from console.ingest.schema import Field
from recipes.tables.dialect import CsvFormat

ROWS = 60


@pytest.fixture
def bring(settings, tmp_path):
    """Preview a file and import it as previewed; the preview, the rows and the report."""
    settings.DATA_DIR = tmp_path

    def bring(*contents, schema=None, most=None):
        locations = []
        for number, content in enumerate(contents):
            location = storage.parse_location(f"s3://data/part-{number}")
            with storage.open_write(location) as file:
                file.write(content)
            locations.append(location)
        found = sniff.preview(locations[0])
        used = [column for column in found.columns if column.include][:most]
        fields = [Field(one.name, one.type, one.nullable, one.categorical, one.textual) for one in used]
        sources = {
            one.name: Source(one.source, one.unit, separator=one.separator, decimal=one.decimal, clock=one.clock)
            for one in used
        }
        reading = Reading(found.form, sources)
        parsed = avro.parse(avro.text_of(found.dataset_type, schema or fields), None)
        if schema:
            reading = Reading(CsvFormat())
        folder = tmp_path / "made"
        folder.mkdir()
        importer = Importer(parsed, reading, folder, max_bad_percent=5.0, progress=lambda fraction: None)
        loaded = importer.run(locations)
        rows = [row for part in loaded.segments for row in pq.read_table(part.path).to_pylist()]
        return found, rows, loaded.report

    return bring


def parquet(columns, names):
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names), out)
    return out.getvalue()


EVENTS = [(f"i{n % 7}", f"u{n % 5}", 1_700_000_000 + n, f"cat{n % 3}") for n in range(ROWS)]
TWICE = {
    "text": "item_id,user_id,timestamp,item_id\n" + "".join(f"{i},{u},{t},{c}\n" for i, u, t, c in EVENTS),
    "Parquet": parquet([list(column) for column in zip(*EVENTS, strict=True)], ["item_id", "user_id", "timestamp", "item_id"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", TWICE)
def test_columns_of_one_name_keep_their_own_content(bring, kind):
    content = TWICE[kind]
    found, rows, report = bring(content.encode() if isinstance(content, str) else content)

    shown = {column.name: column.examples for column in found.columns if column.include}
    assert shown["ITEM_ID"] == ["i0", "i1", "i2"]
    assert shown["ITEM_ID_2"] == ["cat0", "cat1", "cat2"]
    assert {row["ITEM_ID_2"] for row in rows} == {"cat0", "cat1", "cat2"}
    assert {row["ITEM_ID"] for row in rows} == {f"i{n}" for n in range(7)}
    assert found.warnings == [
        "The column item_id is there more than once; those behind the first are called item_id (2)."
    ]
    assert report["warnings"] == []


def test_an_import_by_names_says_that_it_takes_the_first(bring):
    content = "ITEM_ID,GENRE,GENRE\n" + "".join(f"i{n},a{n % 3},b{n % 3}\n" for n in range(ROWS))
    fields = [Field("ITEM_ID", "string"), Field("GENRE", "string", nullable=True, categorical=True)]
    _, rows, report = bring(content.encode(), schema=fields)

    assert {row["GENRE"] for row in rows} == {"a0", "a1", "a2"}
    assert report["warnings"] == ["The column GENRE is there more than once; the first is taken."]


def objects(number=ROWS):
    return b"".join(b'{"item_id": %d, "title": "Lamp %d"}\n' % (n, n) for n in range(number))


@pytest.mark.parametrize("line", [b"60", b"null", b'"lamp"', b"[1, 2]", b"61,Lamp 61", b'{"item_id": 60, "tit'])
def test_a_line_that_is_no_object_is_listed(bring, line):
    found, rows, report = bring(objects() + line + b"\n")

    assert len(rows) == ROWS
    assert report["rejected"] == 1
    assert [(bad["line"], bad["rule"]) for bad in report["sample"]] == [(ROWS + 2, "no JSON object")]
    assert found.warnings == ["1 of the 61 rows looked at are no JSON objects."]


@pytest.mark.parametrize("columns", [300, 301, 450])
def test_columns_beyond_the_most_are_left_out_and_rows_read(bring, columns):
    names = ["item_id", "title", *(f"size{n}" for n in range(columns - 2))]
    lines = [names, *([f"i{n}", f"Lamp {n}", *[str(n)] * (columns - 2)] for n in range(ROWS))]
    found, rows, report = bring("\n".join(map(",".join, lines)).encode(), most=100)

    assert len(found.columns) == 300
    assert {len(row) for row in found.rows} == {300}
    assert found.warnings == (
        [f"The file has {columns} columns; the first 300 are shown, the others are left out."] if columns > 300 else []
    )
    assert (len(rows), report["rejected"]) == (ROWS, 0)
    assert rows[-1]["TITLE"] == f"Lamp {ROWS - 1}"


def test_a_mark_of_byte_order_where_a_part_begins_is_no_content(bring):
    header, body = (
        "user_id,item_id,timestamp\n",
        "".join(f"u{n % 5},i{n % 7},{1_700_000_000 + n}\n" for n in range(ROWS)),
    )
    later = body.replace("u", "v").replace("v0", '"v0"')
    _, rows, report = bring(f"{header}{body}\ufeff{body.replace('u', 'w')}".encode(), f"\ufeff\ufeff{later}".encode())

    assert {row["USER_ID"] for row in rows} == {f"{letter}{n}" for letter in "uvw" for n in range(5)}
    assert report["rejected"] == 0


def test_a_mark_of_byte_order_within_json_is_no_content(bring):
    _, rows, report = bring(b"\xef\xbb\xbf" + objects(30) + b"\xef\xbb\xbf" + objects(ROWS)[len(objects(30)) :])

    assert (len(rows), report["rejected"]) == (ROWS, 0)


SCRIPTS = {
    "Russian": "Код;Название;Категория;Цена",
    "Greek": "Κωδικός;Όνομα;Κατηγορία;Τιμή",
    "Chinese": "商品编号;名称;类别;价格",
    "Japanese": "商品コード;商品名;カテゴリ;価格",
    "Korean": "상품코드;상품명;분류;가격",
    "Arabic": "رمز;اسم;فئة;سعر",
    "Hebrew": "קוד;שם;קטגוריה;מחיר",
    "Hindi": "कोड;नाम;श्रेणी;मूल्य",
    "two scripts": "item_id;title;Категория;価格",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_in_any_script_are_columns(bring, script):
    first, second, third, fourth = SCRIPTS[script].split(";")

    def cells(n):
        return {first: f"A{n:03}", second: f"Name {n}", third: ["Schuhe", "Hosen"][n % 2], fourth: f"{n}.50"}

    def part(names, rows, *, header=True):
        lines = [names] * header + [[cells(n)[name] for name in names] for n in rows]
        return "".join(";".join(line) + "\n" for line in lines).encode()

    names = [first, second, third, fourth]
    found, rows, report = bring(
        part(names, range(60)), part(names, range(90, 99), header=False), part(names[::-1], range(60, 90))
    )

    assert [column.source for column in found.columns if column.include] == names
    assert (len(rows), report["rejected"]) == (99, 0)
    name = {column.source: column.name for column in found.columns}
    assert all(re.fullmatch("[A-Z][A-Z0-9_]*[A-Z0-9]", column) for column in name.values())
    assert len(set(name.values())) == 4
    assert {row[name[third]] for row in rows} == {"Schuhe", "Hosen"}
    assert {row[name[fourth]] for row in rows} == {n + 0.5 for n in range(99)}
    assert {row[name[second]] for row in rows} == {f"Name {n}" for n in range(99)}


def test_a_part_that_lacks_a_name_in_another_script_takes_no_other_column(bring):
    rows = [f"i{n};Rot;{n}.5\n" for n in range(ROWS)]
    first = "item_id;색상;가격\n" + "".join(rows)
    second = "item_id;무게;가격\n" + "".join(row.replace("i", "j") for row in rows)
    found, rows, _ = bring(first.encode(), second.encode())

    name = next(column.name for column in found.columns if column.source == "색상")
    assert {row[name] for row in rows if row["ITEM_ID"].startswith("j")} == {None}


def test_a_title_stays_among_many_columns(bring):
    names = ["item_id", "title", *(f"size{n}" for n in range(150))]
    lines = [names, *([f"i{n}", f"Lamp {n}", *[str(n)] * 150] for n in range(ROWS))]
    _, rows, _ = bring("\n".join(map(",".join, lines)).encode())

    assert rows[-1]["TITLE"] == f"Lamp {ROWS - 1}"


def test_a_later_part_in_a_coarser_unit_is_told_and_lies_not_in_1970(bring):
    first = "".join(f"u{n % 9},i{n % 13},{1_700_000_000_000 + n * 60_000}\n" for n in range(ROWS))
    second = "".join(f"u{n % 9},i{n % 13},{1_700_000_000 + n * 60}\n" for n in range(3))
    header = "user,item,time\n"

    _, rows, report = bring((header + first).encode(), (header + second).encode())

    assert min(row["TIMESTAMP"] for row in rows) == 1_700_000_000
    assert report["rejected"] == 3
    assert report["sample"][0]["rule"].endswith("it looks like seconds since 1970")
