"""Implicit impressions: an event that only names a recommendation brings the list that was shown into training."""

from __future__ import annotations

import json
import time

import pytest
import redis

from console import storage
from console.models import DatasetGroup, Event, SolutionVersion
from console.operations.data import event_trackers, events
from console.runners.fitting import read
from console.runners.training_selection import Choice
from console.serving import recorder
from console.serving.impressions import PLACES
from recipes import artefact, catalogue
from recipes.cold_start.evidence import shown_lists
from tests.operations.data.test_events import put
from tests.operations.training.test_solutions import call, trained
from tests.operations.worlds import dataset as actions_dataset
from tests.worlds import NOW, films


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
    put(account, tracking_id, {"itemId": shown[0], **named}, user_id="u1")
    put(account, tracking_id, {"itemId": shown[2], **named}, user_id="u1")
    _written()
    recorded.flushall()
    assert lists(updated(account, run_jobs, version)) == [("u1", shown, [True, False, True, False, False])]


def test_an_explicit_impression_wins(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-1", ["i1", "i2", "i3"])
    put(account, tracking_id, itemId="i2", recommendationId="RID-1", impression=["i2", "i9"], user_id="u1")
    assert lists(learned(films_group)) == [("u1", ["i2", "i9"], [True, False])]


def test_unknown_and_other_groups_recommendations_bring_nothing(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-theirs", ["i1", "i2"], group=films_group.pk + 1)
    for name in ("RID-theirs", "RID-unknown"):
        put(account, tracking_id, itemId="i1", recommendationId=name, user_id="u1")
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
        put(account, tracking_id, itemId="i2", recommendationId="RID-1", user_id="u1")
    assert Event.objects.get().impression == []
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    assert lists(learned(films_group)) == [("u1", ["i1", "i2"], [False, True])]
    assert Event.objects.get().impression == ["i1", "i2"]


def test_long_lists_are_kept_to_a_bound(account, recorded, tracking_id):
    remember(recorded, "RID-1", [f"i{place}" for place in range(500)])
    put(account, tracking_id, itemId="i2", recommendationId="RID-1")
    assert Event.objects.get().impression == [f"i{place}" for place in range(PLACES)]


def test_sessions_that_sign_in_keep_their_lists(account, recorded, films_group, tracking_id):
    remember(recorded, "RID-1", ["i1", "i2"])
    put(account, tracking_id, itemId="i1", recommendationId="RID-1", user_id=None, session_id="visit")
    put(account, tracking_id, itemId="i5", user_id="u3", session_id="visit")
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
        put(account, tracking_id, itemId=item, recommendationId=name, sentAt=NOW + step, user_id="u1")
    assert lists(learned(films_group)) == [
        ("u1", ["i1", "i2", "i3"], [True, False, True]),
        ("u1", ["i4", "i5"], [False, True]),
    ]


def _written():
    """Wait until the recorder's thread has written what it holds."""
    for _ in range(200):
        if not recorder._writer._waiting:
            return
        time.sleep(0.05)
    raise AssertionError("answers were not written")
