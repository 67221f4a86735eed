"""What is asked of a campaign is counted, over a real broker; without one, serving goes on."""

from __future__ import annotations

import time

import pytest
import redis

from console.errors import InvalidInputException, ResourceNotFoundException
from console.operations.base import OPERATIONS
from console.serving import traffic
from tests.factories import call, trained
from tests.worlds import films


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "1.0", "explorationItemAgeCutOff": "36500"}}
    # a name of its own: what other tests still had to write would count for the same ARN
    return call("CreateCampaign", account, name="counted", solution_version_arn=version, campaign_config=config)[
        "campaignArn"
    ]


def test_it_works(account, counted, campaign):
    for user in ("u1", "u2", "u3"):
        answer = call("GetRecommendations", account, campaign_arn=campaign, user_id=user, num_results=10)
        assert "explored" not in answer
    with pytest.raises(InvalidInputException):
        call("GetRecommendations", account, campaign_arn=campaign)
    traffic.METER.flush()
    told = call("GetTraffic", account, campaign_arn=campaign)
    assert told["total"]["requests"] == 4
    assert told["total"]["errors"] == 1
    assert 0 < told["total"]["p50"] <= told["total"]["p99"]
    assert told["total"]["exploredShare"] == sum(one["explored"] for one in told["requests"]) / 30
    newest = told["requests"]
    assert [one.get("userId") for one in newest] == [None, "u3", "u2", "u1"]
    assert newest[0]["error"].startswith("userId is missing")
    trace = call("GetRecommendationTrace", account, recommendation_id=newest[1]["recommendationId"])
    assert len(trace["items"]) == 10
    assert all(0 < item["score"] < 1 for item in trace["items"])
    assert sum(item["explored"] for item in trace["items"]) == newest[1]["explored"]
    assert trace["sourceArn"] == campaign


def test_answers_from_memory_are_counted(account, counted, campaign):
    call("TestRecommendations", account, campaign_arn=campaign, user_id="u1")  # remembers, and counts nothing
    call("TestRecommendations", account, campaign_arn=campaign, user_id="u1")
    for user in ("u2", "u2", "u1"):
        call("GetRecommendations", account, campaign_arn=campaign, user_id=user)
    traffic.METER.flush()
    told = call("GetTraffic", account, campaign_arn=campaign)
    assert (told["total"]["requests"], told["total"]["cacheHits"]) == (3, 2)
    assert [one["isRemembered"] for one in told["requests"]] == [True, True, False]


def test_nobody_elses_traffic_is_read_or_written(account, other_account, counted, campaign):
    with pytest.raises(ResourceNotFoundException):
        call("GetRecommendations", other_account, campaign_arn=campaign, user_id="u1")
    mine = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")
    traffic.METER.flush()
    assert call("GetTraffic", account, campaign_arn=campaign)["total"]["requests"] == 1
    with pytest.raises(ResourceNotFoundException):
        call("GetTraffic", other_account, campaign_arn=campaign)
    with pytest.raises(ResourceNotFoundException):
        call("GetRecommendationTrace", other_account, recommendation_id=mine["recommendationId"])


def test_only_a_hundred_requests_are_kept(counted, account):
    meter = traffic.Meter()
    for place in range(250):
        meter.note(
            "arn", {"time": time.time(), "milliseconds": 1.0, "results": 1, "explored": 0, "error": "", "n": place}
        )
        if place % 60 == 0:
            meter.flush()
    meter.flush()
    assert [one["n"] for one in traffic.latest("arn")] == list(range(249, 149, -1))
    assert sum(found.counts["requests"] for _, found in traffic.by_minute("arn", 3)) == 250


def test_percentiles_are_near(counted):
    counts = traffic.Counter()
    for milliseconds in range(1, 101):
        counts[f"b{traffic.bucket_of(milliseconds)}"] += 1
    found = traffic.Minutes(counts)
    assert found.percentile(0.5) == pytest.approx(50, rel=0.1)
    assert found.percentile(0.99) == pytest.approx(99, rel=0.1)


def test_serving_goes_on_without_a_broker(account, campaign, monkeypatch):
    def away():
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(traffic, "_client", away)
    assert OPERATIONS["GetRecommendations"](account, campaign_arn=campaign, user_id="u1")["itemList"]
    traffic.METER.flush()
    assert call("GetTraffic", account, campaign_arn=campaign)["isKnown"] is False


def test_what_a_page_of_servers_was_asked_is_read_in_one_exchange(account, counted, campaign, monkeypatch):
    for _ in range(3):
        call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=2)
    traffic.METER.flush()
    exchanges = []
    real = counted.pipeline
    monkeypatch.setattr(counted, "pipeline", lambda **options: exchanges.append(1) or real(**options))
    found = traffic.by_minute_of([campaign, f"{campaign}-other", campaign], 60)
    assert len(exchanges) == 1
    requests = {arn: sum(one.counts["requests"] for _, one in rows) for arn, rows in found.items()}
    assert requests == {campaign: 3, f"{campaign}-other": 0}
    assert traffic.by_minute_of([], 60) == {}
