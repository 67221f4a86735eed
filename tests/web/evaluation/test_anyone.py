"""Any user and any versions, without a campaign: lists side by side, and the history changed by clicking."""

from __future__ import annotations

import pytest

from console.models import Campaign, SolutionVersion
from console.operations.base import call_by_wire_names
from console.web.evaluation.anyone import aligned
from tests.factories import trained
from tests.web.conftest import words
from tests.worlds import films as world


@pytest.fixture
def pair(account, run_jobs):
    group = world(account)
    for recipe in ("aws-user-personalization", "aws-popularity-count"):
        trained(account, run_jobs, group, recipe)
    return [version.arn_name for version in SolutionVersion.objects.order_by("created")]


def ask(alice, pair, **more):
    return alice.get("/compare/anyone/", {"group": "films", "version": pair, "baseline": pair[0]} | more)


def test_it_works(alice, pair):
    assert not Campaign.objects.exists()
    judged = {"u1", "u2"}  # any user: whether or not the test asked for them
    for user in judged:
        page = ask(alice, pair, user=user)
        lists = page.context["lists"]
        assert [label for label, _, _ in lists] == ["user-personalization", "popularity-count"]
        assert all(len(one["items"]) == 10 for _, _, one in lists)
        assert all("move" in item for item in lists[1][2]["items"])
    assert "events, newest first" in words(page.text)


def test_a_user_is_picked(alice, pair):
    assert ask(alice, pair, pick="heavy").context["user"].startswith("u")
    assert "Enter any user" in ask(alice, pair).text
    assert '<option value="u1"' in alice.get("/compare/anyone/users/", {"version": pair[0], "user": "u1"}).text


def test_a_changed_history_changes_the_list_and_is_undone(alice, pair):
    first = ask(alice, pair, user="u1").context
    gone = first["history"][0]["itemId"]
    changed = ask(alice, pair, user="u1", without=[gone], added=["i2", "i6"])
    assert "The history is changed" in changed.text
    _, _, personal = changed.context["lists"][0]
    assert personal["changed"]
    assert any(item["since"] for item in personal["items"])
    undone = changed.context["undone"]
    assert "added=i2" in undone
    assert "added=i6" not in undone
    assert f"without={gone}" in undone


def test_an_unknown_user_gets_the_lists_of_strangers(alice, pair):
    page = ask(alice, pair, user="nobody")
    assert page.context["num_events"] == 0
    assert all(one["items"] for _, _, one in page.context["lists"])


def test_what_the_first_list_has_and_another_lost_is_named():
    def items(*ids):
        return {"items": [{"itemId": name, "rank": rank} for rank, name in enumerate(ids, 1)]}

    refused = items() | {"refusal": "no history"}
    assert [one["lost"] for one in aligned([refused])] == [[]]
    none, base, moved = aligned([refused, items("a"), items("a", "b")])
    assert (none["items"], "move" in base["items"][0]) == ([], False)
    assert [item["move"]["by"] for item in moved["items"]] == [0, 0]
    first, second = aligned([items("a", "b", "c"), items("c", "d", "a")])
    assert first["lost"] == []
    assert [item["itemId"] for item in second["lost"]] == ["b"]
    assert [item["move"]["words"] for item in second["items"]] == ["up 2", "not in the first list", "down 2"]


@pytest.fixture
def related(account, run_jobs):
    group = world(account)
    for recipe in ("aws-sims", "aws-user-personalization"):
        trained(account, run_jobs, group, recipe)
    return [version.arn_name for version in SolutionVersion.objects.order_by("created")]


def test_related_items_go_with_the_newest_item_which_is_named(alice, related):
    page = ask(alice, related, user="u1")
    newest = page.context["history"][0]
    sims, personal = (one for _, _, one in page.context["lists"])
    assert sims["query_item"]["itemId"] == newest["itemId"]
    assert f"Goes with <b>{newest['title']}</b>, the newest of u1" in words(page.text)
    assert personal["query_item"] is None
    version = SolutionVersion.objects.get(recipe="aws-sims")
    asked = {"solutionVersionArn": version.arn, "itemId": newest["itemId"], "numResults": 10}
    wanted = call_by_wire_names("TestRecommendations", version.account, asked)["items"]
    assert [item["itemId"] for item in sims["items"]] == [item["itemId"] for item in wanted]

    changed = ask(alice, related, user="u1", without=[newest["itemId"]])
    assert f"Goes with <b>{newest['title']}</b>" not in words(changed.text)
    assert "Goes with <b>Film" in words(changed.text)
    everything = [event["itemId"] for event in page.context["history"]]
    assert "no history" in words(ask(alice, related, user="u1", without=everything).text)
    stranger = ask(alice, related, user="nobody")
    assert "The user nobody has no history with items that the model knows" in words(stranger.text)
    assert stranger.context["lists"][1][2]["items"]
    german = alice.get(
        "/compare/anyone/", {"group": "films", "version": related, "user": "u1"}, headers={"Accept-Language": "de"}
    )
    assert f"Passt zu <b>{newest['title']}</b>, dem neuesten Artikel von u1" in words(german.text)


def test_lists_say_why_also_after_a_change(alice, related):
    page = ask(alice, related, user="u1", added=["i2", "i6"])
    version = next(name for name in related if "personal" in name)
    assert page.text.count('class="whylink"') == 10  # what goes with an item is said above its list
    best = page.context["lists"][1][2]["items"][0]["itemId"]
    why = alice.get(f"/compare/anyone/why/?version={version}&user=u1&added=i2&added=i6&of={best}")
    assert "It stands at place" in why.text
    assert "Mostly because of Film number" in words(why.text)


def test_what_was_held_out_stays_ringed_after_a_change(alice, pair):
    for user in range(60):
        page = ask(alice, pair, user=f"u{user}")
        ringed = [item for _, _, one in page.context["lists"] for item in one["items"] if item["isHeldOut"]]
        if ringed:
            break
    assert page.context["is_ringed"]
    gone = next(event["itemId"] for event in page.context["history"] if event["itemId"] != ringed[0]["itemId"])
    changed = ask(alice, pair, user=f"u{user}", without=[gone])
    assert changed.context["is_ringed"]
    assert "taken by the user in the test set" in changed.text
