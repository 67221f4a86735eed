"""`python -m tests.backends COMMAND…`: run the tests on a PostgreSQL and a Redis of their own, which end with them.

An S3 (moto) is started by the tests that are about it, on either backend.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import redis

USER = "openpersonalize"
START_S = 60
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian's place


def main(command: list[str]) -> int:
    """Start the servers, run `command` with the variables that point to them, end them; its exit status."""
    with ExitStack() as servers:
        folder = Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="openpersonalize-servers-")))
        folder.chmod(0o755)
        variables = servers.enter_context(postgres(folder / "postgres"))
        variables |= servers.enter_context(broker(folder / "redis"))
        return subprocess.run(command, env=os.environ | variables, check=False).returncode


@contextmanager
def postgres(folder: Path) -> Iterator[dict[str, str]]:
    """A cluster of its own behind a free port; root, whom PostgreSQL refuses, starts it as the user postgres."""
    binaries = SERVERS[0] if SERVERS else Path(shutil.which("pg_ctl") or "pg_ctl").parent
    port = _free_port()
    as_other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder.mkdir()
    if as_other:
        shutil.chown(folder, "postgres", "postgres")
    options = f"-p {port} -k '' -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=off"
    initialise = [
        binaries / "initdb",
        "-D",
        folder / "data",
        "-U",
        USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    control = [binaries / "pg_ctl", "-D", folder / "data", "-w", "-t", str(START_S)]
    _run([*as_other, *initialise])
    _run([*as_other, *control, "-l", folder / "log", "-o", options, "start"])
    try:
        yield {"DATABASE_URL": f"postgresql://{USER}@127.0.0.1:{port}/postgres"}
    finally:
        _run([*as_other, *control, "-m", "immediate", "stop"])


@contextmanager
def broker(folder: Path) -> Iterator[dict[str, str]]:
    folder.mkdir()
    port = _free_port()
    command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
        "--databases",
        "64",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        with redis.Redis(port=port) as client:
            _wait_for(lambda: bool(client.ping()), redis.ConnectionError)
        try:
            yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        finally:
            process.terminate()


def own_database(url: str, name: str) -> str:
    """Make a database called `name` on the server of `url`; its URL. Each server under test needs one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url.rpartition('/')[0]}/{name}"


def for_one_server(variables: Mapping[str, str], name: str) -> dict[str, str]:
    """The variables of one server among several on these backends: a database and a broker of its own."""
    own = {}
    if url := variables.get("DATABASE_URL"):
        own["DATABASE_URL"] = own_database(url, name)
    if url := variables.get("REDIS_URL"):
        own["REDIS_URL"] = f"{url.rpartition('/')[0]}/{1 + sum(name.encode()) % 63}"
    return own


def _run(command: list[str | Path]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{Path(command[-1]).name}: {done.stdout[-500:]}{done.stderr[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(condition: Callable[[], bool], passing: type[Exception]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except passing:
            time.sleep(0.1)
    raise TimeoutError(f"not within {START_S} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
