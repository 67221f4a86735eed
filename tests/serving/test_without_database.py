"""While the database is away: who was answered before is answered from what was read and from the snapshot; writes are refused."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from django.db import OperationalError

from console.aws import sigv4
from console.serving import caches, live_catalog
from console.serving.loader import model_of
from console.serving.pipeline import RequestBatch
from console.serving.request import RecommendationRequest
from console.serving.targets import campaign_target
from tests.aws.inprocess import client
from tests.factories import call, trained
from tests.faults import lost_database
from tests.worlds import films

EXPRESSION = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch") IF CurrentUser.AGE > 0'


@pytest.fixture(autouse=True)
def _nothing_is_fresh(monkeypatch):
    """Each request reads anew, as it does when it comes a moment later."""
    monkeypatch.setattr(caches, "FRESH_S", 0.0)
    monkeypatch.setattr(live_catalog, "FRESH_S", 0.0)
    monkeypatch.setattr(sigv4, "KEY_CACHE_S", 0.0)


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def campaign(account, run_jobs, group):
    arn = trained(account, run_jobs, group, "aws-popularity-count")
    return call("CreateCampaign", account, name="c", solution_version_arn=arn)["campaignArn"]


@pytest.fixture
def aws(account):
    return client(account, "personalize-runtime")


def items(answer) -> list[str]:
    return [item["itemId"] for item in answer["itemList"]]


def test_requests_go_on_with_what_was_read_before(account, group, campaign, aws):
    seen = call("CreateFilter", account, name="seen", dataset_group_arn=group.arn, filter_expression=EXPRESSION)[
        "filterArn"
    ]
    plain = {"campaignArn": campaign, "userId": "u1", "numResults": 5}
    filtered = plain | {"filterArn": seen}
    before = [items(aws.get_recommendations(**request)) for request in (plain, filtered)]
    with lost_database():
        assert [items(aws.get_recommendations(**request)) for request in (plain, filtered)] == before
        assert len(items(aws.get_recommendations(**plain | {"userId": "nobody"}))) == 5


def test_writes_and_strangers_are_told_to_come_back(account, group, campaign, aws):
    tracking_id = call("CreateEventTracker", account, name="t", dataset_group_arn=group.arn)["trackingId"]
    events, stranger = client(account, "personalize-events"), client(account, "personalize-runtime")
    event = {"eventType": "watch", "itemId": "i1", "sentAt": 1_700_000_000}
    put = {"trackingId": tracking_id, "sessionId": "s", "userId": "u1", "eventList": [event]}
    events.put_events(**put)
    aws.get_recommendations(campaignArn=campaign, userId="u1")
    with lost_database():
        for refused in (
            lambda: events.put_events(**put),
            lambda: stranger.get_recommendations(campaignArn=campaign, userId="u1"),
        ):
            with pytest.raises(ClientError) as caught:
                refused()
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert "retry-after" in caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    events.put_events(**put)


@pytest.mark.parametrize("module", [caches, sigv4])
def test_what_was_read_counts_for_some_minutes_only(campaign, aws, monkeypatch, module):
    aws.get_recommendations(campaignArn=campaign, userId="u1")
    monkeypatch.setattr(module, "STALE_S", 0.0)
    with lost_database(), pytest.raises(ClientError) as caught:
        aws.get_recommendations(campaignArn=campaign, userId="u1")
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailableException"


def test_a_batch_of_a_job_waits_for_the_database_instead(account, campaign):
    """Its answers stay: they are not made without what users have done since the training."""
    target, _ = campaign_target(account, campaign)
    loaded = model_of(target.artefact)
    request = RecommendationRequest(user_id="u1")
    with lost_database():
        with pytest.raises(OperationalError):
            RequestBatch.of(target, loaded, [request])
        assert RequestBatch.of(target, loaded, [request], goes_on=True).histories
