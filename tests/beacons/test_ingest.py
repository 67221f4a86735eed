"""The ingest key: it writes events to one tracker, reads nothing, and is limited in origin and rate."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace

import pytest
from django.test import Client

from console import rates
from console.errors import InvalidInputException
from console.models import Event, EventTracker
from console.operations.data import event_trackers
from tests.factories import put_events
from tests.operations.worlds import dataset

pytestmark = pytest.mark.django_db
CLICK = {"eventType": "click", "itemId": "7", "sentAt": 1_700_000_000}


@pytest.fixture(autouse=True)
def _fresh_rates():
    rates.RATE.forget()


@pytest.fixture
def tracker(account) -> EventTracker:
    group = dataset(account, "INTERACTIONS").dataset_group
    arn = event_trackers.create_event_tracker(account, name="live", dataset_group_arn=group.arn)["eventTrackerArn"]
    return EventTracker.objects.by_arn(account, arn)


def sent(key, body, *, method="post", **headers):
    text = body if isinstance(body, str) else json.dumps(body)
    return Client().generic(
        method.upper(), f"/ingest/{key}/events", text, content_type="text/plain;charset=UTF-8", headers=headers
    )


def test_a_beacon_becomes_events(tracker):
    key = event_trackers.issue_ingest_key(tracker)
    events = [CLICK | {"eventId": str(number)} for number in range(23)]
    answer = sent(key, {"sessionId": "s", "userId": "bob", "events": events}, Origin="https://shop.example")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert Event.objects.filter(dataset_group=tracker.dataset_group, user_id="bob").count() == 23


@pytest.mark.parametrize("key", ["", "ingest-nobody", "%00", "²"])
def test_an_unknown_key_is_refused(tracker, key):
    event_trackers.issue_ingest_key(tracker)
    assert sent(key, {"sessionId": "s", "events": [CLICK]}).status_code in {403, 404}
    assert not Event.objects.exists()


def test_a_withdrawn_or_replaced_key_is_refused(tracker):
    first = event_trackers.issue_ingest_key(tracker)
    second = event_trackers.issue_ingest_key(tracker)
    assert sent(first, {"sessionId": "s", "events": [CLICK]}).status_code == 403
    assert sent(second, {"sessionId": "s", "events": [CLICK]}).status_code == 204
    event_trackers.withdraw_ingest_key(tracker)
    assert sent(second, {"sessionId": "s", "events": [CLICK]}).status_code == 403


def test_a_key_is_bound_to_its_origins(tracker):
    key = event_trackers.issue_ingest_key(tracker, "https://shop.example http://localhost:3000")
    body = {"sessionId": "s", "events": [CLICK]}
    assert sent(key, body, Origin="https://shop.example").status_code == 204
    assert sent(key, body, Origin="https://evil.example").status_code == 403
    assert sent(key, body).status_code == 403
    with pytest.raises(InvalidInputException, match="without a path"):
        event_trackers.issue_ingest_key(tracker, "https://shop.example/cart")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        {"sessionId": "s"},
        {"sessionId": "s", "events": []},
        {"sessionId": "s", "events": [CLICK] * 101},
        {"sessionId": "s", "events": "many"},
        {"sessionId": "s", "events": [CLICK | {"eventType": 7}]},
        {"events": [CLICK]},
        {"sessionId": "s", "events": [CLICK], "trackingId": "other"},
    ],
    ids=str,
)
def test_what_is_no_list_of_events_is_refused(tracker, body):
    answer = sent(event_trackers.issue_ingest_key(tracker), body)
    assert answer.status_code == 400
    assert json.loads(answer.content)["message"]
    assert not Event.objects.exists()


def test_it_reads_nothing(tracker):
    key = event_trackers.issue_ingest_key(tracker)
    for method in ("get", "put", "delete"):
        assert sent(key, {}, method=method).status_code == 400
    assert (
        Client().post("/aws/recommendations", {}, "application/json", headers={"Authorization": key}).status_code == 403
    )


def test_a_flood_is_slowed_down(tracker, monkeypatch):
    monkeypatch.setattr(rates, "time", SimpleNamespace(monotonic=lambda: 1000.0))  # however slow the machine is
    key = event_trackers.issue_ingest_key(tracker)
    found = [sent(key, {"sessionId": "s", "events": []}) for _ in range(60)]
    assert {answer.status_code for answer in found} == {400, 429}
    assert [answer.status_code for answer in found[:50]] == [400] * 50


def test_behind_a_proxy_one_visitor_uses_up_nobody_elses_rate(tracker, monkeypatch, settings):
    settings.BEHIND_HTTPS = True
    monkeypatch.setattr(rates, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    key = event_trackers.issue_ingest_key(tracker)

    def status(address: str) -> int:
        return sent(key, {}, **{"X-Forwarded-For": f"203.0.113.77, {address}"}).status_code

    assert {status(f"198.51.100.1:{port}") for port in range(1, 61)} == {400, 429}
    assert status("198.51.100.2") == 400
    assert {status(f"2001:db8::{number}") for number in range(1, 61)} == {400, 429}
    assert status("2001:db8:0:1::1") == 400


def test_browsers_may_ask_first(tracker):
    answer = Client().options("/ingest/any/events", headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "*")
    assert answer["Access-Control-Allow-Headers"] == "content-type"


def test_the_script_is_small_and_for_pages_of_others():
    answer = Client().get("/op.js")
    assert answer.status_code == 200
    assert len(answer.content) <= 3 * 1024
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_good_events_of_a_page_are_kept(tracker):
    """A page does not send again what was refused."""
    key = event_trackers.issue_ingest_key(tracker)
    wrong = [CLICK | {"itemId": "undefined"}, CLICK | {"sentAt": 1_700_000_000_000}, {"eventType": "click"}]
    events = [CLICK | {"eventId": str(number)} for number in range(12)]
    answer = sent(key, {"sessionId": "s", "userId": "bob", "events": [*events[:3], *wrong, *events[3:]]})
    assert answer.status_code == 400
    assert "itemId is 'undefined'" in answer.json()["message"]
    assert Event.objects.count() == 12
    sent(key, {"sessionId": "s", "userId": "bob", "events": events})  # again: they have the same ids
    assert Event.objects.count() == 12


def test_a_page_takes_no_id_from_a_signed_caller(tracker):
    key = event_trackers.issue_ingest_key(tracker)
    guessed = [CLICK | {"eventId": f"order-{number}"} for number in range(20)]
    assert sent(key, {"sessionId": "evil", "userId": "evil", "events": guessed}).status_code == 204
    put_events(tracker.account, tracker.tracking_id, user_id="bob", eventId="order-5", itemId="7")
    assert Event.objects.get(user_id="bob").event_id == "order-5"


def test_a_packed_body_is_read(tracker):
    key = event_trackers.issue_ingest_key(tracker)
    body = gzip.compress(json.dumps({"sessionId": "s", "events": [CLICK]}).encode())
    assert Client().generic("POST", f"/ingest/{key}/events", body, content_type="text/plain").status_code == 204
    assert Event.objects.get().item_id == "7"
