"""The health page: every part with its state, the queue, the workers, the disk, the versions; nothing is waited for."""

from __future__ import annotations

import threading

import pytest

from console.disk import Disk
from console.health import HEALTH, NOT_CHECKED, Health, Unhealthy
from console.web.account import settings_pages
from tests.e2e.server import wait_until
from tests.factories import text_of

ADDRESS = "/settings/health/"


@pytest.fixture
def checked(alice, checks):
    """The page once its checks have come back, one of which fails."""

    def away():
        raise Unhealthy("the bucket is away")

    checks["storage"] = away
    wait_until(HEALTH.is_fresh, 30)
    return text_of(alice.get(ADDRESS))


def test_parts_are_being_checked_until_their_checks_come_back(alice, monkeypatch):
    monkeypatch.setattr(HEALTH, "is_fresh", lambda: False)  # so that no check begins
    page = text_of(alice.get(ADDRESS))
    assert page.count("being checked") == 4
    assert "fails" not in page


def test_a_check_that_has_just_begun_fails_nothing_and_one_that_hangs_does(monkeypatch):
    release = threading.Event()
    watched = Health({"broker": lambda: release.wait(30) and None})
    watched.is_fresh()
    monkeypatch.setattr("console.health.HANGING_S", 60.0)
    assert watched.report() == (503, {"status": "failing", "checks": {"broker": NOT_CHECKED}})
    monkeypatch.setattr("console.health.HANGING_S", 0.0)
    wait_until(lambda: "no answer within" in watched.report()[1]["checks"]["broker"])
    release.set()
    wait_until(lambda: watched.report()[0] == 200)


def test_each_part_says_whether_it_answers_and_why_not(checked):
    assert "SQLite 3" in checked
    assert "Valkey 8" in checked
    assert checked.count("answers") >= 3
    assert 'fails: <span translate="no">the bucket is away</span>' in checked


def test_queue_workers_disk_and_versions_are_told(checked):
    assert "Jobs in the queue</dt><dd>4</dd>" in checked
    assert "celery@one, celery@two" in checked
    assert "% used" in checked
    for name in ("OpenPersonalize", "Python", "Django", "PyTorch"):
        assert f"<dt>{name}</dt>" in checked


def test_a_disk_that_is_nearly_full_is_called_out(alice, monkeypatch):
    monkeypatch.setattr(settings_pages, "disk", lambda: Disk(total=100 * 2**30, free=2**30))
    assert "Delete solution versions" in alice.get(ADDRESS).text
    assert "99 % used" in text_of(alice.get(ADDRESS))
