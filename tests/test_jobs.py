"""Jobs as rows: claimed once, kept alive, taken up again, stopped, failed with a sentence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import redis
from celery import current_app
from django.utils import timezone

from console import jobs
from console.errors import JobError
from console.models import SampleLoad, Status


@pytest.fixture
def row(account) -> SampleLoad:
    return SampleLoad.objects.create(account=account, name="movielens-100k")


def _run(row, body) -> SampleLoad:
    held = jobs.claim("SampleLoad", row.pk)
    with jobs.running(held):
        body(held)
    row.refresh_from_db()
    return row


@pytest.mark.django_db(transaction=True)
def test_it_works(row):
    def body(held):
        held.report("training", 0.5, epoch=1, loss=2.5, message="half-way")
        held.finish()

    row = _run(row, body)
    assert row.status == Status.ACTIVE
    assert row.claim == ""
    assert row.progress["epochs"] == [{"epoch": 1, "loss": 2.5}]
    assert row.progress["log"][0].endswith("half-way")


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_while_the_broker_takes_nothing(row, monkeypatch):
    def refuse(*_arguments: object, **_more: object) -> None:
        raise redis.ResponseError("MISCONF Valkey is configured to save RDB snapshots, but it is unable to")

    monkeypatch.setattr(current_app, "send_task", refuse)
    jobs.enqueue(row)
    assert list(jobs._send_all([("SampleLoad", row.pk, 0.0, "")])) == [("SampleLoad", row.pk, 0.0, "")]


@pytest.mark.django_db(transaction=True)
def test_only_one_worker_gets_a_job(row):
    first = jobs.claim("SampleLoad", row.pk)
    assert first is not None
    assert jobs.claim("SampleLoad", row.pk) is None
    first.release()


@pytest.mark.django_db(transaction=True)
def test_an_expected_failure_becomes_the_reason(row):
    def body(held):
        raise JobError("There are 3 interactions; 1000 are needed.")

    row = _run(row, body)
    assert (row.status, row.failure_reason) == (Status.CREATE_FAILED, "There are 3 interactions; 1000 are needed.")
    assert row.traceback == ""


@pytest.mark.django_db(transaction=True)
def test_a_crash_keeps_its_traceback(row):
    row = _run(row, lambda held: 1 / 0)
    assert row.status == Status.CREATE_FAILED
    assert "ZeroDivisionError" in row.failure_reason
    assert "test_jobs.py" in row.traceback


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error", [OSError(17, "File exists", "/srv/data/buckets/b/x.csv"), ValueError("'/srv/data/buckets/b/x.csv' is odd")]
)
def test_a_crash_tells_nothing_of_where_the_server_keeps_things(row, error, settings):
    settings.DATA_DIR = Path("/srv/data")

    def fail(held):
        raise error

    row = _run(row, fail)

    assert type(error).__name__ in row.failure_reason
    assert "/" not in row.failure_reason
    assert "/srv/data" not in row.traceback
    assert str(settings.BASE_DIR) not in row.traceback


@pytest.mark.django_db(transaction=True)
def test_a_stop_is_noticed_between_reports(row, monkeypatch):
    monkeypatch.setattr(jobs, "HEARTBEAT_S", 0.05)  # a shorter wait, not another behaviour

    def body(held):
        SampleLoad.objects.filter(pk=row.pk).update(status=Status.CREATE_STOPPING)
        for _ in range(400):
            held.report("training")
            jobs.time.sleep(0.01)
        held.finish()

    assert _run(row, body).status == Status.CREATE_STOPPED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [None, JobError("The file is empty."), redis.ConnectionError("away")], ids=repr)
def test_a_stop_that_no_heartbeat_has_seen_yet_counts_at_the_end(row, error):
    def body(held):
        SampleLoad.objects.filter(pk=row.pk).update(status=Status.CREATE_STOPPING)
        if error is not None:
            raise error
        assert not held.finish()

    found = _run(row, body)
    assert (found.status, found.claim, found.failure_reason) == (Status.CREATE_STOPPED, "", None)
    assert found.finished is not None


@pytest.mark.django_db(transaction=True)
def test_a_lost_worker_is_noticed_and_cannot_overwrite_its_successor(row):
    lost = jobs.claim("SampleLoad", row.pk)
    lost.release()
    SampleLoad.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=1))
    assert jobs.reap() == 1
    row.refresh_from_db()
    assert (row.status, row.claim) == (Status.CREATE_PENDING, "")

    second = jobs.claim("SampleLoad", row.pk)
    assert lost.finish() is False
    with pytest.raises(jobs.Stopped):
        lost.report("training")
    assert second.finish() is True
    row.refresh_from_db()
    assert (row.status, row.attempts) == (Status.ACTIVE, 2)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_kills_its_worker_again_and_again_fails(row):
    for _ in range(jobs.MAX_ATTEMPTS):
        jobs.claim("SampleLoad", row.pk).release()
        SampleLoad.objects.filter(pk=row.pk).update(heartbeat=timezone.now() - timedelta(minutes=1))
        jobs.reap()
    row.refresh_from_db()
    assert row.status == Status.CREATE_FAILED
    assert "died 3 times" in row.failure_reason


@pytest.mark.django_db(transaction=True)
def test_stopping_a_job_whose_worker_died_ends_it(row):
    jobs.claim("SampleLoad", row.pk).release()
    past = timezone.now() - timedelta(minutes=1)
    SampleLoad.objects.filter(pk=row.pk).update(heartbeat=past, status=Status.CREATE_STOPPING)
    jobs.reap()
    row.refresh_from_db()
    assert row.status == Status.CREATE_STOPPED
