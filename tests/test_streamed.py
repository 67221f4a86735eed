"""Counts of streamed events: what is old is counted once and remembered, what is new or forgotten changes them at once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import redis
from django.core.cache.backends.locmem import LocMemCache

from console import streamed
from console.models import Event
from console.operations.data.event_rows import new_event
from tests.operations.worlds import group as make_group


@pytest.fixture
def group(account, monkeypatch):
    monkeypatch.setattr(streamed, "cache", LocMemCache("streamed", {}))
    streamed.cache.clear()
    monkeypatch.setattr(streamed, "KEPT_FROM", 100)
    return make_group(account)


def stream(group, start, end, kind="click", *, is_action=False):
    Event.objects.bulk_create(
        new_event(
            group, event_id=f"{kind}{n}", user_id="u", session_id="s", item_id="7", event_type=kind, timestamp=n,
            is_action=is_action,
        )
        for n in range(start, end)
    )  # fmt: skip


def test_they_follow_what_comes_in_and_what_is_deleted(group):
    assert not streamed.streamed_types(group)
    stream(group, 0, 150)
    stream(group, 0, 10, "Buy")
    stream(group, 0, 5, "Taken", is_action=True)
    for _ in range(2):
        assert streamed.streamed_types(group) == {"click": 150, "Buy": 10}
        assert streamed.streamed_types(group, is_action=True) == {"Taken": 5}
    assert streamed.streamed_events(group) == 165
    stream(group, 150, 160)
    assert streamed.streamed_types(group) == {"click": 160, "Buy": 10}
    group.events.filter(event_type="click").delete()
    streamed.forget_counts(group.pk)
    assert streamed.streamed_types(group) == {"Buy": 10}


def test_of_what_was_counted_no_event_is_read_again(group, instructions):
    stream(group, 0, 5_000)
    streamed.streamed_types(group)
    stream(group, 5_000, 5_010)
    assert instructions(lambda: streamed.streamed_types(group)) < 100


def test_what_a_restored_database_does_not_hold_is_not_counted(group):
    stream(group, 0, 150)
    streamed.streamed_types(group)
    Event.objects.filter(timestamp__gte=20).delete()
    assert streamed.streamed_types(group) == {"click": 20}


def test_without_the_broker_all_are_counted(group, monkeypatch):
    def away(*_):
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(streamed, "cache", SimpleNamespace(get=away, set=away, delete=away))
    stream(group, 0, 150)
    streamed.forget_counts(group.pk)
    assert streamed.streamed_types(group) == {"click": 150}
