"""The two-hourly refresh: what is served learns of new items and trends under the same version."""

from __future__ import annotations

import pytest

from console.models import Event, Record, SolutionVersion
from console.runners import refreshing
from console.serving.caches import REQUEST_CACHE
from tests.factories import call, trained
from tests.worlds import NOW, films


@pytest.fixture
def hourless(settings):
    settings.REFRESH_HOURS = 0


def test_new_items_are_taken_up(account, run_jobs, hourless):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-user-personalization")
    arn = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    before = SolutionVersion.objects.get()
    assert refreshing.refresh_due() == 0  # nothing new
    values = {"TITLE": "New", "GENRES": "Comedy", "PRICE": 1.0, "CREATION_TIMESTAMP": NOW}
    Record.objects.create(dataset=group.datasets.get(type="ITEMS"), entity_id="brand-new", values=values)
    assert refreshing.refresh_due() == 1
    after = SolutionVersion.objects.get()
    assert after.artefact != before.artefact
    assert after.metrics == before.metrics
    assert after.report["figures"] == before.report["figures"]
    listed = call("GetRecommendations", account, campaign_arn=arn, user_id="u1", num_results=500)["itemList"]
    assert "brand-new" in {item["itemId"] for item in listed}
    assert refreshing.refresh_due() == 0


def test_trends_follow_the_stream(account, run_jobs, hourless):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-trending-now")
    arn = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    for user in range(30):
        Event.objects.create(
            dataset_group=group, event_id=str(user), user_id=f"u{user}", session_id="s", item_id="i77", event_type="click",
            timestamp=NOW + user,
        )  # fmt: skip
    assert call("GetRecommendations", account, campaign_arn=arn)["itemList"][0]["itemId"] != "i77"
    assert refreshing.refresh_due() == 1
    REQUEST_CACHE.forget()  # as a web process does by itself a quarter of a second after a worker's refresh
    assert call("GetRecommendations", account, campaign_arn=arn)["itemList"][0]["itemId"] == "i77"


def test_what_is_not_served_stays(account, run_jobs, hourless):
    group = films(account)
    trained(account, run_jobs, group, "aws-trending-now")
    group.datasets.update(revision=5)
    assert refreshing.refresh_due() == 0
