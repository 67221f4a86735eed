"""PostgreSQL, the broker or the object store stops for a while, polled by a balancer: reads go on, writes are refused soon or
kept, nothing that was acknowledged is lost, and the server is healthy again by itself.

A stopped process is worse than one that is gone: its kernel goes on accepting. `OUTAGE_S=30 pytest -s` measures; it needs Debian's PostgreSQL and Redis.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests import backends
from tests.e2e import main_job
from tests.e2e import server as servers
from tests.e2e.server import Server, wait_until

OUTAGE_S = float(os.environ.get("OUTAGE_S", "6"))
SETTLED_S = 3.0  # from the stop on until those who waited already are answered
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}

pytestmark = pytest.mark.skipif(
    not backends.SERVERS, reason="needs Debian's PostgreSQL, as `make test BACKEND=postgres` installs it"
)


class Remote(Server):
    """A server whose people's buckets are in an object store."""

    def put_object(self, key: str, body: str | bytes) -> str:
        """Put an object into the store; its location."""
        url = servers.BACKENDS[self.data_dir]["AWS_ENDPOINT_URL_S3"]
        _store(url).put_object(Bucket="e2e", Key=key, Body=body if isinstance(body, bytes) else body.encode())
        return f"s3://e2e/{key}"


@dataclass
class Parts:
    """The server, what it serves, and the processes of each part of it."""

    server: Server
    campaign: str
    tracker: str
    database: str
    pids: dict[str, int]


@dataclass
class Seen:
    """What a program saw: (when it asked, milliseconds, status)."""

    answers: list[tuple[float, float, int]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> list[tuple[float, float, int]]:
        """Those that were asked for in between."""
        return [answer for answer in self.answers if begin <= answer[0] < end]


@pytest.fixture(scope="module")
def parts():
    """A server over a PostgreSQL, a broker and an object store of its own, which serves a campaign."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openpersonalize-outage-")))
        folder.chmod(0o755)  # the user postgres must get to its own; pytest's folders are shut
        variables = stack.enter_context(backends.postgres(folder / "postgres"))
        database = variables["DATABASE_URL"]
        variables |= stack.enter_context(backends.broker(folder / "redis"))
        store, store_pid = stack.enter_context(_moto())
        for bucket in ("e2e", "ours"):
            _store(store).create_bucket(Bucket=bucket)
        (folder / "data").mkdir()
        variables |= {"STORAGE_URL": "s3://ours/here", "AWS_ENDPOINT_URL_S3": store} | KEYS
        server = Remote(**vars(servers.start(folder / "data", **variables)))
        stack.callback(servers.stop, server)
        aws = server.client("personalize")
        group = main_job.films(server, aws)
        solution = main_job.solution(aws, group, "films", "aws-popularity-count")
        campaign = main_job.campaign(aws, main_job.version(aws, solution))
        tracker = aws.create_event_tracker(name="site", datasetGroupArn=group)["trackingId"]
        pids = {
            "database": int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0]),
            "broker": _listening(variables["REDIS_URL"]),
            "store": store_pid,
        }
        yield Parts(server, campaign, tracker, database, pids)


@contextmanager
def _moto() -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _answers(port), 120)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _store(url: str) -> Any:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=url, **keys)


def _listening(url: str) -> int:
    """The pid of the Redis behind a URL."""
    port = url.rpartition(":")[2].partition("/")[0]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and f":{port}" in (folder / "cmdline").read_text().replace("\0", " "):
            return int(folder.name)
    raise LookupError(url)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process and its children until the block ends."""
    pids = family(pid)
    for each in pids:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


def program(ask, seen: Seen, is_over: threading.Event) -> threading.Thread:
    """Ask again and again, from a thread, until it is over."""

    def run() -> None:
        while not is_over.is_set():
            began = time.monotonic()
            try:
                ask()
                status = 200
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            except urllib.error.HTTPError as error:
                status = error.code
            except (BotoCoreError, OSError):
                status = 0
            seen.answers.append((began, 1000 * (time.monotonic() - began), status))
            is_over.wait(0.05)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _client(server: Server, service: str) -> Any:
    config = Config(retries={"max_attempts": 0}, read_timeout=120)
    return boto3.client(
        service, endpoint_url=f"{server.url}/aws", region_name="us-east-1", config=config, **server.keys
    )


@pytest.mark.parametrize("part", ["database", "broker", "store"])
def test_a_part_that_stops_costs_writes_at_most(parts, part):
    runtime, events = _client(parts.server, "personalize-runtime"), _client(parts.server, "personalize-events")
    reads, writes, looks, acknowledged = Seen(), Seen(), Seen(), []

    def read() -> None:
        answer = runtime.get_recommendations(campaignArn=parts.campaign, userId="user-1", numResults=5)
        assert len(answer["itemList"]) == 5

    def write() -> None:
        name = f"{part}-{time.monotonic_ns()}"
        event = {"eventId": name, "eventType": "watch", "itemId": "drama-1", "sentAt": time.time()}
        events.put_events(trackingId=parts.tracker, userId="user-2", sessionId="s", eventList=[event])
        acknowledged.append(name)

    def look() -> None:
        urllib.request.urlopen(f"{parts.server.url}/healthz", timeout=120).close()

    is_over = threading.Event()
    threads = [program(ask, seen, is_over) for ask, seen in ((read, reads), (write, writes), (look, looks))]
    wait_until(
        lambda: len(acknowledged) > 5 and reads.answers and looks.answers[-1:] and looks.answers[-1][2] == 200, 120
    )
    began = time.monotonic()
    with stopped(parts.pids[part]):
        wait_until(lambda: time.monotonic() - began > OUTAGE_S and looks.answers[-1][2] == 503, OUTAGE_S + 60)
        ended = time.monotonic()
    wait_until(lambda: looks.answers[-1][0] > ended and looks.answers[-1][2] == 200, 120)
    healthy = time.monotonic() - ended
    count = len(acknowledged)
    wait_until(lambda: len(acknowledged) > count, 120)
    is_over.set()
    for thread in threads:
        thread.join()

    during = {name: seen.between(began, ended) for name, seen in (("reads", reads), ("writes", writes))}
    figures = {
        name: {
            "count": len(found),
            "statuses": sorted({s for *_, s in found}),
            "longest_ms": round(max(ms for _, ms, _ in found)),
        }
        for name, found in during.items()
    }
    sys.stdout.write(json.dumps({"part": part, "healthy_after_s": round(healthy, 1)} | figures) + "\n")
    assert {status for *_, status in during["reads"]} == {200}
    assert [
        began for began, *_ in during["reads"] if began > ended - OUTAGE_S + SETTLED_S
    ]  # not one that waited for the end
    assert {status for *_, status in during["writes"]} <= {200, 503}
    assert part != "database" or 503 in {status for *_, status in during["writes"]}
    with psycopg.connect(parts.database) as connection:
        kept = {name for (name,) in connection.execute("SELECT event_id FROM console_event")}
    assert set(acknowledged) - kept == set()
