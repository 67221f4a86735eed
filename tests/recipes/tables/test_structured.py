"""Parquet, ORC, Arrow and JSON are read as any other file; what is broken in them is listed, too."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, orc

from recipes.tables.files import read_file
from recipes.tables.text import TableError

REQUIRED = ("USER_ID", "ITEM_ID", "TIMESTAMP")
EVENTS = [{"user_id": f"u{n % 5}", "item_id": f'i{n % 7}, "x"', "timestamp": 1_700_000_000 + n} for n in range(60)]


def parquet(table, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def orc_file(table):
    out = io.BytesIO()
    orc.write_table(table, out)
    return out.getvalue()


def arrow_file(table):
    out = io.BytesIO()
    feather.write_feather(table, out)
    return out.getvalue()


def avro_file(rows, codec="null", fields=("user_id", "item_id", "timestamp")):
    kinds = {"timestamp": "long"}
    record = {
        "name": "Event",
        "type": "record",
        "fields": [{"name": f, "type": kinds.get(f, "string")} for f in fields],
    }
    out = io.BytesIO()
    fastavro.writer(out, record, rows, codec=codec)
    return out.getvalue()


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read(folder, content, required=REQUIRED):
    path = folder / "file"
    path.write_bytes(content)
    return read_file(path, required)


@pytest.mark.parametrize(
    "content",
    [
        lines(EVENTS),
        b"\xef\xbb\xbf" + lines(EVENTS),
        gzip.compress(lines(EVENTS)),
        lines(EVENTS).replace(b"\n", b"\r\n\r\n"),
        parquet(pa.Table.from_pylist(EVENTS)),
        parquet(pa.Table.from_pylist(EVENTS), row_group_size=7, use_dictionary=False),
        orc_file(pa.Table.from_pylist(EVENTS)),
        arrow_file(pa.Table.from_pylist(EVENTS)),
        json.dumps(EVENTS).encode(),
        json.dumps(EVENTS, indent=2).encode(),
        json.dumps({"events": EVENTS, "next": None}).encode(),
        "".join(map(json.dumps, EVENTS)).encode(),
        "".join(json.dumps(row, indent=1) for row in EVENTS).encode(),
        lines(EVENTS).decode().encode("utf-16"),
        lines(EVENTS).decode().encode("utf-16-be"),
        json.dumps(EVENTS).encode("utf-16-le"),
        gzip.compress(lines(EVENTS).decode().encode("utf-16")),
        json.dumps(
            {"took": 3, "hits": {"total": 60, "hits": [{"_id": f"d{n}", "_source": e} for n, e in enumerate(EVENTS)]}}
        ).encode(),
        json.dumps({"hits": {"hits": [{"_source": event} for event in EVENTS]}}, indent=2).encode(),
        json.dumps({"columns": [*EVENTS[0]], "index": [*range(60)], "data": [[*e.values()] for e in EVENTS]}).encode(),
        json.dumps({"columns": [*EVENTS[0]], "data": [[*e.values()] for e in EVENTS]}, indent=1).encode(),
        json.dumps({"count": 60, "next": None, "results": EVENTS}).encode(),
        json.dumps({"schema": {"fields": [{"name": "user_id"}]}, "data": EVENTS}, indent=1).encode(),
        avro_file(EVENTS),
        avro_file(EVENTS, "snappy"),
        avro_file(EVENTS, "zstandard"),
    ],
    ids=[
        "lines",
        "bom",
        "gzip",
        "blank-lines",
        "parquet",
        "row-groups",
        "orc",
        "arrow",
        "array",
        "indented",
        "wrapped",
        "joined",
        "several-lines",
        "utf-16",
        "utf-16-be",
        "utf-16 without mark",
        "gzipped utf-16",
        "Elasticsearch",
        "Elasticsearch, indented",
        "pandas split",
        "pandas split, indented",
        "a page of a service",
        "pandas table",
        "avro",
        "avro-snappy",
        "avro-zstandard",
    ],
)
def test_events_are_read(tmp_path, content):
    found = read(tmp_path, content).table.select(list(REQUIRED)).to_pylist()

    assert [tuple(row.values()) for row in found] == [tuple(row.values()) for row in EVENTS]


def test_an_index_that_names_rows_is_a_column(tmp_path):
    content = {"columns": ["title"], "index": ["a", "b"], "data": [["Lamp"], ["Vase"]]}

    rows = read(tmp_path, json.dumps(content).encode(), ["ITEM_ID"]).table.to_pylist()

    assert [row["ITEM_ID"] for row in rows] == ["a", "b"]


@pytest.mark.parametrize("key", ["user_id", "userId", "customer", "ITEM_ID"])
def test_a_row_that_holds_objects_stays_one(tmp_path, key):
    row = {key: "a", "title": "Lamp", "data": [{"size": 1}, {"size": 2}]}

    rows = read(tmp_path, json.dumps(row).encode(), []).table.to_pylist()

    assert [next(iter(row.values())) for row in rows] == ["a"]


def test_every_type_of_parquet_has_a_text(tmp_path):
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    columns = {
        "ITEM_ID": pa.array(["007", "a", "b"]),
        "GENRES": pa.array([["War", "Drama"], [], None]),
        "PRICE": pa.array([Decimal("1.50"), Decimal("2.00"), None]),
        "RATING": pa.array([0.5, float("nan"), None]),
        "NEW": pa.array([True, False, None]),
        "CREATION_TIMESTAMP": pa.array([moment, moment, None]),
        "BRAND": pa.array(["x", "y", None]).dictionary_encode(),
        "MORE": pa.array([{"a": 1}, {"a": 2}, None]),
    }

    rows = read(tmp_path, parquet(pa.table(columns)), ["ITEM_ID"]).table.to_pylist()

    assert rows[0] == {
        "ITEM_ID": "007", "GENRES": "War|Drama", "PRICE": 1.5, "RATING": 0.5, "NEW": True,
        "CREATION_TIMESTAMP": int(moment.timestamp()), "BRAND": "x", "MORE.a": 1,
    }  # fmt: skip
    assert set(rows[2].values()) == {"b", None}


def test_lines_may_differ_and_broken_ones_are_listed(tmp_path):
    content = lines([*EVENTS, {"timestamp": 1_700_000_100, "item_id": 5, "user_id": 6, "tags": ["a", "b"]}])

    found = read(tmp_path, content + b'{"user_id": "u", "item\nnull\n')

    assert found.table.num_rows == 61
    assert list(found.table.to_pylist()[-1].values())[:4] == ["6", "5", 1_700_000_100, "a|b"]
    assert "2 of 63 rows are left out" in found.notes[0]


@pytest.mark.parametrize(
    ("whole", "kind"), [(parquet(pa.Table.from_pylist(EVENTS)), "Parquet"), (avro_file(EVENTS, "deflate"), "Avro")]
)
def test_damage_is_told(tmp_path, whole, kind):
    with pytest.raises(TableError, match=f"looks like {kind} but cannot be read"):
        read(tmp_path, whole[: len(whole) // 2])


def test_every_type_of_avro_has_a_text(tmp_path):
    moment = datetime(2024, 1, 31, 12, tzinfo=UTC)
    price = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 4}
    types = {
        "ITEM_ID": {"type": "fixed", "name": "Key", "size": 16},
        "GENRES": {"type": "array", "items": "string"},
        "PRICE": ["null", price],
        "RATING": "double",
        "CREATION_TIMESTAMP": {"type": "long", "logicalType": "timestamp-millis"},
        "BRAND": {"type": "enum", "name": "Brand", "symbols": ["x", "y"]},
        "MORE": ["null", {"type": "record", "name": "More", "fields": [{"name": "a", "type": "int"}]}],
    }
    record = {"name": "Item", "type": "record", "fields": [{"name": n, "type": t} for n, t in types.items()]}
    item = {"ITEM_ID": b"0123456789abcde1", "GENRES": ["War", "Drama"], "PRICE": Decimal("1.5"), "RATING": 0.5,
            "CREATION_TIMESTAMP": moment, "BRAND": "x", "MORE": {"a": 1}}  # fmt: skip
    empty = item | {"ITEM_ID": b"0123456789abcde2", "PRICE": None, "MORE": None, "GENRES": []}
    out = io.BytesIO()
    fastavro.writer(out, record, [item, empty])

    rows = read(tmp_path, out.getvalue(), ["ITEM_ID"]).table.to_pylist()

    assert rows[0] == {
        "ITEM_ID": "0123456789abcde1", "GENRES": "War|Drama", "PRICE": 1.5, "RATING": 0.5,
        "CREATION_TIMESTAMP": int(moment.timestamp()), "BRAND": "x", "MORE.a": 1,
    }  # fmt: skip
    assert [rows[1][name] for name in ("GENRES", "PRICE", "MORE.a")] == [None, None, None]


def test_an_avro_file_of_other_things_than_records_is_refused(tmp_path):
    out = io.BytesIO()
    fastavro.writer(out, {"type": "string"}, ["a", "b"])
    with pytest.raises(TableError, match="an Avro file whose entries are no records"):
        read(tmp_path, out.getvalue())


def test_objects_within_rows_are_columns(tmp_path):
    rows = [
        {
            "user": {"id": f"u{n % 5}"},
            "properties": {"product_id": f"i{n % 7}"},
            "at": {"$date": f"2024-01-{n % 28 + 1:02}"},
        }
        for n in range(60)
    ]

    for content in (lines(rows), json.dumps(rows).encode()):
        found = read(tmp_path, content).table.to_pylist()[0]
        assert found == {"USER_ID": "u0", "ITEM_ID": "i0", "TIMESTAMP": 1_704_067_200}


def test_an_array_that_breaks_off_is_refused(tmp_path):
    with pytest.raises(TableError, match="looks like JSON but cannot be read: its 60th object"):
        read(tmp_path, json.dumps(EVENTS).encode()[:-5])
