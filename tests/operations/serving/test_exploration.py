"""What exploration shows and teaches: read off recorded lists and the events that name them, for nobody else's campaign."""

from __future__ import annotations

import numpy as np
import pytest

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import DatasetGroup
from console.serving import recorder
from tests.explored_lists import DISLIKED, LIKED, clicked, served
from tests.factories import call, put_events, trained
from tests.worlds import NOW, films


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    return call("CreateCampaign", account, name="exploring", solution_version_arn=version)["campaignArn"]


@pytest.fixture
def group(account, campaign):
    return DatasetGroup.objects.get()


@pytest.fixture
def tracking(account, group):
    return call("CreateEventTracker", account, name="t", dataset_group_arn=group.arn)["trackingId"]


def test_it_works(account, counted, campaign, group, tracking):
    served(campaign, group.pk, 200)
    clicked(account, tracking, np.random.default_rng(1), 200)
    recorder.flush()
    told = call("GetExploration", account, campaign_arn=campaign)
    assert (told["lists"], told["places"], told["explored"]["places"]) == (200, 600, 100)
    assert told["exploredShare"] == pytest.approx(1 / 6)
    assert told["exploited"]["places"] == 500
    same = told["samePlaces"]
    assert same["exploited"]["value"] == pytest.approx(
        0.2, abs=0.08
    )  # of the third place only, where nothing else is taken
    assert same["explored"]["value"] == pytest.approx(0.45, abs=0.1)
    assert same["difference"]["low"] > 0
    assert told["newItems"] == {"total": 8, "waiting": 6, "open": 0, "pleases": 1, "disappoints": 1}
    first, second, *rest = told["items"]
    by_name = {item["itemId"]: item for item in (first, second)}
    assert by_name[LIKED]["state"] == "PLEASES"
    assert by_name[DISLIKED]["state"] == "DISAPPOINTS"
    assert by_name[LIKED]["appeal"]["low"] > 1 > by_name[DISLIKED]["appeal"]["high"]
    assert by_name[LIKED]["impressions"] == by_name[LIKED]["exploredImpressions"] == 50
    assert (by_name[LIKED]["title"], by_name[LIKED]["ageDays"]) == ("Film number 72", 0)  # newer than any event
    assert {item["state"] for item in rest} == {"WAITING"}
    hours = told["hours"]
    assert [hour["start"] for hour in hours] == sorted({(NOW + 60 * number) // 3600 * 3600 for number in range(200)})
    assert (sum(hour["places"] for hour in hours), sum(hour["exploredClicks"] for hour in hours)) == (
        600,
        told["explored"]["clicks"],
    )


def test_who_takes_a_new_item_is_told_by_what_else_they_took(account, counted, campaign, group, tracking):
    served(campaign, group.pk, 20)
    for number, user in enumerate(("u0", "u4", "u8", "u12")):  # who like Action
        put_events(account, tracking, user_id=user, itemId=LIKED, recommendationId=f"RID-{1 + 4 * number}")
    recorder.flush()
    [item] = [one for one in call("GetExploration", account, campaign_arn=campaign)["items"] if one["itemId"] == LIKED]
    bought = call("GetExploration", account, campaign_arn=campaign, event_types=["buy"])
    assert bought["explored"]["clicks"] == 0
    assert item["users"] == item["clicks"] == 4
    assert item["alsoTaken"]
    assert all(int(title.removeprefix("Film number ")) % 4 == 0 for title in item["alsoTaken"])


def test_lists_that_were_really_served_are_read_and_nobody_elses(account, other_account, counted, campaign):
    told = call("GetExploration", account, campaign_arn=campaign)
    assert (told["lists"], told["places"]) == (0, 0)
    assert "samePlaces" not in told
    assert told["newItems"]["waiting"] == told["newItems"]["total"] == 8
    assert {item["state"] for item in told["items"]} == {"WAITING"}
    with pytest.raises(ResourceNotFoundException):
        call("GetExploration", other_account, campaign_arn=campaign)
    for user in range(6):
        call("GetRecommendations", account, campaign_arn=campaign, user_id=f"u{user}", num_results=10)
    recorder.flush()
    told = call("GetExploration", account, campaign_arn=campaign)
    assert (told["lists"], told["places"]) == (6, 60)
    assert told["explored"]["places"] == round(60 * told["exploredShare"])


def test_what_does_not_explore_is_refused_in_words(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-popularity-count")
    arn = call("CreateCampaign", account, name="plain", solution_version_arn=version)["campaignArn"]
    with pytest.raises(InvalidInputException, match="does not explore"):
        call("GetExploration", account, campaign_arn=arn)
