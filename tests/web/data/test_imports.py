"""From a file to a dataset by clicking: upload, preview, import, report."""

from __future__ import annotations

import pytest

from console.models import AttributionReport, Dataset, DatasetImportJob, Schema
from console.operations.base import call_by_wire_names
from tests.web.conftest import bring, csv_file, filled_in, watched


def test_it_works(alice, films, run_jobs):
    preview = bring(alice, watched())
    page = alice.get(preview)
    guesses = {form["source"].value(): form["name"].value() for form in page.context["columns"].forms}
    assert guesses == {"user": "USER_ID", "movie id": "ITEM_ID", "when": "TIMESTAMP", "event": "EVENT_TYPE"}
    assert "film-0" in page.text
    job = alice.post(preview, filled_in(alice, preview))
    assert job["Location"].startswith("/dataset-import-jobs/")
    assert "waiting for a worker" in alice.get(job["Location"]).text
    run_jobs()
    report = alice.get(job["Location"]).text
    assert "1,200" in report
    assert Dataset.objects.get().rows == 1200
    assert "40" in alice.get("/datasets/films/INTERACTIONS/").text


def test_the_upload_answers_scripts_with_the_next_address(alice, films):
    data = {"group": "films", "type": "Interactions", "file": csv_file(watched(30))}
    answer = alice.post("/create/datasets/", data, headers={"X-Requested-With": "XMLHttpRequest"})
    assert answer.json()["next"].startswith(
        "/create/datasets/preview/?group=films&type=Interactions&location=s3%3A%2F%2Fuploads"
    )


def test_an_empty_file_is_refused(alice, films):
    answer = alice.post("/create/datasets/?group=films", {"group": "films", "file": csv_file("")})
    assert answer.status_code == 400
    assert "Choose a file that is not empty" in answer.text


def test_a_file_that_is_no_csv_comes_back_with_a_sentence(alice, films):
    answer = alice.get(bring(alice, "\x00\x01\x02\x03" * 50), follow=True)
    assert "Import a file" in answer.text
    assert "note error" in answer.text


def test_another_accounts_upload_cannot_be_read(alice, charlie, films, other_account):
    preview = bring(alice, watched(30))
    charlie.post("/create/dataset-groups/", {"name": "films"})
    answer = charlie.get(preview, follow=True)
    assert "Access denied" in answer.text


def test_a_guess_can_be_changed(alice, films, run_jobs):
    preview = bring(alice, watched())
    changed = filled_in(alice, preview, **{"form-3-name": "CHANNEL", "form-3-look": "category"})
    alice.post(preview, changed)
    run_jobs()
    assert '"CHANNEL"' in Schema.objects.get().text
    assert '"categorical": true' in Schema.objects.get().text
    assert Dataset.objects.get().rows == 1200


def test_a_column_can_be_left_out(alice, films):
    preview = bring(alice, watched())
    data = filled_in(alice, preview)
    del data["form-3-use"]
    alice.post(preview, data)
    assert "EVENT_TYPE" not in Schema.objects.get().text


def test_a_missing_column_can_be_given_one_value(alice, films, run_jobs):
    text = "\n".join(line.rpartition(",")[0] for line in watched().splitlines())
    preview = bring(alice, text)
    alice.post(preview, filled_in(alice, preview, constant_name="EVENT_TYPE", constant_value="watch"))
    run_jobs()
    assert Dataset.objects.get().statistics["event_types"] == {"watch": 1200}


def test_a_column_without_a_name_is_an_error_in_its_row(alice, films):
    preview = bring(alice, watched())
    answer = alice.post(preview, filled_in(alice, preview, **{"form-3-name": ""}))
    assert "Name the column event, or leave it out." in answer.text
    assert not DatasetImportJob.objects.exists()


def test_a_required_column_that_is_left_out_is_an_error_and_nothing_is_made(alice, films):
    preview = bring(alice, watched())
    answer = alice.post(preview, filled_in(alice, preview, **{"form-0-name": "WHO"}))
    assert "Choose the column that identifies the user." in answer.text
    assert not Schema.objects.exists()


def test_bad_rows_are_listed_and_downloaded(alice, films, run_jobs):
    lines = watched().splitlines()
    lines[5] = "u1,film-3,not a time,watch"
    preview = bring(alice, "\n".join(lines))
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    run_jobs()
    page = alice.get(job).text
    assert "not a time" in page
    assert "TIMESTAMP" in page
    rejects = alice.get(f"{job}rejects.csv")
    assert rejects["Content-Disposition"].endswith('-rejects.csv"')
    assert "not a time" in rejects.getvalue().decode()


def test_cells_that_cannot_be_read_are_told_with_their_number(alice, films, run_jobs):
    header, *rows = watched().splitlines()
    values = ["much" if number in {3, 9} else "4.5" for number in range(len(rows))]
    text = "\n".join([f"{header},rating", *(f"{row},{value}" for row, value in zip(rows, values, strict=True))])
    preview = bring(alice, text)
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    run_jobs()
    page = alice.get(job)
    assert "Unreadable cells" in page.text
    [cell] = page.context["report"]["unreadCells"]
    assert (cell["column"], cell["value"], cell["count"], cell["line"]) == ("EVENT_VALUE", "much", 2, 5)
    assert Dataset.objects.get().rows == len(rows)


def test_too_many_bad_rows_fail_with_a_way_to_retry(alice, films, run_jobs):
    lines = watched().splitlines()
    lines[5:205] = ["u1,film-3,not a time,watch"] * 200
    preview = bring(alice, "\n".join(lines))
    times = {"form-2-use": "on", "form-2-name": "TIMESTAMP", "form-2-look": "s"}
    job = alice.post(preview, filled_in(alice, preview, **times))["Location"]
    run_jobs()
    page = alice.get(job).text
    assert DatasetImportJob.objects.get().status == "CREATE FAILED"
    assert "Retry with changes" in page
    again = alice.get(job).context["retry_url"]
    alice.post(again, filled_in(alice, again, max_bad_rows_percent="50"))
    run_jobs()
    assert Dataset.objects.get().rows > 0


def test_no_rejects_is_not_found(alice, films, run_jobs):
    preview = bring(alice, watched())
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    run_jobs()
    assert alice.get(f"{job}rejects.csv").status_code == 404


def test_the_same_file_again_is_noticed(alice, films, run_jobs):
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    page = alice.get(bring(alice, watched())).text
    assert "This file was already imported" in page
    assert "Keep them and add this file" in page
    assert "Skip this import" in page
    assert "Choose below whether to replace" in page


def test_the_same_file_in_another_group_leaves_nothing_to_choose(alice, account, films, run_jobs):
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    call_by_wire_names("CreateDatasetGroup", account, {"name": "other"})
    page = alice.get(bring(alice, watched(), group="other")).text
    assert "This file was already imported" in page
    assert "Choose below whether to replace" not in page


def test_adding_to_the_rows_that_are_there(alice, films, run_jobs):
    for text, mode in ((watched(), "FULL"), (watched(1300), "INCREMENTAL")):
        preview = bring(alice, text)
        alice.post(preview, filled_in(alice, preview, import_mode=mode))
        run_jobs()
    assert Dataset.objects.get().rows == 1300  # rows that are the same count once


def judged(client, preview, data):
    """The file's part of the preview as htmx gets it back."""
    return client.post(preview.replace("/preview/", "/preview/check/") + "&file=0", data).text


def test_the_schema_follows_what_is_changed_in_the_columns(alice, vera, films):
    preview = bring(alice, watched())
    data = filled_in(alice, preview)
    before = judged(alice, preview, data)
    assert "EVENT_TYPE&quot;" in before
    place = next(key for key, value in data.items() if value == "EVENT_TYPE").removesuffix("-name")
    after = judged(alice, preview, data | {f"{place}-name": "CHANNEL"})
    assert "CHANNEL&quot;" in after
    assert "EVENT_TYPE&quot;" not in after
    assert "leave it out" in judged(alice, preview, data | {f"{place}-name": ""})
    assert "CHANNEL&quot;" in judged(vera, preview, data | {f"{place}-name": "CHANNEL"})


def test_a_card_gives_its_role_to_another_column(alice, films, run_jobs):
    preview = bring(alice, watched())
    changed = filled_in(
        alice,
        preview,
        **{"role-USER_ID": "movie id", "held-USER_ID": "user", "role-ITEM_ID": "user", "held-ITEM_ID": "movie id"},
    )
    alice.post(preview, changed)
    run_jobs()
    assert Dataset.objects.get().statistics["columns"]["USER_ID"]["distinct"] == 60


def test_an_import_waits_until_no_card_has_a_gap(alice, films, run_jobs):
    preview = bring(alice, watched())
    answer = alice.post(preview, filled_in(alice, preview, **{"role-TIMESTAMP": "", "held-TIMESTAMP": "when"}))
    assert "Choose the column with the time of the event" in answer.text
    assert not DatasetImportJob.objects.exists()
    again = filled_in(alice, preview, **{"form-2-name": "WHEN", "role-TIMESTAMP": "when", "held-TIMESTAMP": ""})
    alice.post(preview, again)
    run_jobs()
    assert Dataset.objects.get().rows == 1200


def test_a_question_is_asked_once_and_its_answer_is_read(alice, films, run_jobs):
    rows = [f"u{n % 40},i{n % 60},0{1 + n % 9}/{1 + n % 12:02}/2024" for n in range(360)]
    preview = bring(alice, "\n".join(["user,item,date", *rows]))
    page = alice.get(preview).text
    assert "which comes first, the day or the month?" in page
    assert "01/10/2024 is 1 October 2024" in page
    refused = alice.post(preview, filled_in(alice, preview))
    assert "Answer" in refused.text or "missing" in refused.text
    assert not DatasetImportJob.objects.exists()
    alice.post(preview, filled_in(alice, preview, **{"answer-0": "%m/%d/%Y"}))
    run_jobs()
    first = Dataset.objects.get().statistics["first"]
    last = Dataset.objects.get().statistics["last"]
    assert (last - first) // 86400 == 255  # 1 January to 12 September, not to 9 December


def test_thousands_that_are_said_to_be_decimals_are_read_so(alice, films, run_jobs):
    rows = [f"u{n % 40};i{n % 60};{1_700_000_000 + n};{n % 5};{1 + n % 9},250" for n in range(360)]
    preview = bring(alice, "\n".join(["user;item;when;rating;weight", *rows]))
    assert "weight: how large is 1,250?" in alice.get(preview).text
    alice.post(preview, filled_in(alice, preview, **{"answer-0": ","}))
    run_jobs()
    assert Dataset.objects.get().statistics["columns"]["WEIGHT"]["max"] == 9.25


def test_one_value_for_every_row_fills_the_event_of_a_domain(alice, account, run_jobs):
    call_by_wire_names("CreateDatasetGroup", account, {"name": "shop", "domain": "ECOMMERCE"})
    text = "\n".join(line.rpartition(",")[0] for line in watched().splitlines())
    preview = bring(alice, text, group="shop")
    card = {"role-EVENT_TYPE": "=", "held-EVENT_TYPE": "=", "constant-EVENT_TYPE": "View"}
    assert 'value="Purchase"' in alice.get(preview).text
    alice.post(preview, filled_in(alice, preview, **card))
    run_jobs()
    assert Dataset.objects.get().statistics["event_types"] == {"View": 1200}


def test_one_date_for_every_row_fills_the_time_of_ratings_that_have_none(alice, films, run_jobs):
    rows = [f"{n % 40},isbn-{n % 60},{n % 11}" for n in range(1300)]
    preview = bring(alice, "\n".join(["User-ID,ISBN,Book-Rating", *rows]))
    assert "or one date for every row" in alice.get(preview).text
    card = {"role-TIMESTAMP": "=", "held-TIMESTAMP": ""}
    assert 'type="date"' in judged(alice, preview, filled_in(alice, preview, **card))
    alice.post(preview, filled_in(alice, preview, **card, **{"constant-TIMESTAMP": "2024-01-31"}))
    run_jobs()
    assert Dataset.objects.get().statistics["first"] == Dataset.objects.get().statistics["last"] == 1_706_659_200


@pytest.mark.parametrize(
    ("head", "order"),
    [
        ("user,item,year,month,day", "YMD"), ("Kundennr;Artikelnr;Tag;Monat;Jahr;Menge", "DMYQ"), ("client;produit;annee;mois;jour", "YMD"),
        ("user,item,order_month,qty,order_day,order_year", "MQDY"), ("user,item,a,b,c", "DMY"),
    ],
)  # fmt: skip
def test_a_date_in_three_columns_is_said_where_the_time_is_missing(alice, films, head, order):
    comma = ";" if ";" in head else ","
    parts = ({"Y": 2021 + n % 3, "M": 1 + n % 12, "D": 1 + n % 31, "Q": 1 + n % 4} for n in range(372))
    rows = [
        comma.join([f"u{n % 40}", f"i{n % 60}", *(str(row[part]) for part in order)]) for n, row in enumerate(parts)
    ]
    preview = bring(alice, "\n".join([head, *rows]))
    names = dict(zip(order, head.split(comma)[2:], strict=True))
    wanted = f"The date stands in three columns: {names['Y']}, {names['M']} and {names['D']}. Write it into one column"
    assert wanted in alice.get(preview).text
    year = head.split(comma).index(names["Y"])
    chosen = filled_in(alice, preview, **{"role-TIMESTAMP": names["Y"], "held-TIMESTAMP": ""})
    assert wanted in judged(alice, preview, chosen)
    german = alice.get(preview, headers={"Accept-Language": "de"}).text
    assert f"Das Datum steht in drei Spalten: {names['Y']}, {names['M']} und {names['D']}." in german
    assert chosen[f"form-{year}-source"] == names["Y"]


def test_ways_to_write_times_stay_on_offer_once_another_is_chosen(alice, films):
    rows = [f"u{n % 40},i{n % 60},{1 + n % 28:02}.{1 + n % 12:02}.2024" for n in range(360)]
    preview = bring(alice, "\n".join(["user,item,datum", *rows]))
    after = judged(alice, preview, filled_in(alice, preview, **{"form-2-look": "string"}))
    assert "Time: day.month.year" in after
    assert "A time is needed" in after


def test_files_dropped_together_become_datasets_at_once(alice, films, run_jobs):
    films_file = "sku,title,added\n" + "".join(f"film-{n},Film {n},2023-01-{1 + n % 28:02}\n" for n in range(60))
    files = [csv_file(watched(), "orders.csv"), csv_file(films_file, "products.csv")]
    answer = alice.post("/create/datasets/?group=films", {"group": "films", "type": "", "file": files})
    preview = str(answer["Location"])
    page = alice.get(preview)
    assert [file.kind for file in page.context["files"]] == ["INTERACTIONS", "ITEMS"]
    data = filled_in(alice, preview)
    started = alice.post(preview, data)
    assert "Import of items" in alice.get(started["Location"]).text
    run_jobs()
    assert "60 rows imported" in alice.get(started["Location"]).text
    assert {row.type: row.rows for row in Dataset.objects.all()} == {"INTERACTIONS": 1200, "ITEMS": 60}


def test_event_metrics_are_published_where_an_attribution_has_a_folder(alice, account, films, run_jobs):
    preview = bring(alice, watched())
    assert "publish_attribution_metrics_to_s3" not in alice.get(preview).context["form"].fields
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    output = {"s3DataDestination": {"path": "s3://reports/films/"}, "roleArn": "arn:aws:iam::000000000001:role/r"}
    call_by_wire_names("CreateMetricAttribution", account, {
        "name": "counts", "datasetGroupArn": films.arn, "metricsOutputConfig": output,
        "metrics": [{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}],
    })  # fmt: skip
    again = bring(alice, watched(rows=1300))
    assert "goes to s3://reports/films/" in alice.get(again).text
    answer = alice.post(again, filled_in(alice, again, publish_attribution_metrics_to_s3="on"), follow=True)
    assert DatasetImportJob.objects.latest("pk").publish_attribution_metrics
    assert "Published to Amazon S3" in answer.text
    run_jobs()
    assert AttributionReport.objects.count() == 1
    users = bring(alice, "USER_ID,AGE\nu1,30\n", kind="Users")
    assert "publish_attribution_metrics_to_s3" not in alice.get(users).context["form"].fields
