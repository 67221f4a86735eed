"""Versions that relate items, asked for a user's list: they go by the newest of the user's items, and say which."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException
from console.models import DatasetGroup, Event
from tests.factories import call, trained
from tests.worlds import NOW, films

RELATED = ["aws-sims", "aws-similar-items"]


def shown(answer):
    return [item["itemId"] for item in answer["items"]]


@pytest.fixture
def ask(account, run_jobs):
    def ask(recipe, **members):
        return call("TestRecommendations", account, solution_version_arn=versions(recipe), num_results=10, **members)

    def versions(recipe):
        if recipe not in made:
            made[recipe] = trained(account, run_jobs, group, recipe)
        return made[recipe]

    group, made = films(account), {}
    ask.version = versions
    return ask


@pytest.mark.parametrize("recipe", RELATED)
def test_it_works(account, ask, recipe):
    version = ask.version(recipe)
    newest, second = [
        event["itemId"]
        for event in call("GetUserHistory", account, solution_version_arn=version, user_id="u1", max_results=2)[
            "history"
        ]
    ]
    answer = ask(recipe, user_id="u1")
    assert (answer["queryItem"]["itemId"], answer["queryItem"]["isNewest"]) == (newest, True)
    assert answer["queryItem"]["title"].startswith("Film number")
    assert shown(answer) == shown(ask(recipe, item_id=newest)) != shown(ask(recipe, item_id=second))
    assert not ask(recipe, item_id=newest)["queryItem"]["isNewest"]
    assert not answer["warnings"]


def test_what_is_left_out_or_added_changes_which_item_is_the_newest(account, ask):
    version = ask.version("aws-sims")
    history = call("GetUserHistory", account, solution_version_arn=version, user_id="u1")["history"]
    newest = history[0]["itemId"]
    second = next(event["itemId"] for event in history if event["itemId"] != newest)
    assert ask("aws-sims", user_id="u1", left_out_items=[newest])["queryItem"]["itemId"] == second
    assert ask("aws-sims", user_id="u1", added_items=["i2", "i6"])["queryItem"]["itemId"] == "i6"
    everything = [event["itemId"] for event in history]
    with pytest.raises(InvalidInputException, match="u1 has no history"):
        ask("aws-sims", user_id="u1", left_out_items=everything)


def test_a_live_event_is_the_newest(ask):
    ask.version("aws-sims")
    Event.objects.create(
        dataset_group=DatasetGroup.objects.get(), event_id="e", user_id="u1", session_id="s", item_id="i2",
        event_type="click", timestamp=NOW + 99,
    )  # fmt: skip
    assert ask("aws-sims", user_id="u1")["queryItem"]["itemId"] == "i2"


def test_a_user_without_history_is_told_of(ask):
    with pytest.raises(InvalidInputException, match=r"The user nobody has no history .* name an item") as refused:
        ask("aws-sims", user_id="nobody")
    assert refused.value.field == "itemId"
    with pytest.raises(InvalidInputException, match="itemId is missing"):
        ask("aws-sims")


@pytest.mark.parametrize("recipe", RELATED)
def test_popular_items_instead_of_related_ones_are_told_of(ask, recipe):
    answer = ask(recipe, item_id="nothing")
    assert answer["items"]
    assert answer["warnings"] == [
        'The model knows nothing that goes with the item "nothing"; popular items are listed.'
    ]


def test_other_recipes_go_by_the_user(ask):
    answer = ask("aws-user-personalization", user_id="u1")
    assert "queryItem" not in answer
    assert ask("aws-user-personalization", user_id="nobody")["items"]
