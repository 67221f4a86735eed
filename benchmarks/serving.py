"""`python -m benchmarks.serving`: a recommendation over HTTP beside a view of the same server that does nothing (it sends a small file from memory), one client, one run.

Starts a server with MovieLens 100K on a folder of its own (kept, so that a second run is quick), asks alternately, and prints
one JSON line a path and the ratio of the medians.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import CACHE, ROOT

USERS = 900  # of MovieLens 100K's 943
START_S = 300


def main() -> None:
    """Measure and print."""
    with running_server() as server:
        _measure(server.port, server.credentials)


@dataclass(frozen=True)
class Server:
    """A server that serves MovieLens 100K."""

    port: int
    pid: int
    credentials: dict[str, str]


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server with MovieLens 100K on a folder that is kept, wait until it serves, and end it."""
    data_dir = CACHE / "server"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"DATA_DIR": str(data_dir), "PORT": str(port)}
    data_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "manage.py", "serve", "--sample", "movielens-100k"]
    with (data_dir / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(data_dir / "serve.log")
        yield Server(port, process.pid, json.loads((data_dir / "demo-credentials.json").read_text()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _wait(log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if "Ctrl-C ends it" in log.read_text(errors="replace"):
            return
        time.sleep(0.5)
    raise TimeoutError(f"The server did not come up; see {log}")


def _measure(port: int, credentials: dict[str, str]) -> None:
    """Ask alternately: the no-op, a user who was not asked for before, and one who was asked for a moment ago."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    users = [_request(port, credentials, str(user)) for user in range(1, USERS + 1)]
    seconds: dict[str, list[float]] = {
        "no-op": [],
        "GetRecommendations, new history": [],
        "GetRecommendations, again": [],
    }
    for _ in range(200):  # caches, connections and the model are warm then; no user's scores are
        _call(connection, "GET", "/op.js", None, {})
    _call(connection, "POST", "/aws/recommendations", *users[0])
    for body, headers in users[1:]:
        for values, request in zip(
            seconds.values(),
            (("GET", "/op.js", None, {}), *[("POST", "/aws/recommendations", body, headers)] * 2),
            strict=True,
        ):
            started = time.perf_counter()
            _call(connection, *request)
            values.append(1000 * (time.perf_counter() - started))
    base = statistics.median(seconds["no-op"])
    for name, values in seconds.items():
        values.sort()
        p50, p99 = statistics.median(values), values[int(0.99 * len(values))]
        figures = {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3), "requests": len(values)}
        print(json.dumps({"path": name, **figures, "ratio_of_medians": round(p50 / base, 2), "goal": "at most 3"}))


def _request(port: int, credentials: dict[str, str], user: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"campaignArn": campaign_arn(credentials), "userId": user}).encode()
    return body, signed(port, credentials, "recommendations", body)


def campaign_arn(credentials: dict[str, str]) -> str:
    """The sample's campaign."""
    return f"arn:aws:personalize:{credentials['region']}:{credentials['account_id']}:campaign/movielens-personal"


def signed(port: int, credentials: dict[str, str], path: str, body: bytes) -> dict[str, str]:
    """The headers of a POST to `/aws/{path}`, signed; they are good for a quarter of an hour."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    keys = Credentials(credentials["aws_access_key_id"], credentials["aws_secret_access_key"])
    url = f"http://127.0.0.1:{port}/aws/{path}"
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(keys, "personalize", credentials["region"]).add_auth(request)
    return dict(request.headers.items())


def _call(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {text[:300]!r}")


if __name__ == "__main__":
    main()
