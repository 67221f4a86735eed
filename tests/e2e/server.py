"""A real server for the end-to-end tests: `manage.py serve` with its own folder, port, broker, worker and beat."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.backends import for_one_server

ROOT = Path(__file__).resolve().parents[2]
START_S = 300  # a machine that is busy with other tests
JOB_S = 600
BACKENDS: dict[
    Path, dict[str, str]
] = {}  # by DATA_DIR: where `make test BACKEND=postgres` has each server keep its rows
CHECKOUT = (sys.executable, str(ROOT / "manage.py"))  # how commands of the checkout begin


@dataclass
class Server:
    """A running server and the credentials of one account on it."""

    url: str
    data_dir: Path
    username: str
    password: str
    token: str
    keys: dict[str, str]
    process: subprocess.Popen[bytes]

    def client(self, service: str, **keys: str) -> Any:
        """A boto3 client of one of the three services."""
        config = Config(retries={"max_attempts": 1}, read_timeout=60)
        return boto3.client(
            service, endpoint_url=f"{self.url}/aws", region_name="us-east-1", config=config, **(keys or self.keys)
        )

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call REST; the answer as JSON."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def put_object(self, key: str, body: str | bytes) -> str:
        """Put an object into a folder-backed bucket; its location."""
        path = self.data_dir / "buckets" / "e2e" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        return f"s3://e2e/{key}"

    def pids(self, *words: str) -> list[int]:
        """The pids of this server's processes whose command line has all these words, in the order in which they began.

        Its processes are those that it began and what was begun with its DATA_DIR, orphans too; a broker overwrites its
        environment, and pids are used again some day.
        """
        found: list[tuple[int, int]] = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError, UnicodeDecodeError):
                    stat = (folder / "stat").read_text().rpartition(")")[2].split()
                    command = (folder / "cmdline").read_bytes().decode()
                    environment = (folder / "environ").read_bytes().decode(errors="replace")
                    ours = int(stat[1]) == self.process.pid or f"DATA_DIR={self.data_dir}\0" in environment
                    if ours and all(word in command for word in words):
                        found.append((int(stat[19]), int(folder.name)))
        return [pid for _, pid in sorted(found)]


def start(data_dir: Path, program: Sequence[str] = CHECKOUT, cwd: Path = ROOT, **variables: str) -> Server:
    """Start a server on a free port, with more environment variables if need be, and wait until it is healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    backends = for_one_server(os.environ, f"server_{port}")
    environment = _environment(data_dir) | {"PORT": str(port)} | backends | variables
    BACKENDS[data_dir] = backends | variables  # commands go where the server goes
    with (data_dir / "serve.log").open("wb") as log:
        process = subprocess.Popen([*program, "serve"], cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _is_healthy(url, process), START_S)
    except TimeoutError:
        process.terminate()  # what is given up must not go on beside the tests that follow
        raise

    person = manage(data_dir, "create_user", "alice", program=program, cwd=cwd)
    token = manage(data_dir, "create_token", "--user", "alice", program=program, cwd=cwd)["token"]
    keys = manage(data_dir, "create_access_key", "--account", "default", program=program, cwd=cwd)
    return Server(url, data_dir, person["username"], person["password"], token, keys, process)


def manage(data_dir: Path, *arguments: str, program: Sequence[str] = CHECKOUT, cwd: Path = ROOT) -> dict[str, str]:
    """Run a management command that prints JSON, on the server's folder."""
    command = [*program, *arguments]
    done = subprocess.run(command, cwd=cwd, env=_environment(data_dir), check=True, capture_output=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _environment(data_dir: Path) -> dict[str, str]:
    own = {"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "console.settings"}
    return os.environ | own | BACKENDS.get(data_dir, {})


def stop(server: Server) -> None:
    """End the server as Ctrl-C does."""
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def wait_until(condition: Callable[[], Any], seconds: float = JOB_S) -> Any:
    """Poll until `condition` gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"not within {seconds} s")


def wait_for_status(describe: Callable[..., Any], key: str, wanted: str = "ACTIVE", **arn: str) -> Any:
    """Poll a Describe operation until the resource has the wanted status; fail early when it ended otherwise."""

    def look() -> Any:
        found = describe(**arn)[key]
        if found["status"] == wanted:
            return found
        if found["status"] in {"CREATE FAILED", "CREATE STOPPED", "FAILED", "ACTIVE"}:
            raise AssertionError(f"{found['status']}: {found.get('failureReason')}")
        return None

    return wait_until(look)


def _is_healthy(url: str, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError("the server ended while it was starting; see serve.log")
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
