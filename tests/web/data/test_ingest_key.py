"""The tracker's page makes, shows and withdraws the key for web pages."""

from __future__ import annotations

import pytest

from console.models import EventTracker
from console.operations.base import call_by_wire_names

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracker(account, films) -> EventTracker:
    call_by_wire_names("CreateEventTracker", account, {"name": "live", "datasetGroupArn": films.arn})
    return EventTracker.objects.get()


def test_a_key_is_made_shown_and_withdrawn(alice, tracker):
    url = f"/event-trackers/{tracker.arn_name}/"
    assert "data-key" not in alice.get(url).content.decode()
    shown = alice.post(f"{url}key/", {"what": "make", "origins": "https://shop.example"}, follow=True).content.decode()
    tracker.refresh_from_db()
    assert f"data-key=&quot;{tracker.ingest_key}&quot;" in shown
    assert "https://shop.example" in shown
    gone = alice.post(f"{url}key/", {"what": "withdraw"}, follow=True).content.decode()
    assert "The ingest key is withdrawn" in gone
    assert "data-key" not in gone


def test_an_origin_that_is_none_is_refused_with_words(alice, tracker):
    url = f"/event-trackers/{tracker.arn_name}/key/"
    assert "without a path" in alice.post(url, {"origins": "shop"}, follow=True).content.decode()


def test_others_make_no_key(vera, charlie, tracker):
    url = f"/event-trackers/{tracker.arn_name}/key/"
    assert vera.post(url, {"what": "make"}).status_code == 403
    assert charlie.post(url, {"what": "make"}).status_code == 404
    tracker.refresh_from_db()
    assert tracker.ingest_key is None
