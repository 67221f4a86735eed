"""Exports: which rows come out, as CSV that can be imported again."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console import storage
from console.errors import InvalidInputException
from console.ingest import schema as avro
from console.ingest.mapping import Reading
from console.ingest.reading import open_table
from console.models import Dataset, DatasetExportJob, Event, Record
from console.operations.data.export_jobs import (
    create_dataset_export_job,
    describe_dataset_export_job,
    list_dataset_export_jobs,
)
from console.runners import exporting
from recipes.tables.field import Field
from recipes.tables.text import TextStream
from tests.factories import ITEMS, events_csv, make_dataset

ROLE = "arn:aws:iam::000000000001:role/Personalize"


@pytest.fixture
def export(account, run_jobs):
    """Export a dataset and return the lines of all files."""

    def export(arn, mode=None, name="out"):
        members = {"ingestion_mode": mode} if mode else {}
        create_dataset_export_job(
            account,
            job_name=name,
            dataset_arn=arn,
            role_arn=ROLE,
            job_output={"s3DataDestination": {"path": f"s3://data/{name}/"}},
            **members,
        )
        run_jobs()
        lines = []
        for location in storage.list_objects(storage.Location("data", f"{name}/")):
            with storage.open_read(location) as file:
                lines += file.read().decode().splitlines()
        return lines

    return export


def stream(account, arn):
    group = Dataset.objects.by_arn(account, arn).dataset_group
    for number, item in enumerate(["i0", "live"]):  # the first is a bulk row again
        Event.objects.create(
            dataset_group=group, event_id=str(number), user_id="u0", session_id="s", item_id=item, event_type="click",
            timestamp=1_700_000_000,
        )  # fmt: skip


@pytest.mark.parametrize(("mode", "rows"), [("BULK", 20), (None, 2), ("PUT", 2), ("ALL", 21)])
def test_interactions_come_out_once(account, load, export, mode, rows):
    arn = make_dataset(account)
    load(arn, events_csv(20))
    stream(account, arn)

    lines = export(arn, mode)

    assert lines[0] == "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"
    assert len(lines) == rows + 1
    assert DatasetExportJob.objects.get().status == "ACTIVE"


def test_the_newest_record_of_an_item_counts(account, load, export):
    arn = make_dataset(account, "Items", ITEMS)
    load(arn, 'ITEM_ID,YEAR,GENRE\na,1990,"War, Drama"\nb,1991,\n')
    Record.objects.create(dataset=Dataset.objects.by_arn(account, arn), entity_id="b", values={"YEAR": 2000})

    lines = export(arn, "ALL")

    assert list(csv.reader(lines)) == [["ITEM_ID", "YEAR", "GENRE"], ["a", "1990", "War, Drama"], ["b", "2000", ""]]


PIECES = st.sampled_from(
    ["a", '"', "'", ",", "\n", "\r", "\r\n", "\\", '\\"', " ", "é", "|", ";", "\t", "::", "#", "sep=;", "0", "''"]
)
EXPORTED = avro.parse(
    avro.text_of("ITEMS", [Field("ITEM_ID", "string"), Field("TITLE", "string", nullable=True), Field("N", "long")])
)


@settings(max_examples=150, deadline=None)
@example(["''"])
@example(["'a'", "b"])
@given(st.lists(st.lists(PIECES, max_size=5).map("".join), min_size=1, max_size=12))
def test_what_is_exported_is_imported_as_it_was(titles):
    columns = [[f"i{n}" for n in range(len(titles))], titles, [2**62 + n for n in range(len(titles))]]
    file = io.BytesIO()
    file.write(b"ITEM_ID,TITLE,N\n")
    exporting._write(pa.table(columns, schema=EXPORTED.arrow()), file)
    file.seek(0)

    table = open_table(TextStream("export", file), EXPORTED, Reading())
    found = [table.reader.convert(block) for block in table.blocks]

    assert [row for part in found for row in part.bad + part.unread] == []
    rows = [tuple(row.values()) for part in found for row in part.table.to_pylist()]
    assert rows == [(item, title or None, number) for item, title, number in zip(*columns, strict=True)]


def test_values_that_the_column_cannot_hold_any_more_come_out_empty(account, export):
    """They were kept before the dataset, or while its column was of another type."""
    arn = make_dataset(account, "Items", ITEMS)
    dataset = Dataset.objects.by_arn(account, arn)
    for number, year in enumerate([2**70, "many", 1.5, True, "1999", 7.0]):
        Record.objects.create(dataset=dataset, entity_id=f"i{number}", values={"YEAR": year})

    lines = export(arn, "ALL")

    assert [line.split(",")[1] for line in lines[1:]] == ["", "", "", "", "1999", "7"]


def test_an_empty_dataset_gives_a_header(account, export):
    assert export(make_dataset(account), "ALL") == ["USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP"]


def test_it_describes_and_lists(account, export):
    arn = make_dataset(account)
    export(arn)

    [summary] = list_dataset_export_jobs(account, dataset_arn=arn)["datasetExportJobs"]
    job = describe_dataset_export_job(account, dataset_export_job_arn=summary["datasetExportJobArn"])[
        "datasetExportJob"
    ]

    assert (job["ingestionMode"], job["roleArn"]) == ("PUT", ROLE)
    assert job["jobOutput"] == {"s3DataDestination": {"path": "s3://data/out/"}}


def test_it_rejects_the_store(account):
    arn = make_dataset(account)

    with pytest.raises(InvalidInputException, match="server's own"):
        create_dataset_export_job(
            account,
            job_name="a",
            dataset_arn=arn,
            role_arn=ROLE,
            job_output={"s3DataDestination": {"path": "s3://store/x/"}},
        )
