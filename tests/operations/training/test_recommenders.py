"""Use cases of a domain: from CreateRecommender to lists without what was watched."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, ResourceInUseException
from console.models import Recommender
from tests.factories import RECIPE, call
from tests.worlds import films


@pytest.fixture
def shop(account):
    return films(account, "shop", types=("Watch", "Click"), domain="VIDEO_ON_DEMAND")


def made(account, run_jobs, shop, case, **config):
    arn = call(
        "CreateRecommender", account, name=case, dataset_group_arn=shop.arn, recipe_arn=f"{RECIPE}aws-vod-{case}",
        recommender_config=config,
    )["recommenderArn"]  # fmt: skip
    run_jobs()
    return arn


def test_it_works(account, run_jobs, shop):
    arn = made(account, run_jobs, shop, "most-popular")
    told = call("DescribeRecommender", account, recommender_arn=arn)["recommender"]
    assert told["status"] == "ACTIVE", Recommender.objects.get().traceback
    assert "coverage" in told["modelMetrics"]
    answer = call("GetRecommendations", account, recommender_arn=arn, user_id="u1", num_results=5)
    assert len(answer["itemList"]) == 5
    assert all("score" not in item for item in answer["itemList"])
    with pytest.raises(InvalidInputException, match="userId is missing"):
        call("GetRecommendations", account, recommender_arn=arn)


def test_what_was_watched_is_left_out(account, run_jobs, shop):
    arn = made(account, run_jobs, shop, "because-you-watched-x", enableMetadataWithRecommendations=True)
    history = call("GetUserHistory", account, recommender_arn=arn, user_id="u1")["history"]
    watched = {event["itemId"] for event in history if event["eventType"] == "Watch"}
    answer = call(
        "GetRecommendations", account, recommender_arn=arn, user_id="u1", item_id="i1", num_results=50,
        metadata_columns={"ITEMS": ["GENRES", "PRICE"]},
    )  # fmt: skip
    listed = {item["itemId"] for item in answer["itemList"]}
    assert watched
    assert not listed & watched
    assert answer["itemList"][0]["metadata"].keys() == {"genres", "price"}


def test_half_of_a_list_is_promoted(account, run_jobs, shop):
    arn = made(account, run_jobs, shop, "most-popular")
    promoted = call(
        "CreateFilter", account, name="drama", dataset_group_arn=shop.arn,
        filter_expression='INCLUDE ItemID WHERE ITEMS.GENRES IN ("Drama")',
    )["filterArn"]  # fmt: skip
    answer = call(
        "GetRecommendations", account, recommender_arn=arn, user_id="u1", num_results=10,
        promotions=[{"name": "half", "percentPromotedItems": 50, "filterArn": promoted}],
    )["itemList"]  # fmt: skip
    tagged = [item for item in answer if item.get("promotionName") == "half"]
    assert len(answer) == 10
    assert len(tagged) == 5
    assert all(int(item["itemId"][1:]) % 4 == 2 for item in tagged)
    assert len({item["itemId"] for item in answer}) == 10


def test_it_stops_and_starts(account, run_jobs, shop):
    arn = made(account, run_jobs, shop, "most-popular")
    call("StopRecommender", account, recommender_arn=arn)
    with pytest.raises(InvalidInputException, match="INACTIVE"):
        call("GetRecommendations", account, recommender_arn=arn, user_id="u1")
    with pytest.raises(ResourceInUseException):
        call("StopRecommender", account, recommender_arn=arn)
    call("StartRecommender", account, recommender_arn=arn)
    assert call("GetRecommendations", account, recommender_arn=arn, user_id="u1")["itemList"]


def test_other_columns_are_trained_while_it_answers(account, run_jobs, shop):
    arn = made(account, run_jobs, shop, "most-popular")
    before = Recommender.objects.get().artefact
    call(
        "UpdateRecommender", account, recommender_arn=arn,
        recommender_config={"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}}},
    )  # fmt: skip
    assert call("GetRecommendations", account, recommender_arn=arn, user_id="u1")["itemList"]
    told = call("DescribeRecommender", account, recommender_arn=arn)["recommender"]
    assert (told["status"], told["latestRecommenderUpdate"]["status"]) == ("ACTIVE", "CREATE PENDING")
    run_jobs()
    assert Recommender.objects.get().artefact != before
    told = call("DescribeRecommender", account, recommender_arn=arn)["recommender"]
    assert told["latestRecommenderUpdate"]["status"] == "ACTIVE"


def test_a_training_that_fails_takes_nothing_down(account, run_jobs, shop, settings):
    arn = made(account, run_jobs, shop, "most-popular")
    settings.QUOTAS = settings.QUOTAS | {"MIN_INTERACTIONS": 10**6}
    config = {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["PRICE"]}}}
    call("UpdateRecommender", account, recommender_arn=arn, recommender_config=config)
    run_jobs()
    told = call("DescribeRecommender", account, recommender_arn=arn)["recommender"]
    assert told["status"] == "ACTIVE"
    assert told["latestRecommenderUpdate"]["status"] == "CREATE FAILED"
    assert "fewer than 1000000 interactions" in told["latestRecommenderUpdate"]["failureReason"]
    assert call("GetRecommendations", account, recommender_arn=arn, user_id="u1")["itemList"]
    call("StopRecommender", account, recommender_arn=arn)


def test_it_needs_its_domain(account):
    group = films(account)
    with pytest.raises(InvalidInputException, match="VIDEO_ON_DEMAND"):
        call(
            "CreateRecommender", account, name="r", dataset_group_arn=group.arn,
            recipe_arn=f"{RECIPE}aws-vod-top-picks",
        )  # fmt: skip
