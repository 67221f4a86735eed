"""Faults that pass by themselves: jobs are tried again, callers get 503 with Retry-After, the log gets a line and no traceback."""

from __future__ import annotations

import logging
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from celery import current_app
from django.contrib.auth.models import User
from django.db import DatabaseError, OperationalError, transaction
from django.db.utils import ConnectionHandler
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from rest_framework.test import APIClient
from safetensors import SafetensorError

from console import jobs, tasks, transient
from console.clock import SteadyScheduler
from console.models import Member, SampleLoad, Status, Token
from tests.aws.inprocess import client as boto3_client
from tests.faults import locked_database

pytestmark = pytest.mark.django_db(transaction=True)


def raised(kind, body) -> BaseException:
    with pytest.raises(kind) as found:
        body()
    return found.value


def sqlite_at(path: Path):
    options = {"timeout": 0.05, "transaction_mode": "IMMEDIATE"}
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options}})
    connection = handler["default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS things (name TEXT)")
    return connection


def insert(connection, text="thing") -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO things VALUES (%s)", [text])


def test_a_locked_a_full_and_a_read_only_database_pass_by_themselves(tmp_path):
    connection = sqlite_at(tmp_path / "some.sqlite3")
    other = sqlite3.connect(tmp_path / "some.sqlite3")
    other.execute("BEGIN IMMEDIATE")
    assert transient.fault(raised(OperationalError, lambda: insert(connection))) == "The database is busy."
    other.rollback()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 3")
    assert transient.fault(raised(OperationalError, lambda: insert(connection, "x" * 100_000))) == "The disk is full."
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    assert transient.fault(raised(OperationalError, lambda: insert(connection))) == "The disk is read-only."


def test_mistakes_in_a_query_are_lasting(tmp_path):
    connection = sqlite_at(tmp_path / "some.sqlite3")
    for statement in ("SELECT nothing FROM things", "SELECT * FROM nowhere", "SELEC"):
        error = raised(OperationalError, lambda text=statement: connection.cursor().execute(text))
        assert transient.fault(error) is None
    assert transient.fault(ValueError("wrong")) is None


def test_a_postgresql_that_is_away_passes_by_itself():
    options = {"connect_timeout": 2}
    where = {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "HOST": "127.0.0.1", "PORT": 1, "OPTIONS": options}
    handler = ConnectionHandler({"default": where})
    assert transient.fault(raised(DatabaseError, handler["default"].ensure_connection))


def test_a_full_disk_a_missing_broker_and_store_pass_by_themselves(tmp_path):
    def fill() -> None:
        with Path("/dev/full").open("w") as file:
            file.write("x")
            file.flush()

    assert "full" in transient.fault(raised(OSError, fill))
    nowhere = f"unix://{tmp_path}/nobody.sock"
    assert "broker" in transient.fault(raised(redis.ConnectionError, redis.Redis.from_url(nowhere).ping))
    assert "broker" in transient.fault(raised(BrokerError, lambda: _send(f"redis+socket://{tmp_path}/nobody.sock")))
    config = Config(retries={"max_attempts": 0}, connect_timeout=1)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    store = boto3.client("s3", endpoint_url="http://127.0.0.1:1", config=config, **keys)
    error = raised(BotoCoreError, store.list_buckets)
    assert "store" in transient.fault(error)
    assert isinstance(transient.job_error("Cannot access it", error), Exception)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"), "disk is full"),
        (SafetensorError("Error while serializing: I/O error: Permission denied (os error 13)"), None),
        (SafetensorError("Error while deserializing header: header too large"), None),
        (redis.ResponseError("MISCONF Valkey is configured to save RDB snapshots, but it's unable to"), "broker"),
        (redis.ReadOnlyError("You can't write against a read only replica."), "broker"),
        (redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "broker"),
        (redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), None),
    ],
)
def test_what_a_full_disk_makes_of_a_model_and_of_the_broker_passes_by_itself(error, reason):
    assert (transient.fault(error) is None) == (reason is None)
    assert (reason or "") in str(transient.fault(error))


def _send(url: str) -> None:
    with current_app.connection_for_write(url) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


def test_every_interface_answers_503_while_the_database_is_locked(account, caplog):
    user = User.objects.create_user("alice", password="right-password")
    Member.objects.create(user=user, account=account)
    browser, rest = Client(raise_request_exception=False), APIClient(raise_request_exception=False)
    browser.force_login(user)
    rest.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(user)}")
    wire = boto3_client(account, "personalize")
    browser.get("/create/dataset-groups/")
    with locked_database():
        refused = raised(ClientError, lambda: wire.create_dataset_group(name="films")).response
        api = rest.post("/api/v1/dataset-groups/", {"name": "films"}, format="json")
        form = browser.post("/create/dataset-groups/", {"name": "films"})
        page = browser.post("/settings/access/make/", {"what": "key", "days": ""})
    assert (refused["Error"]["Code"], refused["ResponseMetadata"]["HTTPStatusCode"]) == (
        "ServiceUnavailableException",
        503,
    )
    assert int(refused["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) > 0
    assert (api.status_code, api.json()["code"]) == (503, "ServiceUnavailableException")
    assert int(api["Retry-After"]) > 0
    assert "Try again in a moment" in form.content.decode()
    assert page.status_code == 503
    assert int(page["Retry-After"]) > 0
    assert [record for record in caplog.records if transient.OneLine().filter(record) and record.exc_info] == []
    assert wire.create_dataset_group(name="films")["datasetGroupArn"]


def test_a_repeated_fault_is_one_line(caplog):
    caplog.set_level(logging.WARNING)
    transient._logged.clear()
    for _ in range(50):
        transient.log("PutEvents", redis.ConnectionError("nobody listens"))
    assert len(caplog.records) == 1


@pytest.fixture
def row(account) -> SampleLoad:
    return SampleLoad.objects.create(account=account, name="movielens-100k")


def meet(row, monkeypatch, fault) -> SampleLoad:
    """Run the job, which meets a fault."""
    monkeypatch.setitem(tasks.ALL_RUNNERS, "SampleLoad", fault)
    tasks.run("SampleLoad", row.pk)
    row.refresh_from_db()
    return row


def test_a_job_that_meets_a_transient_fault_is_tried_again(row, monkeypatch):
    def full(_held) -> None:
        Path("/dev/full").write_text("x")

    assert (meet(row, monkeypatch, full).status, row.claim, row.attempts) == (Status.CREATE_PENDING, "", 1)
    assert "full" in row.progress["stage"]
    assert meet(row, monkeypatch, lambda held: held.finish()).status == Status.ACTIVE


def test_a_job_that_meets_a_locked_database_is_tried_again(row, monkeypatch):
    def locked(_held) -> None:
        with locked_database(), transaction.atomic():
            SampleLoad.objects.filter(pk=row.pk).update(name="other")

    assert (meet(row, monkeypatch, locked).status, row.attempts) == (Status.CREATE_PENDING, 1)


def test_a_fault_that_does_not_pass_ends_the_job_with_a_sentence(row, monkeypatch):
    SampleLoad.objects.filter(pk=row.pk).update(attempts=jobs.TRANSIENT_ATTEMPTS - 1)
    meet(row, monkeypatch, lambda _held: Path("/dev/full").write_text("x"))
    assert row.status == Status.CREATE_FAILED
    assert row.failure_reason == "The disk is full or cannot be written to. The job was tried 8 times."


def test_heartbeats_and_progress_survive_a_locked_database(row, monkeypatch):
    monkeypatch.setattr(jobs, "HEARTBEAT_S", 0.02)  # a shorter wait, not another behaviour
    held = jobs.claim("SampleLoad", row.pk)
    with locked_database():
        held.report("training", 0.5, message="half-way")
        threading.Event().wait(0.2)
    past = timezone.now() - timedelta(seconds=60)
    SampleLoad.objects.filter(pk=row.pk).update(heartbeat=past)
    for _ in range(500):
        if SampleLoad.objects.get(pk=row.pk).heartbeat > past:
            break
        threading.Event().wait(0.02)
    assert held.finish()
    held.release()
    row.refresh_from_db()
    assert row.status == Status.ACTIVE


def test_a_job_that_ended_waits_for_a_locked_database(row, monkeypatch):
    monkeypatch.setattr(jobs, "END_PAUSES_S", (0.05,) * 400)
    held = jobs.claim("SampleLoad", row.pk)
    lock = locked_database()
    lock.__enter__()
    threading.Timer(0.3, lambda: lock.__exit__(None, None, None)).start()
    assert held.finish()
    held.release()


def test_a_heartbeat_of_the_future_does_not_keep_a_dead_worker_alive(row):
    jobs.claim("SampleLoad", row.pk).release()
    SampleLoad.objects.filter(pk=row.pk).update(heartbeat=timezone.now() + timedelta(hours=1))
    assert jobs.reap() == 0
    row.refresh_from_db()
    assert row.heartbeat < timezone.now() + timedelta(seconds=5)


def test_the_schedule_goes_on_after_the_clock_was_set_back():
    scheduler = SteadyScheduler(current_app)
    sent: list[str] = []
    scheduler.apply_entry = lambda entry: sent.append(entry.name)
    scheduler.tick()
    assert sorted(sent) == sorted(current_app.conf.beat_schedule)
    for entry in scheduler.schedule.values():
        entry.last_run_at = timezone.now() + timedelta(hours=1)  # what Celery reckons by
    scheduler.due["reap"] = 0.0
    assert 0 <= scheduler.tick() <= 5
    assert sent[-1] == "reap"
