"""The overview once something answers: its figures, the one next thing to do, a list for a random user."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.models import Campaign, Dataset, SolutionVersion
from console.operations.base import call_by_wire_names
from console.web.data.cockpit import cockpit, main_campaign
from console.web.data.steps import shown_steps, steps_of
from console.web.lookouts import quality_of
from tests.factories import trained
from tests.web.conftest import words
from tests.worlds import films as world


def serve(account, name: str, version: str) -> Campaign:
    call_by_wire_names("CreateCampaign", account, {"name": name, "solutionVersionArn": version})
    return Campaign.objects.get(name=name)


@pytest.fixture
def group(account, run_jobs):
    """A group in which two campaigns answer; the one made last is not personal."""
    found = world(account)
    serve(account, "personal", trained(account, run_jobs, found, "aws-user-personalization"))
    serve(account, "popular", trained(account, run_jobs, found, "aws-popularity-count"))
    return found


def test_it_works(alice, group):
    page = words(alice.get("/dataset-groups/films/").text)
    quality = quality_of(SolutionVersion.objects.get(solution__recipe="aws-user-personalization"))
    assert f"{quality.low:.3f}" in page
    assert f"{quality.times_popularity} popularity" in page
    for tile in ("Quality", "Requests in 24 h", "Reach", "Freshness"):
        assert f"<h2>{tile}</h2>" in page
    assert 'hx-trigger="load"' in page


def test_the_first_campaign_one_looks_at_is_the_personal_one(group):
    assert main_campaign(group).name == "personal"
    assert steps_of(group)[-1].url == "/campaigns/personal/"


def test_the_steps_leave_once_something_answers(alice, group):
    assert steps_of(group)[-1].state == "now"
    assert shown_steps(group) == []
    assert 'class="steps"' not in alice.get("/dataset-groups/films/").text


def test_ten_items_for_somebody(alice, group):
    shown = alice.get("/dataset-groups/films/strip/", headers={"HX-Request": "true"})
    assert shown.text.count('class="thumb') == 10
    assert "<html" not in shown.text
    assert "<html" in alice.get("/dataset-groups/films/strip/").text


def test_the_advice_is_the_first_thing_that_is_missing(group):
    def advice() -> str:
        return cockpit(group, list(Dataset.objects.filter(dataset_group=group)))["advice"].words

    assert advice() == "Create event tracker"
    call_by_wire_names("CreateEventTracker", group.account, {"name": "t", "datasetGroupArn": group.arn})
    assert advice() == "Open the test panel"
    SolutionVersion.objects.update(created=Dataset.objects.first().updated - timedelta(days=8))
    assert advice() == "Train again"


@pytest.mark.usefixtures("counted")
def test_lists_have_the_figures_one_looks_for(alice, group):
    campaigns = words(alice.get("/campaigns/?group=films").text)
    assert "Requests, last hour" in campaigns
    quality = str(quality_of(SolutionVersion.objects.get(solution__recipe="aws-user-personalization")))
    assert quality in campaigns
    assert quality in words(alice.get("/solutions/?group=films").text)
    assert quality in words(alice.get("/solution-versions/?group=films").text)
