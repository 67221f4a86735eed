"""Implicit impressions: an event that only names a recommendation brings the list that was shown into training."""

from __future__ import annotations

import json

import pytest
import redis

from console import storage
from console.models import DatasetGroup, Event, SeenList, SolutionVersion
from console.operations.data import event_trackers, events
from console.runners.fitting import read
from console.runners.training_selection import Choice
from console.serving import recorder, seen_lists
from console.serving.impressions import PLACES
from recipes import artefact, catalogue
from recipes.cold_start.evidence import shown_lists
from tests.factories import call, put_events, trained
from tests.operations.worlds import dataset as actions_dataset
from tests.worlds import NOW, films
from tests.worlds import dataset as imported


@pytest.fixture
def recorded(broker, monkeypatch):
    """A broker that knows nothing yet and answers; returns it."""
    broker.flushall()
    monkeypatch.setattr(recorder, "_client", lambda: broker)
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    return broker


@pytest.fixture
def films_group(account):
    return films(account)


@pytest.fixture
def tracking_id(account, films_group):
    return event_trackers.create_event_tracker(account, name="live", dataset_group_arn=films_group.arn)["trackingId"]


def remember(broker, name, items, group=None, kind="items"):
    """Record an answer as it is found later: by another process, written out."""
    answer = {"source": "arn", "group": group or DatasetGroup.objects.get().pk, kind: items, "time": NOW}
    broker.set(recorder._key(name), json.dumps(answer))


def learned(group):
    """What a training of the group would learn from."""
    return read(group, Choice(), catalogue.get("aws-user-personalization")).everything


def updated(account, run_jobs, version):
    """The data of an UPDATE of the version's solution."""
    call("CreateSolutionVersion", account, solution_arn=version.rpartition("/")[0], training_mode="UPDATE")
    run_jobs()
    row = SolutionVersion.objects.order_by("-pk").first()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    return artefact.load(storage.local_folder(row.artefact)).data


def lists(data):
    """User, items and which of them were taken, of every list that was shown."""
    found = shown_lists(data)
    spans = list(zip(found.offsets[:-1], found.offsets[1:], strict=True))
    return [
        (data.user_ids[user], data.item_ids.take(found.items[low:high]), found.taken[low:high].tolist())
        for user, (low, high) in zip(found.user, spans, strict=True)
    ]


def test_lists_reach_an_update_after_the_recorder_has_forgotten_them(
    account, run_jobs, recorded, films_group, tracking_id
):
    version = trained(account, run_jobs, films_group, "aws-user-personalization")
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    answer = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=5)
    shown = [item["itemId"] for item in answer["itemList"]]
    named = {"recommendationId": answer["recommendationId"], "sentAt": NOW}
    put_events(account, tracking_id, {"itemId": shown[0], **named}, user_id="u1")
    put_events(account, tracking_id, {"itemId": shown[2], **named}, user_id="u1")
    recorder.flush()
    recorded.flushall()
    assert lists(updated(account, run_jobs, version)) == [("u1", shown, [True, False, True, False, False])]


def test_an_explicit_impression_wins(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-1", ["i1", "i2", "i3"])
    put_events(account, tracking_id, itemId="i2", recommendationId="RID-1", impression=["i2", "i9"], user_id="u1")
    assert lists(learned(films_group)) == [("u1", ["i2", "i9"], [True, False])]


def test_unknown_and_other_groups_recommendations_bring_nothing(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-theirs", ["i1", "i2"], group=films_group.pk + 1)
    for name in ("RID-theirs", "RID-unknown"):
        put_events(account, tracking_id, itemId="i1", recommendationId=name, user_id="u1")
    assert lists(learned(films_group)) == []
    assert list(Event.objects.values_list("impression", flat=True)) == [[], []]


def test_a_broker_that_is_away_costs_no_event_and_its_lists_are_joined_later(
    account, recorded, films_group, tracking_id, monkeypatch
):
    def away():
        raise redis.ConnectionError("gone")

    remember(recorded, "RID-1", ["i1", "i2"])
    with monkeypatch.context() as gone:
        gone.setattr(recorder, "_client", away)
        put_events(account, tracking_id, itemId="i2", recommendationId="RID-1", user_id="u1")
    assert Event.objects.get().impression == []
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    assert lists(learned(films_group)) == [("u1", ["i1", "i2"], [False, True])]
    assert Event.objects.get().impression == ["i1", "i2"]


def test_long_lists_are_kept_to_a_bound(account, recorded, tracking_id):
    remember(recorded, "RID-1", [f"i{place}" for place in range(500)])
    put_events(account, tracking_id, itemId="i2", recommendationId="RID-1")
    assert Event.objects.get().impression == [f"i{place}" for place in range(PLACES)]


def test_sessions_that_sign_in_keep_their_lists(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-1", ["i1", "i2"])
    put_events(account, tracking_id, itemId="i1", recommendationId="RID-1", user_id=None, session_id="visit")
    put_events(account, tracking_id, itemId="i5", user_id="u3", session_id="visit")
    assert lists(learned(films_group)) == [("u3", ["i1", "i2"], [True, False])]


def test_interactions_with_actions_get_the_actions_that_were_shown(account, recorded):
    table = actions_dataset(account, "ACTION_INTERACTIONS")
    remember(recorded, "RID-1", ["a", "b"], table.dataset_group_id, kind="actions")
    told = {"actionId": "b", "userId": "bob", "sessionId": "s", "timestamp": NOW, "eventType": "Taken"}
    events.put_action_interactions(
        account, tracking_id=table.tracking_id, action_interactions=[told | {"recommendationId": "RID-1"}]
    )
    assert Event.objects.get().impression == ["a", "b"]


def test_two_clicks_on_one_list_count_once_whatever_was_clicked_between(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-1", ["i1", "i2", "i3"])
    remember(recorded, "RID-2", ["i4", "i5"])
    for step, (item, name) in enumerate([("i1", "RID-1"), ("i5", "RID-2"), ("i3", "RID-1")]):
        put_events(account, tracking_id, itemId=item, recommendationId=name, sentAt=NOW + step, user_id="u1")
    assert lists(learned(films_group)) == [
        ("u1", ["i1", "i2", "i3"], [True, False, True]),
        ("u1", ["i4", "i5"], [False, True]),
    ]


@pytest.fixture
def campaign(account, run_jobs, recorded, films_group):
    version = trained(account, run_jobs, films_group, "aws-user-personalization")
    return call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]


def recommended(account, campaign, user_id):
    """The name and items of a list that is recorded."""
    answer = call("GetRecommendations", account, campaign_arn=campaign, user_id=user_id, num_results=4)
    recorder.flush()
    return answer["recommendationId"], [item["itemId"] for item in answer["itemList"]]


def seen(data):
    """User and items of the lists that were seen and no event names."""
    return [entry[:2] for entry in lists(data) if not any(entry[2])]


def elsewhere(shown):
    """An item that is not in the list."""
    return next(name for name in (f"i{number}" for number in range(1, 60)) if name not in shown)


def test_a_list_without_a_click_counts_once_its_user_was_there(account, campaign, films_group, tracking_id):
    _, shown = recommended(account, campaign, "u1")
    recommended(account, campaign, "u2")  # nobody saw it, as far as known
    assert seen(learned(films_group)) == []
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id="u1")
    assert seen(learned(films_group)) == [("u1", shown)]
    assert seen(learned(films_group)) == [("u1", shown)]


def test_seen_lists_outlast_the_recorder_and_reach_updates(
    account, run_jobs, campaign, recorded, films_group, tracking_id
):
    _, shown = recommended(account, campaign, "u1")
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id="u1")
    learned(films_group)
    recorded.flushall()
    version = SolutionVersion.objects.get().arn
    assert seen(updated(account, run_jobs, version)) == [("u1", shown)]


def test_a_list_that_a_later_event_names_is_no_list_without_a_click(account, campaign, films_group, tracking_id):
    name, shown = recommended(account, campaign, "u1")
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id="u1")
    learned(films_group)
    put_events(account, tracking_id, itemId=shown[0], recommendationId=name, user_id="u1", sentAt=NOW + 9)
    assert lists(learned(films_group)) == [("u1", shown, [True, False, False, False])]


def test_a_list_from_which_something_was_taken_without_naming_it_is_left_out(
    account, campaign, films_group, tracking_id
):
    _, shown = recommended(account, campaign, "u1")
    put_events(account, tracking_id, itemId=shown[2], user_id="u1")
    assert lists(learned(films_group)) == []


def test_trials_in_the_console_are_no_impressions(account, campaign, films_group, tracking_id):
    call("TestRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=4)
    recorder.flush()
    put_events(account, tracking_id, itemId="i1", user_id="u1")
    assert lists(learned(films_group)) == []


def test_a_list_is_dated_by_the_events_around_it(account, campaign, films_group, tracking_id):
    _, shown = recommended(account, campaign, "u1")
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id="u1", sentAt=NOW - 40 * 86_400)
    learned(films_group)
    assert abs(SeenList.objects.get().timestamp - (NOW - 40 * 86_400)) < 60


def test_the_lists_of_a_session_become_the_users_who_signs_in(account, campaign, films_group, tracking_id):
    _, shown = recommended(account, campaign, "visit")
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id=None, session_id="visit")
    assert seen(learned(films_group)) == []
    put_events(account, tracking_id, itemId=elsewhere(shown), user_id="u3", session_id="visit")
    assert seen(learned(films_group)) == [("u3", shown)]


def test_imported_rows_bring_the_lists_that_they_name(account, recorded):
    group = DatasetGroup.objects.create(account=account, name="bulk")
    size = 1200
    rows = {
        "USER_ID": [f"u{row % 40}" for row in range(size)],
        "ITEM_ID": [f"i{row % 50}" for row in range(size)],
        "TIMESTAMP": [NOW + row for row in range(size)],
        "RECOMMENDATION_ID": ["RID-1", "RID-unknown", *[None] * (size - 2)],
    }
    text = [("USER_ID", "string", {}), ("ITEM_ID", "string", {}), ("TIMESTAMP", "long", {})]
    imported(group, "INTERACTIONS", rows, [*text, ("RECOMMENDATION_ID", ["null", "string"], {})])
    remember(recorded, "RID-1", ["i0", "i1"], group.pk)
    for _ in range(2):
        assert lists(learned(group)) == [("u0", ["i0", "i1"], [True, False])]
        recorded.flushall()


def test_no_more_seen_lists_are_kept_than_stated(account, campaign, films_group, tracking_id, monkeypatch):
    monkeypatch.setattr(seen_lists, "MOST_KEPT", 2)
    for user in ("u1", "u2", "u3"):
        _, shown = recommended(account, campaign, user)
        put_events(account, tracking_id, itemId=elsewhere(shown), user_id=user)
    assert len(seen(learned(films_group))) == 2
