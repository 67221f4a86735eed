"""Rankings, reasons, promotions and context: what a response says beside ids."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from console import notices
from console.errors import InvalidInputException
from console.models import Member, Token
from tests.aws.inprocess import client
from tests.factories import call, create_filter, trained
from tests.worlds import films

FAST = {"algorithmHyperParameters": {"mode": "fast"}}


@pytest.fixture
def group(account):
    return films(account)


def campaign(account, run_jobs, group, recipe, **config):
    version = trained(account, run_jobs, group, recipe, solution_config=FAST)
    return call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)[
        "campaignArn"
    ]


def test_a_ranking_is_the_list_in_the_users_order(account, run_jobs, group):
    arn = campaign(account, run_jobs, group, "aws-personalized-ranking")
    given = ["nothing", "i4", "i1", "i2", "i5"]
    told = call("GetPersonalizedRanking", account, campaign_arn=arn, user_id="u1", input_list=given)[
        "personalizedRanking"
    ]
    assert sorted(item["itemId"] for item in told) == sorted(given)
    assert {told[0]["itemId"], told[1]["itemId"]} == {"i1", "i5"}
    assert told[-1]["itemId"] == "nothing"
    assert "score" not in told[-1]
    assert sum(item.get("score", 0) for item in told) == pytest.approx(1, abs=1e-4)
    comedy = create_filter(account, group, "comedy", 'INCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy")')
    left = call(
        "GetPersonalizedRanking", account, campaign_arn=arn, user_id="u1", input_list=given, filter_arn=comedy
    )["personalizedRanking"]  # fmt: skip
    assert {item["itemId"] for item in left} == {"i1", "i5"}
    with pytest.raises(InvalidInputException, match="GetPersonalizedRanking"):
        call("GetRecommendations", account, campaign_arn=arn, user_id="u1")


def test_ids_are_asked_for_as_they_are_kept(account, run_jobs, group):
    arn = campaign(account, run_jobs, group, "aws-personalized-ranking")

    def ranked(user, items):
        with notices.collected() as found:
            told = call("GetPersonalizedRanking", account, campaign_arn=arn, user_id=user, input_list=items)
        return [(item["itemId"], item.get("score")) for item in told["personalizedRanking"]], found

    assert ranked(" u1 ", [" i1 ", "i2\t", "", "  "]) == (
        ranked("u1", ["i1", "i2"])[0],
        ["inputList holds 2 empty ids, which are left out."],
    )
    assert call("GetUserHistory", account, campaign_arn=arn, user_id="u1\n")["isKnown"]
    (card,) = call("GetItemCards", account, campaign_arn=arn, item_ids=[" i1"])["items"]
    assert (card["itemId"], bool(card["metadata"])) == ("i1", True)


def test_v2_gives_reasons_and_metadata(account, run_jobs, group):
    arn = campaign(account, run_jobs, group, "aws-user-personalization-v2")
    drama = create_filter(account, group, "drama", 'INCLUDE ItemID WHERE ITEMS.GENRES IN ("Drama")')
    told = call(
        "GetRecommendations", account, campaign_arn=arn, user_id="stranger", num_results=10,
        promotions=[{"name": "p", "percentPromotedItems": 20, "filterArn": drama}], metadata_columns={"ITEMS": ["TITLE"]},
    )["itemList"]  # fmt: skip
    reasons = [item["reason"] for item in told]
    assert reasons.count(["Promoted item"]) == 2
    assert reasons.count(["Popular item"]) == 8
    assert all(item["metadata"]["title"].startswith("Film number") for item in told)
    known = call("GetRecommendations", account, campaign_arn=arn, user_id="u1")["itemList"]
    assert all("reason" not in item for item in known)


def test_the_requests_filter_does_not_touch_promoted_items(account, run_jobs, group):
    arn = campaign(
        account, run_jobs, group, "aws-user-personalization", itemExplorationConfig={"explorationWeight": "0"}
    )
    comedy = create_filter(account, group, "comedy", 'INCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy")')
    genre = create_filter(account, group, "genre", "INCLUDE ItemID WHERE ITEMS.GENRES IN ($G)")
    promotion = {"name": "p", "percentPromotedItems": 40, "filterArn": genre, "filterValues": {"G": '"Drama"'}}
    told = call(
        "GetRecommendations", account, campaign_arn=arn, user_id="u1", num_results=10, filter_arn=comedy,
        promotions=[promotion],
    )["itemList"]  # fmt: skip
    promoted = [item for item in told if "promotionName" in item]
    assert len(promoted) == 4
    assert {int(item["itemId"][1:]) % 4 for item in promoted} == {2}
    assert {int(item["itemId"][1:]) % 4 for item in told if "promotionName" not in item} == {1}
    with pytest.raises(InvalidInputException, match="parameter G"):
        call(
            "GetRecommendations", account, campaign_arn=arn, user_id="u1",
            promotions=[{"name": "p", "percentPromotedItems": 40, "filterArn": genre}],
        )  # fmt: skip


def test_context_of_any_name_is_taken(account, run_jobs, group):
    arn = campaign(account, run_jobs, group, "aws-user-personalization")
    told = call("GetRecommendations", account, campaign_arn=arn, user_id="u1", context={"DEVICE": "tv", "nothing": "x"})
    assert len(told["itemList"]) == 25


def test_a_value_that_nothing_holds_is_told_beside_an_unchanged_answer(account, run_jobs, group):
    arn = campaign(account, run_jobs, group, "aws-user-personalization")
    chosen = create_filter(account, group, "genre", "INCLUDE ItemID WHERE Items.GENRES IN ($G)")
    sentence = 'No row holds "h\u00f6rror" in ITEMS.GENRES; near it is "Horror".'
    aws = client(account, "personalize-runtime")

    def ask(value):
        answer = aws.get_recommendations(campaignArn=arn, userId="u1", filterArn=chosen, filterValues={"G": value})
        return answer["itemList"], answer["ResponseMetadata"]["HTTPHeaders"].get("x-openpersonalize-warning")

    items, warning = ask('"h\u00f6rror"')
    assert (items, json.loads(warning)) == ([], sentence)
    items, warning = ask('"Horror"')
    assert (len(items), warning) == (20, None)

    Member.objects.create(user=(user := User.objects.create(username="alice")), account=account)
    rest = APIClient()
    rest.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(user)}")
    asked = {"userId": "u1", "filterArn": chosen, "filterValues": {"G": '"h\u00f6rror"'}}
    answer = rest.post("/api/v1/campaigns/c/recommendations/", asked, format="json").json()
    assert (answer["itemList"], answer["warnings"]) == ([], [sentence])
    told = rest.post("/api/v1/campaigns/c/recommendations/", asked | {"filterValues": {"G": "Horror"}}, format="json")
    assert "warnings" not in told.json()
