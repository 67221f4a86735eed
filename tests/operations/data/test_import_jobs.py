"""Imports from CreateDatasetImportJob to the dataset's rows, without HTTP."""

from __future__ import annotations

import gzip

import pytest

from console import notices, storage
from console.errors import InvalidInputException, ResourceAlreadyExistsException, ResourceNotFoundException
from console.models import Dataset, DatasetImportJob
from console.operations.data.files import get_dataset_import_report
from console.operations.data.import_jobs import (
    create_dataset_import_job,
    describe_dataset_import_job,
    list_dataset_import_jobs,
)
from tests.factories import ITEMS, events_csv, make_dataset, put_object, rows_of


def test_it_works(account, load):
    arn = make_dataset(account)

    job = load(arn, events_csv(100))

    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert job.report["imported"] == 100
    assert len(rows_of(arn, account)) == 100
    statistics = Dataset.objects.by_arn(account, arn).statistics
    assert (statistics["rows"], statistics["users"], statistics["items"]) == (100, 7, 11)
    assert statistics["first"] == 1_700_000_000
    assert statistics["event_types"] == {"click": 100}


def test_it_describes_and_lists(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(10))

    [summary] = list_dataset_import_jobs(account, dataset_arn=arn)["datasetImportJobs"]
    job = describe_dataset_import_job(account, dataset_import_job_arn=summary["datasetImportJobArn"])[
        "datasetImportJob"
    ]

    assert job["status"] == "ACTIVE"
    assert job["importMode"] == "FULL"
    assert job["dataSource"]["dataLocation"] == "s3://data/first.csv"


def test_full_replaces_and_incremental_adds(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(50))
    old = Dataset.objects.by_arn(account, arn).parts

    load(arn, events_csv(30), "second")
    assert len(rows_of(arn, account)) == 30
    assert not storage.exists(storage.store(old[0]))

    load(arn, events_csv(30, first=20), "third", import_mode="INCREMENTAL")
    assert len(rows_of(arn, account)) == 50
    assert Dataset.objects.by_arn(account, arn).revision == 3
    assert DatasetImportJob.objects.get(name="third").report["duplicates"] == 10


def test_columns_that_the_file_or_the_schema_lacks_are_told(account, load):
    arn = make_dataset(account, "Items", ITEMS)

    job = load(arn, "ITEM_ID,GENERE,YEAR\na,Drama,1990\n")

    told = get_dataset_import_report(account, dataset_import_job_arn=job.arn)["warnings"]
    assert told == [
        "The file lacks these columns of the schema, which are empty: GENRE.",
        "The schema lacks these columns of the file, which are not imported: GENERE.",
    ]
    with notices.collected() as found:
        describe_dataset_import_job(account, dataset_import_job_arn=job.arn)
    assert found == told

    job = load(arn, "ITEM_ID,genre,YEAR\na,Drama,1990\n", "second")
    assert get_dataset_import_report(account, dataset_import_job_arn=job.arn)["warnings"] == []


def test_a_folder_of_folders_is_refused_by_their_names(account):
    arn = make_dataset(account)
    put_object("days/dt=2024-03-01/part-0.csv", events_csv(3))
    put_object("days/dt=2024-03-02/part-0.csv", events_csv(3))

    with pytest.raises(InvalidInputException, match="one of them: dt=2024-03-01/, dt=2024-03-02/"):
        create_dataset_import_job(
            account, job_name="a", dataset_arn=arn, data_source={"dataLocation": "s3://data/days/"}
        )
    with pytest.raises(InvalidInputException, match="There is no object"):
        create_dataset_import_job(account, job_name="a", dataset_arn=arn, data_source={"dataLocation": "s3://data/no/"})


def test_a_row_that_replaces_an_older_one_is_imported(account, load):
    arn = make_dataset(account, "Items", ITEMS)
    load(arn, "ITEM_ID,YEAR,GENRE\na,1990,\nb,1991,Drama\n")

    job = load(arn, "ITEM_ID,YEAR,GENRE\nb,2000,War\nc,2001,War\nc,2002,War\n", "second", import_mode="INCREMENTAL")

    assert [job.report[name] for name in ("rows", "imported", "duplicates")] == [3, 2, 1]
    assert sorted(row["YEAR"] for row in rows_of(arn, account)) == [1990, 2000, 2002]


def test_equal_interactions_count_once(account, load):
    arn = make_dataset(account)

    job = load(arn, events_csv(10) + "u0,i0,click,1700000000\nu0,i0,view,1700000000\n")

    assert (job.report["imported"], job.report["duplicates"]) == (11, 1)


def test_the_last_row_of_an_item_wins(account, load):
    arn = make_dataset(account, "Items", ITEMS)

    load(arn, "ITEM_ID,YEAR,GENRE\na,1990,\nb,1991,Drama\na,1992,War\n")
    load(arn, "ITEM_ID,YEAR,GENRE\nb,2000,Comedy|War\nc,2001,\n", "second", import_mode="INCREMENTAL")

    assert sorted(rows_of(arn, account), key=lambda row: row["ITEM_ID"]) == [
        {"ITEM_ID": "a", "YEAR": 1992, "GENRE": "War"},
        {"ITEM_ID": "b", "YEAR": 2000, "GENRE": "Comedy|War"},
        {"ITEM_ID": "c", "YEAR": 2001, "GENRE": None},
    ]
    assert Dataset.objects.by_arn(account, arn).rows == 3


def test_bad_rows_are_counted_listed_and_left_out(account, load):
    arn = make_dataset(account)
    bad = ["u1,i1,click", "u1,i1,click,soon", ",i1,click,1700000000", "u1,i1,click,1700000000000"]

    job = load(arn, events_csv(200) + "\n".join(bad) + "\n")

    assert (job.status, job.report["imported"], job.report["rejected"]) == ("ACTIVE", 200, 4)
    found = [(row["line"], row["column"], row["value"]) for row in job.report["sample"]]
    assert found == [
        (202, "", "u1,i1,click"),
        (203, "TIMESTAMP", "soon"),
        (204, "USER_ID", ""),
        (205, "TIMESTAMP", "1700000000000"),
    ]
    assert "milliseconds" in job.report["sample"][3]["rule"]
    with storage.open_read(storage.store(job.report["rejects"])) as file:
        assert len(file.read().splitlines()) == 5


def test_too_many_bad_rows_fail_and_leave_the_data(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(50))

    job = load(arn, events_csv(10) + "u,i,click,never\n" * 10, "second")

    assert job.status == "CREATE FAILED"
    assert "10 of 20 rows (50.0 %) break a rule; allowed are 5 %" in job.failure_reason
    assert "line 12" in job.failure_reason
    assert len(rows_of(arn, account)) == 50
    assert (job.report["rejected"], job.imported_rows) == (10, 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("USER_ID,FILM,WHEN\n1,2,3\n", "Input CSV is missing the following columns: [ITEM_ID, EVENT_TYPE, TIMESTAMP]"),
        ("", "is empty"),
        ('[{"USER_ID": 1}]', "Input CSV is missing the following columns: [ITEM_ID, EVENT_TYPE, TIMESTAMP]"),
        ('{"USER_ID": 1', "is not CSV but JSON"),
        ("<html><body>Not found</body></html>", "is not CSV but HTML or XML"),
        (b"PAR1\0\0\0", "looks like Parquet but cannot be read"),
        (b"\x1f\x8b\x08garbage", "cannot be unpacked"),
    ],
)
def test_what_is_no_such_csv_fails_with_a_sentence(account, load, text, reason):
    arn = make_dataset(account)

    job = load(arn, text)

    assert job.status == "CREATE FAILED"
    assert reason in job.failure_reason
    assert job.traceback == ""


def test_a_folder_holds_several_files(account, load):
    arn = make_dataset(account)
    put_object("folder/a.csv", events_csv(10))
    put_object("folder/b.csv", events_csv(10, first=10))
    put_object("folder/deeper/c.csv", events_csv(10, first=20))

    job = load(arn, "s3://data/folder/")

    assert job.report["imported"] == 20


@pytest.mark.parametrize(
    "text", ["", "\n \n", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"], ids=["empty", "blank", "header"]
)
def test_a_full_import_without_rows_is_refused_and_leaves_the_data(account, load, text):
    arn = make_dataset(account)
    load(arn, events_csv(20))

    job = load(arn, text, "second")

    assert job.status == "CREATE FAILED"
    assert "is empty" in job.failure_reason or "There is no row" in job.failure_reason
    assert len(rows_of(arn, account)) == 20


def test_an_incremental_import_without_rows_changes_nothing(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(20))

    job = load(arn, "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n", "second", import_mode="INCREMENTAL")

    assert (job.status, job.report["imported"]) == ("ACTIVE", 0)
    assert len(rows_of(arn, account)) == 20


def test_a_folder_is_read_as_other_systems_leave_it(account, load):
    """Parts without suffix, empty or with a header alone, without header, in another order; and what is no part."""
    arn = make_dataset(account)
    header, *rows = events_csv(40).splitlines()
    put_object("spark/_SUCCESS", "")
    put_object("spark/_metadata", b"PAR1")
    put_object("spark/.part-00000.crc", b"crc\0\1")
    put_object("spark/part-00000.crc", b"crc\0\1")
    put_object("spark/notes.md", "# notes")
    put_object("spark/part-00000", "\n".join([header, *rows[:10]]))
    put_object("spark/part-00001-c000", "")
    put_object("spark/part-00002", header + "\n")
    put_object("spark/part-00003", "\n".join(rows[10:20]))
    put_object("spark/run-17-part-r-00004", gzip.compress("\n".join([header, *rows[20:30]]).encode()))
    order = [3, 0, 2, 1]
    turned = [";".join(line.split(",")[place] for place in order) for line in [header, *rows[30:]]]
    put_object("spark/zz.2024.01", "\n".join(turned))

    job = load(arn, "s3://data/spark/")

    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert (job.report["imported"], job.report["rejected"]) == (40, 0)


def test_optional_cells_that_cannot_be_read_are_empty_counted_and_told(account, load):
    arn = make_dataset(account, "Items", [("ITEM_ID", "string"), ("YEAR", ["null", "int"]), ("GENRE", "string")])

    job = load(arn, "ITEM_ID,YEAR,GENRE\na,unknown,x\nb,1999,y\nc,?,z\n")

    assert [row["YEAR"] for row in rows_of(arn, account)] == [None, 1999, None]
    assert (job.report["imported"], job.report["rejected"]) == (3, 0)
    [cell] = job.report["unread"]
    assert (cell["column"], cell["value"], cell["line"], cell["count"]) == ("YEAR", "unknown", 2, 2)


def test_items_older_than_1970_keep_their_time(account, load):
    arn = make_dataset(account, "Items", [("ITEM_ID", "string"), ("CREATION_TIMESTAMP", "long")])

    job = load(arn, "ITEM_ID,CREATION_TIMESTAMP\na,-1500000000\nb,0\n")

    assert job.report["rejected"] == 0
    assert [row["CREATION_TIMESTAMP"] for row in rows_of(arn, account)] == [-1_500_000_000, 0]


def test_whole_numbers_of_64_bits_are_exact(account, load):
    arn = make_dataset(account, "Items", [("ITEM_ID", "string"), ("SELLER", "long")])
    numbers = [9_148_955_329_465_708_066 + n for n in range(3)] + [-(2**63), 2**63 - 1]

    job = load(arn, "ITEM_ID,SELLER\n" + "".join(f"i{n},{number}\n" for n, number in enumerate(numbers)))

    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert [row["SELLER"] for row in rows_of(arn, account)] == numbers


@pytest.mark.parametrize(
    "url", ["s3://data/nothing.csv", "s3://store/secrets/key", "s3://uploads/000000000003/x.csv", "file:///etc/passwd"]
)
def test_it_rejects_a_location(account, url):
    put_object("000000000003/x.csv", "USER_ID\n", bucket="uploads")
    arn = make_dataset(account)

    with pytest.raises(InvalidInputException) as caught:
        create_dataset_import_job(account, job_name="a", dataset_arn=arn, data_source={"dataLocation": url})

    assert url in str(caught.value)
    assert not DatasetImportJob.objects.exists()


def test_it_rejects_an_incremental_import_without_a_bulk_one(account):
    arn = make_dataset(account)
    url = put_object("a.csv", events_csv(3))

    with pytest.raises(InvalidInputException, match="FULL first"):
        create_dataset_import_job(
            account, job_name="a", dataset_arn=arn, data_source={"dataLocation": url}, import_mode="INCREMENTAL"
        )


def test_it_rejects_a_name_that_is_taken(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(3))

    with pytest.raises(ResourceAlreadyExistsException):
        load(arn, events_csv(3))


def test_charlie_sees_nothing_of_alice(account, other_account, load):
    arn = make_dataset(account)
    load(arn, events_csv(3))

    assert list_dataset_import_jobs(other_account)["datasetImportJobs"] == []
    with pytest.raises(ResourceNotFoundException):
        list_dataset_import_jobs(other_account, dataset_arn=arn)
