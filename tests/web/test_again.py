"""Trying again with changes: every input of the attempt before stands in the form, so that one is changed and nothing is lost."""

from __future__ import annotations

import pytest
from django import forms

from console.models import BatchInferenceJob, DatasetExportJob, DatasetImportJob, Solution
from tests import worlds
from tests.factories import make_filter, put_lines, start_batch, trained
from tests.web.conftest import bring, csv_file, filled_in, watched


def sent(form: forms.Form) -> dict[str, str]:
    """What a browser would send of a form that nobody has touched."""
    data = {}
    for field in form:
        value = field.value()
        if value is True:
            data[field.html_name] = "on"
        elif value not in (None, False, ""):
            data[field.html_name] = str(value)
    return data


@pytest.fixture
def group(account):
    return worlds.films(account)


@pytest.mark.parametrize("recipe", ["aws-sims", "aws-user-personalization"])
def test_a_solution_begins_with_all_that_the_one_before_was_told(alice, group, recipe):
    address = f"/create/solutions/?group=films&recipe={recipe}"
    form = alice.get(address).context["form"]
    entered = sent(form) | {"name": "first", "perform_hpo": "on", "max_jobs": "3", "max_parallel": "2"}
    entered |= {"perform_auto_training": "on", "auto_training_days": "5"}
    for row in range(4):
        entered |= {
            f"event_{row}_type": f"type-{row}",
            f"event_{row}_threshold": "0.5",
            f"event_{row}_weight": f"0.{row + 1}",
        }
    tunable = [setting for setting in form.settings if setting.tune is not None]
    for setting in tunable[1:]:  # all but the first are left out of the search
        del entered[setting.tune.html_name]
    first = next(setting for setting in form.settings if setting.declared["type"] in {"integer", "number"})
    entered[first.field.html_name] = f"{first.declared['low']:g}"
    columns = [field for fields in form.column_fields.values() for field in fields]
    entered.pop(columns[0].html_name)
    if form.has_objective:
        entered |= {"objective_column": "PRICE", "objective_sensitivity": "HIGH"}
    answer = alice.post(address, entered)
    assert answer.status_code == 302, answer.context["form"].errors
    again = alice.get(f"{address}&like=first").context["form"]
    assert len(again.event_rows) >= 4
    answer = alice.post(f"{address}&like=first", sent(again))
    assert answer.status_code == 302, answer.context["form"].errors
    before, after = Solution.objects.order_by("pk")
    assert after.config == before.config
    assert len(before.config) >= 5
    assert (after.perform_hpo, after.perform_auto_training) == (True, True)


def test_an_import_begins_with_all_that_the_one_before_was_told(alice, films, run_jobs):
    lines = [line.rpartition(",")[0] for line in watched().splitlines()[1:]]  # no header, no event
    preview = bring(alice, "\n".join(lines))
    told = {"max_bad_rows_percent": "37", "constant_name": "CHANNEL", "constant_value": "shop"}
    entered = filled_in(alice, preview, **told) | {"role-EVENT_TYPE": "=", "constant-EVENT_TYPE": "rent"}
    answer = alice.post(preview, entered)
    assert answer.status_code == 302, [file.gaps for file in answer.context["files"]]
    run_jobs()
    job = DatasetImportJob.objects.get()
    DatasetImportJob.objects.update(import_mode="INCREMENTAL")
    address = alice.get(answer["Location"]).context["retry_url"]
    again = filled_in(alice, address)
    assert again["max_bad_rows_percent"] == "37"
    assert again["import_mode"] == "INCREMENTAL"
    assert (again["constant_name"], again["constant_value"]) == ("CHANNEL", "shop")
    [file] = alice.get(address).context["files"]
    cards = {card.role.name: card for card in file.cards}
    assert cards["EVENT_TYPE"].constant == "rent"
    assert not file.gaps
    again |= {"role-EVENT_TYPE": "=", "constant-EVENT_TYPE": cards["EVENT_TYPE"].constant}
    answer = alice.post(address, again)
    assert answer.status_code == 302, [file.gaps for file in answer.context["files"]]
    latest = DatasetImportJob.objects.exclude(pk=job.pk).get()
    assert latest.options == job.options


def test_a_batch_job_begins_with_all_that_the_one_before_was_told(alice, account, group, run_jobs):
    version = trained(account, run_jobs, group, "aws-user-personalization")
    chosen = make_filter(account, group.arn)
    config = {"itemExplorationConfig": {"explorationWeight": "0.7"}}
    path = put_lines("in.json", [{"userId": "u1"}])
    start_batch(account, version, "first", path, filter_arn=chosen, num_results=7, batch_inference_job_config=config)
    page = alice.get("/batch-inference-jobs/first/")
    assert "Retry with changes" not in page.text  # it waits
    run_jobs()
    page = alice.get("/batch-inference-jobs/first/")
    assert "Start another like it" in page.text
    address = page.context["again_url"]
    answer = alice.post(address, sent(alice.get(address).context["form"]))
    assert answer.status_code == 302, answer.context["form"].errors
    before, after = BatchInferenceJob.objects.order_by("pk")
    for member in ("solution_version", "filter", "num_results", "job_input"):
        assert getattr(after, member) == getattr(before, member), member
    assert after.config["itemExplorationConfig"]["explorationWeight"] == "0.7"


def test_an_export_and_a_deletion_begin_with_what_the_one_before_was_told(alice, account, group, run_jobs):
    data = {
        "job_name": "out",
        "dataset_arn": group.datasets.get(type="USERS").arn,
        "ingestion_mode": "BULK",
        "output": "s3://results/out/",
    }
    alice.post("/create/dataset-export-jobs/?group=films", data)
    data = {"job_name": "gone", "dataset_group_arn": group.arn, "file": csv_file("USER_ID\nu1\n", "users.csv")}
    alice.post("/create/data-deletion-jobs/?group=films", data)
    run_jobs()
    export = alice.get(alice.get("/dataset-export-jobs/out/").context["again_url"]).context["form"]
    assert DatasetExportJob.objects.get().dataset.type == "USERS"
    assert sent(export)["dataset_arn"] == group.datasets.get(type="USERS").arn
    assert sent(export)["ingestion_mode"] == "BULK"
    deletion = alice.get(alice.get("/data-deletion-jobs/gone/").context["again_url"]).context["form"]
    assert sent(deletion)["location"].endswith("users.csv")
