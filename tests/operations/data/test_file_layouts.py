"""The layouts that files come in: delimiters, encodings, headers, folders of parts, and kinds that name their columns."""

from __future__ import annotations

import gzip
import io
import json
from itertools import combinations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from console.models import DatasetImportJob
from console.operations.data.dataset_groups import create_dataset_group
from console.operations.data.files import (
    create_dataset_from_file,
    get_dataset_import_report,
    preview_data,
)
from console.operations.data.import_jobs import create_dataset_import_job
from recipes.tables.reserved import DATASET_TYPES, REQUIRED
from tests.factories import events_csv, make_dataset, put_object
from tests.operations.data.conftest import TIMES, text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("unit", TIMES)
@pytest.mark.parametrize("wrap", ["plain", "bom", "gzip", "crlf"])
def test_it_reads_any_layout(account, bring, delimiter, unit, wrap):
    content = text(["customer_no", "sku", "when", "stars", "note"], delimiter, unit=unit).encode()
    content = {
        "plain": content,
        "bom": b"\xef\xbb\xbf" + content,
        "gzip": gzip.compress(content),
        "crlf": content.replace(b"\n", b"\r\n"),
    }[wrap]

    job, rows = bring(content)

    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert job.report["rejected"] == 0
    assert len(rows) == 60
    assert 1_699_000_000 < rows[7]["TIMESTAMP"] < 1_701_000_000
    assert (rows[7]["USER_ID"], rows[7]["EVENT_VALUE"], rows[7]["NOTE"]) == ("u0", 3.0, "a, b")


def test_it_reads_a_file_without_header(account, bring):
    content = "".join(f"{n % 40}\t{n % 90}\t{n % 5 + 1}\t{881250949 + n}\n" for n in range(200))

    job, rows = bring(content)

    assert job.status == "ACTIVE"
    assert len(rows) == 200
    assert rows[41] == {"USER_ID": "1", "ITEM_ID": "41", "EVENT_VALUE": 2.0, "TIMESTAMP": 881250990}


def test_it_reads_other_encodings(account, bring):
    content = "sku;title;genre;price\n" + "".join(f"{n};Café {n};Thé|Crème;{n},50\n" for n in range(80))

    latin, rows = bring(content.encode("cp1252"))
    wide, same = bring(content.encode("utf-16"))

    assert latin.dataset.type == "ITEMS"
    assert rows[3] == {"ITEM_ID": "3", "TITLE": "Café 3", "GENRE": "Thé|Crème", "PRICE": 3.5}
    assert same == rows
    assert wide.report["rejected"] == 0


def test_a_plain_import_knows_other_delimiters_too(account, run_jobs):
    arn = make_dataset(account)
    url = put_object("semicolons.csv", events_csv(20).replace(",", ";"))
    create_dataset_import_job(account, job_name="a", dataset_arn=arn, data_source={"dataLocation": url})
    run_jobs()

    assert DatasetImportJob.objects.get(name="a").report["imported"] == 20


@pytest.mark.parametrize(
    ("rows", "has_header"),
    [
        ([f"u{n},i{n % 7},{1_700_000_000 + n},\\N" for n in range(30)], False),
        ([f'"{n}","Film ""x"" {n}",\\N,"Drama"' for n in range(30)], False),
        ([f"{n},Film {n} (1995),01-Jan-1995,,{n % 2}" for n in range(30)], False),
        (["user,item,time", *(f"u{n},i{n},{1_700_000_000 + n}" for n in range(30))], True),
        ([",user,item", *(f"{n},u{n},i{n}" for n in range(30))], True),
        (["Kunde,Artikel", *(f"a{n}b,x{n}" for n in range(30))], True),
        (["colour,size", *(f"red{'ish' * (n % 2)},big" for n in range(30))], True),
    ],
    ids=["mark of nothing", "numbers", "shapes", "words above numbers", "index", "words above codes", "words"],
)
def test_a_first_row_is_a_header_only_if_it_is_unlike_the_others(account, rows, has_header):
    found = preview_data(account, data_location=put_object("file.csv", "\n".join(rows) + "\n"))

    assert found["format"]["header"] is has_header
    assert found["estimatedRows"] == 30


def parquet(columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "json lines", "folder of parquet"])
def test_files_that_name_their_columns_are_read(account, bring, kind):
    events = {
        "user": [f"u{n % 7}" for n in range(60)],
        "item": [f"i{n % 11}" for n in range(60)],
        "time": [1_700_000_000 + n for n in range(60)],
    }
    content = parquet(events)
    if kind == "json lines":
        content = "".join(
            json.dumps(dict(zip(events, row, strict=True))) + "\n" for row in zip(*events.values(), strict=True)
        )
    if kind == "folder of parquet":
        put_object("hive/_SUCCESS", "")
        for part in range(3):
            rows = {name: values[part * 20 : part * 20 + 20] for name, values in events.items()}
            put_object(f"hive/part-0000{part}.snappy.parquet", parquet(rows))
        content = "s3://data/hive/"

    job, rows = bring(content)

    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert (job.report["imported"], job.report["rejected"]) == (60, 0)
    assert rows[1] == {"USER_ID": "u1", "ITEM_ID": "i1", "TIMESTAMP": 1_700_000_001}


def test_a_folder_may_begin_with_parts_without_rows(account):
    put_object("parts/a.csv", b"user,item,time\n")
    put_object("parts/b.csv", b"")
    put_object("parts/manifest", b'{"entries": []}')
    put_object(
        "parts/c.csv", "user,item,time\n" + "".join(f"u{n % 5},i{n % 7},{1_700_000_000 + n}\n" for n in range(50))
    )
    found = preview_data(account, data_location="s3://data/parts/")
    assert found["files"] == 3
    assert {column["name"] for column in found["columns"]} == {"USER_ID", "ITEM_ID", "TIMESTAMP"}


def test_parts_may_have_delimiters_of_their_own(account, run_jobs):
    group = create_dataset_group(account, name="parts")["datasetGroupArn"]
    rows = ["user,item,time", *(f"u{n % 5},i{n % 7},{1_700_000_000 + n}" for n in range(50))]
    put_object("mixed/a.csv", "\n".join(rows))
    put_object("mixed/b.csv", "\n".join(rows).replace(",", ";"))
    job = create_dataset_from_file(account, dataset_group_arn=group, data_location="s3://data/mixed/")
    run_jobs()
    report = get_dataset_import_report(account, dataset_import_job_arn=job["datasetImportJobArn"])
    assert (report["rows"], report["rejectedRows"]) == (100, 0)


COLUMNS = {
    "USER_ID": lambda n: f"u{n % 7}",
    "ITEM_ID": lambda n: f"i{n % 11}",
    "ACTION_ID": lambda n: f"a{n % 3}",
    "EVENT_TYPE": lambda n: ("view", "buy")[n % 2],
    "TIMESTAMP": lambda n: str(1_700_000_000 + n),
    "Produktname": lambda n: f"Nice thing {n}",
    "code": lambda n: f"c{n}",
    "price": lambda n: f"{n}.5",
}


@pytest.mark.parametrize("domain", [None, "ECOMMERCE"])
@pytest.mark.parametrize("kind", DATASET_TYPES)
def test_a_file_of_any_kind_is_looked_at_as_any_other(account, kind, domain):
    shapes = [tuple(REQUIRED[other]) for other in DATASET_TYPES]
    for header in [*shapes, *combinations(COLUMNS, 1), ("code", "Produktname"), ("price", "code", "TIMESTAMP")]:
        rows = [",".join(COLUMNS[name](n) for name in header) for n in range(30)]

        for content in ("\n".join([",".join(header), *rows]), ",".join(header), "\n".join(rows)):
            members = {"dataset_type": kind} | ({"domain": domain} if domain else {})
            found = preview_data(account, data_location=put_object("file.csv", f"{content}\n"), **members)

            assert found["datasetType"] == kind, (kind, header)
