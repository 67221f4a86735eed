"""A file of any kind: looked at, turned into a schema, a dataset and rows, and reported on."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

import pytest

from console import storage
from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Dataset, DatasetImportJob
from console.operations.data.dataset_groups import create_dataset_group
from console.operations.data.files import (
    create_dataset_from_file,
    get_dataset_import_report,
    preview_data,
    rejects_location,
)
from tests.factories import put_object
from tests.operations.data.conftest import names, text


def test_it_works(account, bring):
    url = put_object("ratings.csv", text(["userId", "movieId", "timestamp", "rating", "note"]))

    found = preview_data(account, data_location=url)
    job, rows = bring(url)

    assert found["datasetType"] == "INTERACTIONS"
    assert names(found) == {
        "userId": "USER_ID", "movieId": "ITEM_ID", "timestamp": "TIMESTAMP", "rating": "EVENT_VALUE", "note": "NOTE",
    }  # fmt: skip
    assert (found["estimatedRows"], len(found["rows"])) == (60, 50)
    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert rows[0] == {
        "USER_ID": "u0", "ITEM_ID": "i0", "TIMESTAMP": 1_700_000_000, "EVENT_VALUE": 1.0, "NOTE": "a, b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stars", "suggested", "guessed", "answer", "answered"),
    [
        ("2,5", ",", 7.286, ".", 7286),
        ("2.5", ".", 7286, ",", 7.286),
        ("2", ".", 7286, ",", 7.286),
    ],
)
def test_a_number_that_may_be_a_thousand_is_read_as_the_file_has_it_and_asked(
    account, bring, stars, suggested, guessed, answer, answered
):
    rows = [f"u{n % 7};i{n};{1_700_000_000 + n};{stars};{7 + n % 3},286" for n in range(60)]
    content = "\n".join(["userId;movieId;timestamp;rating;weight", *rows])
    found = preview_data(account, data_location=put_object("file.csv", content))
    [question] = found["questions"]
    assert (question["column"], question["member"], question["suggested"]) == ("weight", "decimal", suggested)
    assert bring(content)[1][0]["WEIGHT"] == pytest.approx(guessed)
    told = [{"source": source, "name": name} for source, name in names(found).items() if source != "weight"] + [
        {"source": "weight", "name": "MASS", "decimal": answer}
    ]
    put_object("file.csv", "")
    Dataset.objects.all().delete()
    assert bring(content, columns=told)[1][0]["MASS"] == pytest.approx(answered)


def test_dates_of_which_day_and_month_are_one_number_are_asked_of_nobody(account, bring):
    dates = [f"{day:02}/{day:02}/2024" for day in (3, 5, 11)]
    rows = [f"u{n % 7},i{n},{dates[n % 3]}" for n in range(60)]
    job, found = bring("\n".join(["userId,movieId,timestamp", *rows]))
    assert (job.status, len(found)) == ("ACTIVE", 60)
    assert found[0]["TIMESTAMP"] == datetime(2024, 3, 3, tzinfo=UTC).timestamp()
    with pytest.raises(InvalidInputException, match="which comes first, the day or the month"):
        bring("\n".join(["userId,movieId,timestamp", *rows, "u1,i99,04/05/2024"]))


IDS = [{"source": "user", "name": "USER_ID"}, {"source": "item", "name": "ITEM_ID"}]


def test_each_guess_can_be_changed(account, bring):
    columns = [
        {"source": "userId", "name": "ITEM_ID"},
        {"source": "movieId", "name": "USER_ID"},
        {"source": "timestamp", "name": "TIMESTAMP", "timestampUnit": "s"},
        {"constant": "watch", "name": "EVENT_TYPE"},
        {"source": "rating", "name": "STARS", "type": "string", "categorical": True, "nullable": True},
    ]

    job, rows = bring(text(["userId", "movieId", "timestamp", "rating", "note"]), columns=columns)

    assert job.status == "ACTIVE"
    assert rows[1] == {
        "ITEM_ID": "u1", "USER_ID": "i1", "TIMESTAMP": 1_700_000_001, "EVENT_TYPE": "watch", "STARS": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("constant", "second"),
    [
        ("2024-01-01", 1_704_067_200),
        ("31.12.2023 10:00", 1_704_016_800),
        ("1704067200000", 1_704_067_200),
        ("20240101", 1_704_067_200),
        ("1 January 2024", 1_704_067_200),
        ("1704067200", 1_704_067_200),
    ],
)
def test_one_date_for_all_rows_is_read_as_a_cell_is(account, bring, constant, second):
    columns = [*IDS, {"constant": constant, "name": "TIMESTAMP"}]

    job, rows = bring(text(["user", "item", "time", "rating", "note"]), columns=columns)

    assert (job.status, {row["TIMESTAMP"] for row in rows}) == ("ACTIVE", {second})


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (
            {"name": "TIMESTAMP", "constant": "yesterday"},
            "TIMESTAMP: the constant 'yesterday' is not a time.* ISO 8601",
        ),
        (
            {"name": "TIMESTAMP", "constant": "03/04/2024"},
            "'03/04/2024' day and month .* give timestampUnit %d/%m/%Y or",
        ),
        ({"name": "TIMESTAMP", "constant": "2024"}, "'2024' lies in 1970 .* looks like a year"),
        ({"name": "TIMESTAMP", "constant": ""}, "'' is required"),
        ({"name": "STARS", "constant": "many", "type": "float"}, "STARS: the constant 'many' is not a number"),
        ({"name": "STARS", "constant": "1.5", "type": "long"}, "'1.5' is not a whole number"),
        ({"name": "SEEN", "constant": "perhaps", "type": "boolean"}, "'perhaps' is neither true nor false"),
    ],
)
def test_a_constant_that_a_column_cannot_hold_is_refused_at_the_call(account, bring, column, says):
    timed = [] if column["name"] == "TIMESTAMP" else [{"source": "time", "name": "TIMESTAMP"}]
    with pytest.raises(InvalidInputException, match=says) as caught:
        bring(text(["user", "item", "time", "rating", "note"]), columns=[*IDS, *timed, column])
    assert caught.value.field == "columns"
    assert not Dataset.objects.exists()


def test_the_same_file_is_known_again(account, bring):
    content = text(["user", "item", "time", "rating", "note"])
    job, _ = bring(content)

    again = preview_data(account, data_location=put_object("copy.csv", content))
    other = preview_data(account, data_location=put_object("other.csv", content.replace("u1", "u9")))

    assert [entry["datasetImportJobArn"] for entry in again["previousImports"]] == [job.arn]
    assert "previousImports" not in other or other["previousImports"] == []


def test_the_report_names_bad_rows_and_the_rejects_download(account, bring):
    content = text(["user", "item", "time", "rating", "note"]) + "u1,i1,soon,3,x\n"

    job, _ = bring(content, max_bad_rows_percent=50.0)
    report = get_dataset_import_report(account, dataset_import_job_arn=job.arn)

    assert (report["rows"], report["importedRows"], report["rejectedRows"]) == (61, 60, 1)
    assert report["badRows"][0]["line"] == 62
    assert report["badRows"][0]["column"] == "TIMESTAMP"
    assert report["rejectsAvailable"]
    with storage.open_read(rejects_location(account, job.arn)) as file:
        assert b"u1,i1,soon,3,x" in file.read()


def test_rows_that_the_preview_shows_to_be_incomplete_do_not_end_the_import(account, bring):
    lines = text(["user", "item", "time", "rating", "note"], number=300).splitlines()
    lines[1::5] = [line.replace(line.split(",")[0], "", 1) for line in lines[1::5]]
    content = "\n".join(lines) + "\n"

    found = preview_data(account, data_location=put_object("guests.csv", content))
    job, rows = bring(content)

    assert found["suggestedMaxBadRowsPercent"] == 25
    assert any("20.0 % of user are empty" in warning for warning in found["warnings"])
    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert (len(rows), job.report["rejected"]) == (240, 60)


def test_what_the_preview_does_not_show_still_ends_the_import(account, bring):
    lines = text(["user", "item", "time", "rating", "note"], number=300).splitlines()
    lines[200:230] = [line.replace(line.split(",")[2], "soon", 1) for line in lines[200:230]]

    job, _ = bring("\n".join(lines) + "\n", columns=[
        {"source": "user", "name": "USER_ID"}, {"source": "item", "name": "ITEM_ID"},
        {"source": "time", "name": "TIMESTAMP", "timestampUnit": "s"},
    ])  # fmt: skip

    assert job.status == "CREATE FAILED"
    assert "30 of 300 rows" in job.failure_reason


def test_aws_names_are_taken_at_their_word(account):
    url = put_object("file.csv", "USER_ID,ITEM_ID,TIMESTAMP\nu,i,1700000000\nu,i,soon\nu,i,later\n")

    found = preview_data(account, data_location=url)

    assert [column["name"] for column in found["columns"]] == ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def test_items_get_a_wider_schema(account, bring):
    bring("sku,genre\n" + "".join(f"{n},Drama\n" for n in range(30)))

    job, rows = bring("sku,genre,price\n" + "".join(f"{n},Drama,{n}\n" for n in range(30)), import_mode="INCREMENTAL")

    assert job.failure_reason is None
    assert rows[0] == {"ITEM_ID": "0", "GENRE": "Drama", "PRICE": 0}


def test_interactions_keep_their_schema(account, bring):
    bring(text(["user", "item", "time", "rating", "note"]))

    with pytest.raises(InvalidInputException, match="Map the file to the dataset's columns"):
        bring("user,item,time,mood\n" + "".join(f"u{n},i{n},{1_700_000_000 + n},good\n" for n in range(30)))


def test_a_rejected_import_leaves_nothing_half_made(account, group):
    url = put_object("bad.csv", "user,item,time\na,b,1700000000\n")
    columns = [{"source": "user", "name": "USER_ID"}, {"source": "time", "name": "TIMESTAMP"}]

    with pytest.raises(InvalidInputException, match="ITEM_ID"):
        create_dataset_from_file(
            account, dataset_group_arn=group, data_location=url, dataset_type="Interactions", columns=columns
        )

    assert not Dataset.objects.exists()
    assert not DatasetImportJob.objects.exists()


def test_domain_columns_are_found(account, run_jobs):
    group = create_dataset_group(account, name="video", domain="VIDEO_ON_DEMAND")["datasetGroupArn"]
    rows = "".join(f"{n},Film {n},Drama|War,{1_600_000_000 + n}\n" for n in range(30))
    url = put_object("films.csv", "movie_id,title,category,release_date\n" + rows)

    made = create_dataset_from_file(account, dataset_group_arn=group, data_location=url)
    run_jobs()

    dataset = Dataset.objects.by_arn(account, made["datasetArn"])
    assert set(dataset.statistics["columns"]) == {"ITEM_ID", "TITLE", "GENRES", "CREATION_TIMESTAMP"}


def test_preview_takes_no_longer_for_a_large_file(account):
    rng = random.Random(1)
    header = "user,item,time,rating\n"
    block = "".join(f"{rng.randrange(9999)},{rng.randrange(999)},{1_600_000_000 + n},{n % 5}\n" for n in range(60_000))
    urls = [put_object("small.csv", header + block), put_object("large.csv", header + block * 60)]
    seconds = []

    for url in urls:
        started = time.process_time()
        found = preview_data(account, data_location=url)
        seconds.append(time.process_time() - started)

    assert seconds[1] < 4 * seconds[0]
    assert 0.95 < found["estimatedRows"] / 3_600_000 < 1.05
    assert found["columns"][0]["histogram"]


def test_preview_says_what_is_no_csv(account):
    with pytest.raises(InvalidInputException, match="JSON"):
        preview_data(account, data_location=put_object("a.json", "[[1, 2]]"))
    with pytest.raises(InvalidInputException, match="no object"):
        preview_data(account, data_location="s3://data/none.csv")


def test_charlie_gets_no_report_of_alice(account, other_account, bring):
    job, _ = bring(text(["user", "item", "time", "rating", "note"]))

    with pytest.raises(ResourceNotFoundException):
        get_dataset_import_report(other_account, dataset_import_job_arn=job.arn)
    with pytest.raises(ResourceNotFoundException):
        rejects_location(other_account, job.arn)
