"""Filters, trackers, schemas, jobs, attributions and access: made and read by clicking."""

from __future__ import annotations

import json
import re
import time

import pytest
from django.utils import timezone

from console.models import (
    AccessKey,
    Dataset,
    DatasetImportJob,
    Event,
    EventTracker,
    Filter,
    MetricAttribution,
    Schema,
    Token,
)
from tests.factories import make_filter, trained
from tests.web.conftest import ITEMS, bring, filled_in, watched, words
from tests.worlds import films


@pytest.fixture
def imported(alice, films, run_jobs):
    """The group with 1,200 interactions."""
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    return films


def test_a_filter_is_made_and_shown(alice, imported):
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    data = {"dataset_group_arn": imported.arn, "name": "not-bought", "filter_expression": expression}
    answer = alice.post("/create/filters/?group=films", data, follow=True)
    assert Filter.objects.get().expression == expression
    assert "not-bought" in answer.text
    assert "This works" in answer.text


def test_examples_of_filters_name_fields_that_the_group_has(alice, account):
    assert "Items.PRICE" in alice.get("/create/filters/").text
    page = alice.get(f"/create/filters/?group={films(account, name='cinema').name}")
    known = page.context["fields"]
    assert "Items.GENRES" in known
    assert len(page.context["examples"]) < 5
    named = {
        field for _, text in page.context["examples"] for field in re.findall(r"Items\.\w+|CurrentUser\.\w+", text)
    }
    assert "Items.GENRES" in named
    assert named <= set(known)


def test_a_wrong_expression_is_an_error_at_its_field_with_the_column(alice, imported):
    data = {"dataset_group_arn": imported.arn, "name": "x", "filter_expression": "INCLUDE ItemID WHERE"}
    answer = alice.post("/create/filters/?group=films", data)
    assert "Column 21" in answer.context["form"].errors["filter_expression"][0]


def test_an_expression_is_judged_while_it_is_written(alice, imported):
    address = "/create/filters/check/"
    members = {"dataset_group_arn": imported.arn}
    wrong = alice.get(address, members | {"filter_expression": "EXCLUDE ItemID WHERE Interactions.NOPE = 3"}).text
    assert "<mark>I</mark>nteractions.NOPE" in wrong
    right = alice.get(
        address, members | {"filter_expression": "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)"}
    ).text
    assert "This works" in right
    assert "<code>T</code>" in right
    assert alice.get(address, members | {"filter_expression": ""}).text.strip() == ""


def test_viewers_may_try_expressions(vera, imported):
    assert (
        vera.get("/create/filters/check/", {"dataset_group_arn": imported.arn, "filter_expression": "x"}).status_code
        == 200
    )


def test_the_filter_form_names_the_fields(alice, imported):
    assert "Interactions.EVENT_TYPE" in alice.get("/create/filters/?group=films").context["fields"]


def test_the_editor_lists_values_and_fields(alice, imported):
    members = {"dataset_group_arn": imported.arn}
    told = alice.get("/create/filters/values/", members | {"field": "Interactions.EVENT_TYPE", "query": "b"}).json()
    assert [entry["value"] for entry in told["values"]] == ["buy"]
    assert alice.get("/create/filters/values/", members | {"field": "Nothing.X"}).json() == {"values": []}
    assert alice.get("/create/filters/values/", {"dataset_group_arn": "x", "field": "a.b"}).json() == {"values": []}
    assert "Interactions.EVENT_TYPE" in alice.get("/create/filters/fields/", members).text
    assert "Interactions" not in alice.get("/create/filters/fields/", {"dataset_group_arn": "x"}).text


def test_an_expression_is_tried_for_a_user_with_values(alice, account, run_jobs):
    group = films(account)
    trained(account, run_jobs, group, "aws-popularity-count")
    members = {"dataset_group_arn": group.arn}
    assert 'value="u1"' in alice.get("/create/filters/users/", members | {"user_id": "u1"}).text
    members["filter_expression"] = "INCLUDE ItemID WHERE Items.GENRES IN ($G)"
    asked = alice.get("/create/filters/check/", members).text
    assert 'name="value_G"' in asked
    assert "items pass" not in asked
    tried = words(alice.get("/create/filters/check/", members | {"value_G": "Comedy"}).text)
    assert "<b>20</b> of 80 items pass now" in tried
    assert "Film number" in tried
    make_filter(account, group.arn)
    assert "<b>20</b> of 80 items pass now" in words(alice.get("/filters/comedy/").text), "and not for Alice"
    members["filter_expression"] = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'
    assert "depends on the user; choose one above" in alice.get("/create/filters/check/", members).text
    one = alice.get("/create/filters/check/", members | {"user_id": "u1"}).context["verdict"]
    assert one["passing"] < 80
    assert one["dropped"]
    members["filter_expression"] = "INCLUDE UserID WHERE Users.AGE > 30"
    assert "This works" in alice.get("/create/filters/check/", members).text


def test_a_tracker_is_made_and_shows_its_code(alice, films):
    page = alice.post(
        "/create/event-trackers/?group=films", {"dataset_group_arn": films.arn, "name": "web"}, follow=True
    ).text
    tracker = EventTracker.objects.get()
    assert page.count(tracker.tracking_id) >= 3
    assert "put_events" in page
    again = alice.post("/create/event-trackers/?group=films", {"dataset_group_arn": films.arn, "name": "two"})
    assert again.context["form"].errors


def test_a_tracker_is_tried_with_a_real_event(alice, vera, imported):
    alice.post("/create/event-trackers/?group=films", {"dataset_group_arn": imported.arn, "name": "web"})
    address = f"/event-trackers/{EventTracker.objects.get().arn_name}/"
    page = alice.get(address)
    entered = {field.name: field.value() for field in page.context["test_form"]}
    assert all(entered.values())
    answer = alice.post(f"{address}test/", entered | {"event_type": "tried"}, follow=True)
    assert "The event came in" in answer.text
    assert answer.context["events"][0].event_type == "tried"
    wrong = alice.post(f"{address}test/", entered | {"item_id": ""})
    assert wrong.context["test_form"].errors["item_id"]
    assert "Send test event" not in vera.get(address).text
    assert vera.post(f"{address}test/", entered).status_code == 403
    assert Event.objects.count() == 1


def test_a_schema_is_made_from_its_text(alice, account):
    text = alice.get("/create/schemas/").context["form"]["schema"].value()
    alice.post("/create/schemas/", {"name": "events", "schema": text})
    assert json.loads(Schema.objects.get().text)["name"] == "Interactions"
    page = alice.get("/schemas/events/").text
    assert "USER_ID" in page
    assert "no dataset" in page


def test_a_wrong_schema_is_an_error_at_its_text(alice, account):
    answer = alice.post("/create/schemas/", {"name": "events", "schema": "{}"})
    assert "Invalid schema" in answer.context["form"].errors["schema"][0]


def test_the_template_of_each_type_makes_a_dataset(alice, account):
    made = 0
    for domain in ("", "ECOMMERCE", "VIDEO_ON_DEMAND"):
        group = f"g{domain.lower()}"
        alice.post("/create/dataset-groups/", {"name": group, "domain": domain})
        kinds = ("Interactions", "Items", "Users", *(() if domain else ("Actions", "Action_Interactions")))
        for kind in kinds:  # domain groups hold no actions
            address = f"/create/datasets/schema/?group={group}&type={kind}"
            form = alice.get(address).context["form"]
            arn, name, text = form.fields["dataset_group_arn"].initial, f"{group}-{kind}", form["schema"].value()
            data = {"dataset_group_arn": arn, "name": name, "dataset_type": kind, "schema_name": name, "schema": text}
            answer = alice.post(address, data)
            assert answer.status_code == 302, (domain, kind, answer.context["form"].errors)
            made += 1
    assert Dataset.objects.count() == made == 11


def test_a_schema_that_does_not_fit_leaves_nothing_behind(alice, films):
    form = alice.get("/create/datasets/schema/?group=films&type=Items").context["form"]
    data = {
        "dataset_group_arn": films.arn,
        "name": "d",
        "dataset_type": "Users",
        "schema_name": "s",
        "schema": form["schema"].value(),
    }
    answer = alice.post("/create/datasets/schema/?group=films", data)
    assert answer.context["form"].errors
    assert not Schema.objects.exists()


def test_an_export_is_started_run_and_downloaded(alice, imported, run_jobs):
    form = alice.get("/create/dataset-export-jobs/?group=films").context["form"]
    data = {
        "job_name": "out", "dataset_arn": form.fields["dataset_arn"].choices[0][0], "ingestion_mode": "ALL",
        "output": "s3://results/out/",
    }  # fmt: skip
    alice.post("/create/dataset-export-jobs/?group=films", data)
    run_jobs()
    page = alice.get("/dataset-export-jobs/out/")
    name = page.context["files"][0][0]
    text = alice.get(f"/dataset-export-jobs/out/results/{name}").getvalue().decode()
    assert "USER_ID" in text.splitlines()[0]
    assert len(text.splitlines()) == 1201
    assert alice.get("/dataset-export-jobs/out/results/else.csv").status_code == 404


def test_users_are_deleted_from_an_uploaded_list(alice, imported, run_jobs):
    from tests.web.conftest import csv_file  # noqa: PLC0415

    data = {"job_name": "forget", "dataset_group_arn": imported.arn, "file": csv_file("USER_ID\nu1\n", "users.csv")}
    answer = alice.post("/create/data-deletion-jobs/?group=films", data)
    assert answer.status_code == 302, answer.context["form"].errors
    run_jobs()
    assert "Completed" in alice.get("/data-deletion-jobs/forget/").text


def test_a_job_without_an_input_is_an_error_at_the_file(alice, films):
    answer = alice.post("/create/data-deletion-jobs/?group=films", {"job_name": "x", "dataset_group_arn": films.arn})
    assert "Choose a file, or name a location below." in answer.context["form"].errors["file"]


def test_a_metric_attribution_is_made(alice, imported):
    data = {
        "dataset_group_arn": imported.arn, "name": "outcomes", "path": "", "form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0",
        "form-0-eventType": "buy", "form-0-metricName": "purchases", "form-0-expression": "SAMPLECOUNT()",
    }  # fmt: skip
    page = alice.post("/create/metric-attributions/?group=films", data, follow=True).text
    assert MetricAttribution.objects.get().metrics[0]["metricName"] == "purchases"
    assert "purchases" in page


def test_a_key_and_a_token_are_shown_once(alice, account):
    page = alice.post("/settings/access/make/", {"what": "key", "days": ""}, follow=True).text
    key = AccessKey.objects.get()
    assert key.secret in page
    assert key.secret not in alice.get("/settings/access/").text
    token = alice.post("/settings/access/make/", {"what": "token", "days": ""}, follow=True).context["made"]["token"]
    assert Token.objects.get().digest == Token.hash(token)
    alice.post(f"/settings/access/key/{key.pk}/revoke/")
    assert not AccessKey.objects.exists()


def test_another_accounts_key_cannot_be_revoked(alice, charlie, other_account):
    key = AccessKey.issue(other_account)
    alice.post(f"/settings/access/key/{key.pk}/revoke/")
    assert AccessKey.objects.filter(pk=key.pk).exists()


def test_progress_asks_for_itself_until_the_end(alice, films, run_jobs):
    preview = bring(alice, watched())
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    page = alice.get(job)
    address = f"/jobs/DatasetImportJob/{page.context['object'].pk}/progress/"
    assert f'hx-get="{address}"' in page.text
    assert "HX-Refresh" not in alice.get(address)
    run_jobs()
    ended = alice.get(address)
    assert ended["HX-Refresh"] == "true"
    assert "hx-get" not in ended.text


def test_a_job_that_waits_names_what_runs(alice, imported):
    first = DatasetImportJob.objects.get()
    DatasetImportJob.objects.update(claim="held")
    preview = bring(alice, watched(3))
    address = alice.post(preview, filled_in(alice, preview))["Location"]
    page = words(alice.get(address).text)
    assert re.search(rf"Running now: <a [^>]*>{re.escape(first.name)}</a>", page)
    DatasetImportJob.objects.update(claim="")
    assert "Running now" not in alice.get(address).text


def test_a_job_that_runs_on_says_that_it_takes_longer(alice, films):
    preview = bring(alice, watched())
    address = alice.post(preview, filled_in(alice, preview))["Location"]
    said = {"stage": "reading", "fraction": 0.5, "secondsLeft": 30, "leftAt": time.time()}
    running = DatasetImportJob.running
    DatasetImportJob.objects.update(status=running, claim="held", started=timezone.now(), progress=said)
    assert re.search(r"so far, about [0-9.]+ s left", words(alice.get(address).text))
    DatasetImportJob.objects.update(progress=said | {"leftAt": time.time() - 60})
    assert "so far, longer than estimated" in words(alice.get(address).text)


def test_the_progress_of_another_accounts_job_is_not_found(alice, charlie, films):
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    assert charlie.get("/jobs/DatasetImportJob/1/progress/").status_code == 404
    assert alice.get("/jobs/Nothing/1/progress/").status_code == 404


def test_a_record_is_put_by_hand(alice, films, run_jobs):
    preview = bring(alice, ITEMS, "Items")
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    form = alice.get("/datasets/films/ITEMS/records/").context["form"]
    names = list(form.fields)
    assert names[0] == "ITEM_ID"
    answer = alice.post(
        "/datasets/films/ITEMS/records/", {names[0]: "film-99", names[1]: "The last one", names[2]: "9.5"}
    )
    assert answer["Location"] == "/datasets/films/ITEMS/"
    assert Dataset.objects.get().records.get().entity_id == "film-99"
    wrong = alice.post("/datasets/films/ITEMS/records/", {names[0]: "film-99", names[2]: "cheap"})
    assert names[2] in wrong.context["form"].errors


def test_a_schema_is_replaced_by_a_wider_one(alice, films, run_jobs):
    preview = bring(alice, ITEMS, "Items")
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    document = json.loads(Schema.objects.get().text)
    document["fields"].append({"name": "MOOD", "type": ["null", "string"], "categorical": True})
    alice.post("/create/schemas/", {"name": "wider", "schema": json.dumps(document)})
    wider = Schema.objects.get(name="wider")
    alice.post("/datasets/films/ITEMS/schema/", {"schema_arn": wider.arn})
    assert Dataset.objects.get().schema == wider
    narrow = Schema.objects.exclude(pk=wider.pk).get()
    refused = alice.post("/datasets/films/ITEMS/schema/", {"schema_arn": narrow.arn})
    assert "is not one of the available choices" in str(refused.context["form"].errors)


def test_a_waiting_job_is_stopped_and_tried_again(alice, films, run_jobs):
    preview = bring(alice, watched())
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    address = f"/jobs/DatasetImportJob/{alice.get(job).context['object'].pk}"
    assert "Create stopped" in alice.post(f"{address}/stop/", follow=True).text
    assert "Retry" in alice.get(job).text
    assert "waiting for a worker" in alice.post(f"{address}/retry/", follow=True).text
    run_jobs()
    assert "only one that waits or runs can be stopped" in alice.post(f"{address}/stop/", follow=True).text


def test_a_viewer_cannot_stop_a_job(alice, vera, films):
    preview = bring(alice, watched())
    job = alice.post(preview, filled_in(alice, preview))["Location"]
    assert ">Stop<" in alice.get(job).text
    assert ">Stop<" not in vera.get(job).text
    assert vera.post(f"/jobs/DatasetImportJob/{alice.get(job).context['object'].pk}/stop/").status_code == 403


def test_a_filter_is_deleted(alice, imported):
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    alice.post("/create/filters/", {"dataset_group_arn": imported.arn, "name": "f", "filter_expression": expression})
    assert "Nothing else is deleted" in alice.get("/filters/f/delete/").text
    answer = alice.post("/filters/f/delete/", follow=True)
    assert "Moved to the trash: filter f." in answer.text
    assert not Filter.objects.exists()
