"""Interleavings: lists with items of both versions, credited to whoever ranks higher what users choose."""

from __future__ import annotations

import time

import pytest

from console.errors import InvalidInputException
from console.models import Event, Experiment, InterleavedList
from console.serving import recorder
from console.serving.experiments import is_treated
from tests.factories import call, make_version, trained
from tests.worlds import GENRES, films

USERS = [f"u{number}" for number in range(60)]


@pytest.fixture(autouse=True)
def lists_by_hand(by_hand, monkeypatch):
    """Lists of both versions are written by the same register."""
    monkeypatch.setattr("console.serving.interleaving.REGISTER", by_hand)


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def pair(account, run_jobs, group):
    """A campaign of popular items, with the personal version beside it."""
    versions = [
        trained(account, run_jobs, group, f"aws-{name}") for name in ("popularity-count", "user-personalization")
    ]
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=versions[0])["campaignArn"]
    made = call(
        "CreateExperiment",
        account,
        name="e",
        campaign_arn=campaign,
        treatment_version_arn=versions[1],
        kind="INTERLEAVED",
    )
    return campaign, made["experimentArn"]


def ask(account, campaign, users=USERS, **params):
    return {
        user: call("GetRecommendations", account, campaign_arn=campaign, user_id=user, num_results=8, **params)
        for user in users
    }


def choose(answers, chosen, group_row, kind="click"):
    """Each user takes the items of the list for which `chosen` holds."""
    for user, answer in answers.items():
        for item in answer["itemList"]:
            if chosen(user, item["itemId"]):
                Event.objects.create(
                    dataset_group=group_row, event_id=f"{user}{item['itemId']}{kind}", user_id=user, session_id="s",
                    item_id=item["itemId"], event_type=kind, timestamp=int(time.time()),
                    recommendation_id=answer["recommendationId"],
                )  # fmt: skip


def is_liked(user, item):
    """Users like one genre."""
    return int(user[1:]) % len(GENRES) == int(item[1:]) % len(GENRES)


def result(account, experiment):
    return call("GetExperimentResults", account, experiment_arn=experiment)


def test_lists_have_items_of_both_and_say_so(account, pair, counted, by_hand):
    campaign, experiment = pair
    row = Experiment.objects.get()
    taking_part = {user for user in USERS if is_treated(row.salt, user, 99)}
    answers = ask(account, campaign)
    by_hand.flush()
    assert {one.user_id for one in InterleavedList.objects.all()} == taking_part
    for one in InterleavedList.objects.all():
        answer = answers[one.user_id]
        assert [item["itemId"] for item in answer["itemList"]] == one.items
        assert len(set(one.items)) == 8
        assert min(one.advantages) < 0 < max(one.advantages)
        told = recorder.recall(answer["recommendationId"])
        assert (told["experimentArn"], sorted(set(told["teams"]))) == (experiment, [0, 1])
    user = min(taking_part)
    arm = call("GetExperimentArm", account, experiment_arn=experiment, user_id=user)
    assert arm["arm"] == "INTERLEAVED"
    assert arm["firstShown"]
    assert "solutionVersionArn" not in arm
    trace = call("GetRecommendationTrace", account, recommendation_id=answers[user]["recommendationId"])
    assert len(trace["items"]) == 8


def test_choices_favour_whoever_ranks_them_higher(account, pair, group, by_hand):
    campaign, experiment = pair
    answers = ask(account, campaign)
    by_hand.flush()
    assert result(account, experiment)["verdict"] == "TOO_EARLY"
    choose(answers, is_liked, group)
    told = result(account, experiment)
    assert told["verdict"] == "BETTER"
    found = told["interleaving"]
    assert found["always"]["low"] > 0
    assert found["preference"]["value"] > 0
    assert found["treatmentUsers"] > found["controlUsers"]
    assert found["lists"] == found["users"] == InterleavedList.objects.count()


def test_harm_is_found_too(account, pair, group, by_hand):
    campaign, experiment = pair
    answers = ask(account, campaign)
    by_hand.flush()
    choose(answers, lambda user, item: not is_liked(user, item), group)
    assert result(account, experiment)["verdict"] == "WORSE"


def test_only_what_counts_is_counted(account, pair, group, by_hand):
    campaign, experiment = pair
    Experiment.objects.update(event_types=["buy"])
    answers = ask(account, campaign)
    by_hand.flush()
    choose(answers, is_liked, group)
    Event.objects.create(dataset_group=group, event_id="x", user_id="u1", session_id="s", item_id="i1", event_type="buy",
                         timestamp=int(time.time()), recommendation_id="RID-of-nobody")  # fmt: skip
    found = result(account, experiment)["interleaving"]
    assert (found["controlUsers"], found["treatmentUsers"]) == (0, 0)


def test_at_the_end_the_sums_stay_and_the_users_go(account, pair, group, by_hand):
    campaign, experiment = pair
    answers = ask(account, campaign)
    by_hand.flush()
    choose(answers, is_liked, group)
    before = result(account, experiment)
    call("PromoteExperiment", account, experiment_arn=experiment)
    assert not InterleavedList.objects.exists()
    after = result(account, experiment)
    assert after["status"] == "PROMOTED"
    assert after["interleaving"] == before["interleaving"]
    assert after["verdict"] == before["verdict"]
    ask(account, campaign, ["u1"])
    by_hand.flush()
    assert not InterleavedList.objects.exists()


def test_requests_without_a_user_and_promoted_ones_are_the_controls(account, pair, group, by_hand):
    campaign, _ = pair
    call("GetRecommendations", account, campaign_arn=campaign, num_results=5)
    call(
        "CreateFilter",
        account,
        name="f",
        dataset_group_arn=group.arn,
        filter_expression="INCLUDE ItemID WHERE Items.PRICE > 5",
    )
    arn = call("ListFilters", account)["Filters"][0]["filterArn"]
    ask(account, campaign, ["u1"], promotions=[{"name": "p", "filterArn": arn, "percentPromotedItems": 50}])
    by_hand.flush()
    assert not InterleavedList.objects.exists()
    answer = ask(account, campaign, ["u1"], filter_arn=arn)["u1"]
    assert all(int(item["itemId"][1:]) % 10 > 5 for item in answer["itemList"])  # the filter is for both


def test_what_is_no_choice_from_the_catalogue_is_not_interleaved(account, group):
    versions = [make_version(group, f"aws-personalized-ranking{end}") for end in ("", "-v2")]
    campaign = call("CreateCampaign", account, name="r", solution_version_arn=versions[0])["campaignArn"]
    with pytest.raises(InvalidInputException, match="cannot be interleaved"):
        call(
            "CreateExperiment",
            account,
            name="e",
            campaign_arn=campaign,
            treatment_version_arn=versions[1],
            kind="INTERLEAVED",
        )


def test_interleaved_lists_tell_nothing_of_exploration(account, pair, counted, by_hand):
    campaign, _ = pair
    ask(account, campaign, USERS[:5])
    recorder.flush()
    assert call("GetOffPolicyEstimates", account, campaign_arn=campaign)["lists"] <= 1  # of who takes no part
