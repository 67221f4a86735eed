"""Batch and segment jobs as a person starts and reads them: no JSON Lines to write, none to read."""

from __future__ import annotations

import json

import pytest

from console import storage
from console.models import BatchInferenceJob, BatchSegmentJob, SolutionVersion
from console.operations.base import call_by_wire_names
from tests import worlds
from tests.factories import trained
from tests.web.conftest import words


@pytest.fixture
def version(account, run_jobs):
    return trained(account, run_jobs, worlds.films(account, users=45), "aws-user-personalization")


def form_of(client, slug="batch-inference-jobs", group="films"):
    return client.get(f"/create/{slug}/?group={group}").context["form"]


def filled(form, **changes):
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    return data | changes


def lines_of(job):
    with storage.open_read(storage.parse_location(job.job_input["s3DataSource"]["path"])) as file:
        return [json.loads(line) for line in file]


def test_all_users_with_nothing_typed(alice, account, run_jobs, version):
    call_by_wire_names("CreateCampaign", account, {"name": "live", "solutionVersionArn": version})
    form = form_of(alice)
    assert form["whom"].value() == "all"
    assert "served by live" in dict(form.fields["solution_version_arn"].choices)[version]
    page = alice.post("/create/batch-inference-jobs/?group=films", filled(form, solution_version_arn=version))
    assert page.status_code == 302
    job = BatchInferenceJob.objects.get()
    assert lines_of(job) == [{"userId": f"u{n}"} for n in range(45)]
    run_jobs()
    page = words(alice.get(page["Location"]).content.decode())
    assert "45 lines" in page
    assert "Film number" in page
    assert '{"input"' not in page
    second = words(
        alice.get(
            f"/batch-inference-jobs/{job.name}/?from=" + page.partition("?from=")[2].partition('"')[0]
        ).content.decode()
    )
    assert "u44" in second
    assert "First page" in second
    answer = alice.get(f"/batch-inference-jobs/{job.name}/results.csv")
    rows = b"".join(answer.streaming_content).decode().splitlines()
    assert rows[0] == "ASKED_FOR,RANK,ID,TITLE,SCORE,ERROR"
    assert len(rows) == 1 + 45 * 25
    assert rows[1].startswith("u0,1,i")


def test_some_users_and_the_values_of_a_filter(alice, account, run_jobs, version):
    group = SolutionVersion.objects.get().solution.dataset_group
    members = {
        "name": "by",
        "datasetGroupArn": group.arn,
        "filterExpression": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)",
    }
    call_by_wire_names("CreateFilter", account, members)
    form = form_of(alice)
    data = filled(
        form, solution_version_arn=version, whom="these", entries="u1\n\nu2\n", filter_values='GENRE = "Drama"',
        filter_arn=form.fields["filter_arn"].choices[1][0],
    )  # fmt: skip
    assert alice.post("/create/batch-inference-jobs/?group=films", data).status_code == 302
    assert lines_of(BatchInferenceJob.objects.get()) == [
        {"userId": user, "filterValues": {"GENRE": '"Drama"'}} for user in ("u1", "u2")
    ]


def test_what_is_missing_is_said_at_its_field(alice, account, run_jobs, version):
    data = filled(form_of(alice), solution_version_arn=version)
    for changes, field in (({"whom": "these"}, "entries"), ({"whom": "file"}, "file"), ({"items": "i1"}, "items")):
        answer = alice.post("/create/batch-inference-jobs/?group=films", data | changes)
        assert list(answer.context["form"].errors) == [field], changes
    assert not BatchInferenceJob.objects.exists()


def test_a_page_without_a_fitting_version_leads_to_the_recipes(alice, films):
    page = words(alice.get("/create/batch-segment-jobs/?group=films").content.decode())
    assert "item-affinity or item-attribute-affinity is active yet" in page
    assert "/recipes/?group=films" in page


def test_segments_are_for_items_one_names(alice, account, run_jobs):
    version = trained(account, run_jobs, worlds.films(account, users=45), "aws-item-affinity")
    name = SolutionVersion.objects.get().arn_name
    page = alice.get(f"/solution-versions/{name}/").text
    assert f"/create/batch-segment-jobs/?group=films&amp;version={name}" in page
    assert "Create campaign" not in page
    form = form_of(alice, "batch-segment-jobs")
    assert "items" not in form.fields
    data = filled(form, solution_version_arn=version, entries="i1", num_results="12")
    answer = alice.post("/create/batch-segment-jobs/?group=films", data)
    job = BatchSegmentJob.objects.get()
    assert lines_of(job) == [{"itemId": "i1"}]
    run_jobs()
    page = words(alice.get(answer["Location"]).content.decode())
    assert "Film number 1" in page
    assert "of 12" in page


def test_viewers_read_and_do_not_start(alice, vera, charlie, account, run_jobs, version):
    alice.post("/create/batch-inference-jobs/?group=films", filled(form_of(alice), solution_version_arn=version))
    run_jobs()
    name = BatchInferenceJob.objects.get().name
    assert vera.get(f"/batch-inference-jobs/{name}/results.csv").status_code == 200
    assert vera.get("/create/batch-inference-jobs/").status_code == 403
    assert charlie.get(f"/batch-inference-jobs/{name}/results.csv").status_code == 404
