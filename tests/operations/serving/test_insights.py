"""What people ask of a trained model: reports, comparisons, look-ups, tests and explanations."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Event, SolutionVersion
from console.operations.base import OPERATIONS
from tests.factories import call, trained
from tests.worlds import films


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    return call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]


def test_the_report_has_intervals_and_baselines(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-sims")
    report = call("GetSolutionVersionReport", account, solution_version_arn=version)
    assert report["status"] == "ACTIVE"
    assert report["fraction"] == 1
    assert report["counts"]["interactions"] == 60 * 24
    metric = next(m for m in report["metrics"] if m["name"] == "precision_at_5")
    assert metric["low"] <= metric["value"] <= metric["high"]
    assert {"popularity", "random", "bestPossible"} <= metric.keys()
    assert metric["title"] == "Precision at 5"


def told_coverage(told, arn):
    values = next(m for m in told["metrics"] if m["name"] == "coverage")["values"]
    return next(value["value"] for value in values if value["solutionVersionArn"] == arn)


def test_versions_of_the_same_data_compare(account, run_jobs):
    group = films(account)
    versions = [
        trained(account, run_jobs, group, name) for name in ("aws-popularity-count", "aws-user-personalization")
    ]
    told = call("CompareSolutionVersions", account, solution_version_arns=versions)
    metric = next(m for m in told["metrics"] if m["name"] == "normalized_discounted_cumulative_gain_at_10")
    first, second = metric["values"]
    assert first["isBaseline"]
    assert "difference" not in first
    assert second["difference"] == pytest.approx(second["value"] - first["value"], abs=1e-6)
    assert second["verdict"] in {"better", "worse", "no difference shown"}
    assert next(p for p in told["parameters"] if p["name"] == "recipe")["differs"]
    coverage = next(m for m in told["metrics"] if m["name"] == "coverage")["values"][1]
    assert coverage["difference"] == pytest.approx(coverage["value"] - told_coverage(told, versions[0]), abs=1e-6)
    assert coverage["differenceLow"] <= coverage["difference"] <= coverage["differenceHigh"]
    assert coverage["verdict"] in {"better", "no difference shown"}  # six users are few to show it


def test_versions_of_different_data_are_refused(account, run_jobs):
    one = trained(account, run_jobs, films(account), "aws-sims")
    other = trained(account, run_jobs, films(account, "more", each=30), "aws-sims", name="other")
    with pytest.raises(InvalidInputException, match="interactions 1,440 against 1,800"):
        call("CompareSolutionVersions", account, solution_version_arns=[one, other])


def test_users_and_items_are_found(account, campaign):
    users = call("SearchUsers", account, campaign_arn=campaign, query="u1", max_results=5)
    assert users["total"] == 11
    assert users["users"][0] == {"userId": "u1", "events": 24}
    items = call("SearchItems", account, campaign_arn=campaign, query="number 7")
    assert items["titleColumn"] == "TITLE"
    assert {item["title"] for item in items["items"]} >= {"Film number 7", "Film number 70"}
    assert all(
        item["events"] == 0 for item in call("SearchItems", account, campaign_arn=campaign, kind="cold")["items"]
    )


def test_the_history_holds_live_events(account, campaign):
    group = SolutionVersion.objects.get().solution.dataset_group
    Event.objects.create(
        dataset_group=group, event_id="e", user_id="u1", session_id="s", item_id="i2", event_type="click",
        timestamp=1_800_000_000,
    )  # fmt: skip
    told = call("GetUserHistory", account, campaign_arn=campaign, user_id="u1")
    assert told["numEvents"] == 25
    assert told["history"][0]["isLive"]
    assert told["history"][0]["title"] == "Film number 2"
    assert told["attributes"] == {"age": "21", "tier": "gold"}


def test_a_test_has_titles_and_overrides(account, campaign):
    told = call(
        "TestRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=10, exploration_weight=0.0
    )
    assert len(told["items"]) == 10
    assert told["items"][0]["title"].startswith("Film number")
    assert not any(item["explored"] for item in told["items"])
    tries = [
        call("TestRecommendations", account, campaign_arn=campaign, user_id="u1", exploration_weight=1.0)["items"]
        for _ in range(5)  # each of the eight new items has one chance in two at a time
    ]
    assert any(item["explored"] and 0 < item["propensity"] < 1 for items in tries for item in items)
    assert all(not item["isHeldOut"] or item["isSeen"] for item in told["items"])
    everyone = [call("TestRecommendations", account, campaign_arn=campaign, user_id=f"u{user}") for user in range(30)]
    assert any(item["isHeldOut"] for answer in everyone for item in answer["items"])
    what_if = call(
        "TestRecommendations", account, campaign_arn=campaign, history=["i2", "i6", "i10"], exploration_weight=0.0
    )
    assert [item["itemId"] for item in what_if["items"]] != [item["itemId"] for item in told["items"]]


def test_tests_of_one_seed_differ_by_what_they_ask_and_not_by_chance(account, campaign):
    def items(**more):
        asked = {"campaign_arn": campaign, "user_id": "u1", "exploration_weight": 1.0} | more
        return [(item["itemId"], item["explored"]) for item in call("TestRecommendations", account, **asked)["items"]]

    lists = [[items(exploration_seed=seed) for _ in range(2)] for seed in range(6)]
    assert all(first == second for first, second in lists)
    assert any(explored for _, explored in lists[0][0])
    assert len({tuple(first) for first, _ in lists}) > 1
    group = SolutionVersion.objects.get().solution.dataset_group
    members = {
        "name": "some",
        "dataset_group_arn": group.arn,
        "filter_expression": 'INCLUDE ItemID WHERE Items.GENRES IN ("Horror")',
    }
    promotion = {"promotion_filter_arn": call("CreateFilter", account, **members)["filterArn"], "promotion_percent": 40}
    assert items(exploration_seed=1, **promotion) == items(exploration_seed=1, **promotion)


def test_an_item_is_explained(account, campaign):
    best = call("TestRecommendations", account, campaign_arn=campaign, user_id="u1", exploration_weight=0.0)["items"][0]
    told = call("ExplainRecommendation", account, campaign_arn=campaign, user_id="u1", item_id=best["itemId"])
    assert told["isRecommended"]
    assert told["rank"] == 1
    assert told["contributions"]
    unknown = call("ExplainRecommendation", account, campaign_arn=campaign, user_id="u1", item_id="nothing")
    assert unknown["droppedBy"] == "unknown"
    filtered = call(
        "ExplainRecommendation", account, campaign_arn=campaign, user_id="u1", item_id=best["itemId"],
        filter_expression='INCLUDE ItemID WHERE ITEMS.PRICE > 100',
    )  # fmt: skip
    assert filtered["droppedBy"] == "filter"


def test_a_filter_is_previewed(account, campaign):
    group = SolutionVersion.objects.get().solution.dataset_group
    told = call(
        "PreviewFilter", account, dataset_group_arn=group.arn,
        filter_expression='INCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy")',
    )  # fmt: skip
    assert (told["passing"], told["total"]) == (20, 80)
    assert all("Comedy" in card["metadata"]["genres"] for card in told["items"])
    assert not any("Comedy" in card["metadata"]["genres"] for card in told["dropped"])
    assert told["items"] == sorted(told["items"], key=lambda card: -card["events"])
    assert told["warnings"] == []
    with pytest.raises(InvalidInputException, match="NOTHING"):
        call(
            "PreviewFilter",
            account,
            dataset_group_arn=group.arn,
            filter_expression='INCLUDE ItemID WHERE ITEMS.NOTHING IN ("a")',
        )


def test_values_that_nothing_holds_are_told_where_one_tries(account, campaign):
    group = SolutionVersion.objects.get().solution.dataset_group
    expression = "INCLUDE ItemID WHERE ITEMS.GENRES IN ($G)"
    near = ['No row holds "comedy" in ITEMS.GENRES; near it is "Comedy".']
    values = {"filter_expression": expression, "filter_values": {"G": '"comedy"'}}
    previewed = call("PreviewFilter", account, dataset_group_arn=group.arn, **values)
    tested = call("TestRecommendations", account, campaign_arn=campaign, user_id="u1", **values)
    assert (previewed["passing"], previewed["warnings"]) == (0, near)
    assert (tested["items"], tested["warnings"]) == ([], near)


def test_a_failed_job_is_tried_again(account, run_jobs):
    group = films(account, users=10)
    version = trained(account, run_jobs, group, "aws-sims")
    assert "fewer than 1000 interactions" in SolutionVersion.objects.get().failure_reason
    call("RetryJob", account, resource_arn=version)
    assert SolutionVersion.objects.get().status == "CREATE PENDING"


@pytest.mark.parametrize("name", ["SearchUsers", "SearchItems", "TestRecommendations"])
def test_others_see_nothing(other_account, campaign, name):
    with pytest.raises(ResourceNotFoundException):
        OPERATIONS[name](other_account, campaign_arn=campaign)
