"""Streamed rows are committed in groups: each asker hears of its own rows, after they are durable, or at once that there is no room."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection

from console.errors import ServiceUnavailableException, ThrottlingException
from console.models import Account, Event
from console.operations.base import OPERATIONS
from console.operations.data.group_commit import GroupCommit
from console.settings import SQLITE_OPTIONS
from tests.faults import locked_database
from tests.operations.worlds import group

pytestmark = pytest.mark.django_db(transaction=True)


class Held:
    """A writer in the middle of a write, so that what comes meanwhile gathers."""

    def __init__(self, writer: GroupCommit) -> None:
        self.release, began = threading.Event(), threading.Event()
        self.pool = ThreadPoolExecutor(16)

        def hold() -> None:
            began.set()
            self.release.wait(60)

        self.first = self.pool.submit(writer.run, hold)
        assert began.wait(60)

    def gather(self, writer: GroupCommit, writes) -> list[Future]:
        futures = [self.pool.submit(writer.run, write) for write in writes]
        while writer.queue.num_waiting < len(writes):
            time.sleep(0.005)
        self.release.set()
        return futures


def make(number: int) -> str:
    return Account.objects.create(number=f"{number:012}", name=f"account-{number}").name


def test_what_gathers_is_committed_together_and_told_after_that():
    writer, done_before = GroupCommit(), []
    held = Held(writer)
    futures: list[Future] = []

    def write(number: int) -> str:
        done_before.append(any(future.done() for future in futures))
        return make(number)

    futures += held.gather(writer, [lambda n=n: write(n) for n in range(8)])
    assert sorted(future.result(60) for future in futures) == [f"account-{n}" for n in range(8)]
    assert done_before == [False] * 8
    assert Account.objects.count() == 8


def test_a_failure_undoes_its_own_rows_and_no_others():
    writer = GroupCommit()

    def fail() -> None:
        make(77)
        raise ValueError("this one")

    good, bad, other = Held(writer).gather(writer, [lambda: make(1), fail, lambda: make(2)])
    assert (good.result(60), other.result(60)) == ("account-1", "account-2")
    with pytest.raises(ValueError, match="this one"):
        bad.result(60)
    assert sorted(Account.objects.values_list("name", flat=True)) == ["account-1", "account-2"]


def test_a_full_queue_is_told_at_once():
    writer = GroupCommit(room=2)
    held = Held(writer)
    held.gather(writer, [])
    held = Held(writer)
    waiting = [held.pool.submit(writer.run, lambda n=number: make(n)) for number in range(2)]
    while writer.queue.num_waiting < 2:
        time.sleep(0.005)
    with pytest.raises(ThrottlingException) as caught:
        writer.run(lambda: make(3))
    assert caught.value.retry_after_s
    held.release.set()
    assert [future.result(60) for future in waiting] == [
        "account-0",
        "account-1",
    ]  # else they write while tables are emptied


def test_nothing_is_acknowledged_that_is_not_committed(account):
    films = group(account)
    tracking = OPERATIONS["CreateEventTracker"](account, name="t", dataset_group_arn=films.arn)["trackingId"]
    event = {"eventType": "watch", "itemId": "1", "sentAt": time.time(), "eventId": "e1"}

    def put() -> None:
        OPERATIONS["PutEvents"](account, tracking_id=tracking, session_id="s", user_id="u", event_list=[event])

    with locked_database(), pytest.raises(ServiceUnavailableException):
        put()
    assert not Event.objects.exists()
    put()
    put()  # sent again, as after an answer that was lost
    assert Event.objects.count() == 1


def test_the_writers_transaction_that_fails_is_told_to_all_of_its_group():
    writer = GroupCommit()
    with locked_database(), pytest.raises(OperationalError):
        writer.run(lambda: make(1))
    assert writer.run(lambda: make(2)) == "account-2"


def test_a_commit_is_on_the_disk_before_it_is_told():
    assert "synchronous=FULL" in SQLITE_OPTIONS["init_command"]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == 2
