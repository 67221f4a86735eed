"""`python -m console.management.processes`: what `manage.py serve` becomes, the supervisor of the server's processes.

It lives as long as the server does, so nothing of Django is imported here: the settings are a module, and what needs the
database runs in a process that ends (`console.management.welcome`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from console import logs, settings
from console.management.supervisor import Child, Supervisor, die_with_parent

PYTHON = sys.executable
BROKER = "OPENPERSONALIZE_BROKER"  # names the program of a broker of one's own, as a command line would show it in the supervisor's name
PATIENCE_S = 2.0
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
# A request is small: a second thread for its matrix products would wait longer than it helps.
ONE_THREAD_EACH = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# Threads that wait for the next matrix product sleep after 2^14 steps of the clock, not 2^26: they would take the processor from requests.
SLEEPING_THREADS = {"OPENBLAS_THREAD_TIMEOUT": "14"}


def main() -> int:
    """Keep the server alive until it is asked to end; the exit status."""
    parser = argparse.ArgumentParser(prog="console.management.processes", description=__doc__)
    parser.add_argument(
        "--fd", type=int, required=True, action="append", help="a listening socket; one of each web process"
    )
    parser.add_argument("--sample", default="", help="load this sample once all run")
    options = parser.parse_args()
    logs.configure_plainly(settings.LOGGING)
    sample = ["--sample", options.sample] if options.sample else []
    try:
        Supervisor(children(options.fd, os.environ.pop(BROKER, ""))).run(partial(_welcome, sample))
    except RuntimeError as error:
        sys.stderr.write(f"CommandError: {error}\n")
        return 1
    finally:
        shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    return 0


def children(listeners: Sequence[int], broker: str) -> list[Child]:
    """The server's processes in the order in which they start.

    Args:
        listeners: the sockets that web processes accept from.
        broker: the program of a broker of its own, "" without one.
    """
    celery = [PYTHON, "-m", "celery", "--app", "console", "--quiet", "--skip-checks"]  # `migrate` has made them
    counting = {"PROMETHEUS_MULTIPROC_DIR": str(settings.METRICS_DIR)}
    found = [
        Child(
            "worker",
            [*celery, "worker", "--concurrency", str(settings.WORKERS), "--loglevel", "warning"],
            environment=SLEEPING_THREADS,
        ),
        Child("beat", [PYTHON, "-m", "console.clock"]),
        Child(
            "web",
            [PYTHON, "-m", "console.front", *(f"--fd={each}" for each in listeners)],
            ready=_web_answers,
            environment=ONE_THREAD_EACH | counting,
            files=tuple(listeners),
        ),
    ]
    return [_broker(broker), *found] if broker else found


def _broker(program: str) -> Child:
    folder = settings.DATA_DIR / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    settings.REDIS_SOCKET.parent.mkdir(parents=True, exist_ok=True)
    command = [
        program, "--port", "0", "--unixsocket", str(settings.REDIS_SOCKET), "--unixsocketperm", "700",
        "--dir", str(folder), "--save", "60", "1", "--logfile", str(settings.DATA_DIR / "run" / "valkey.log"), "--maxmemory", "512mb", "--maxmemory-policy", "volatile-ttl",
    ]  # fmt: skip
    return Child("broker", command, ready=_broker_answers)


def _broker_answers() -> bool:
    return _said(socket.AF_UNIX, str(settings.REDIS_SOCKET), b"PING\r\n").startswith(b"+PONG")


def _web_answers() -> bool:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    return _said(family, (settings.LOCAL_HOST, settings.PORT), LIVE).startswith(b"HTTP/1.1 200")


def _said(family: socket.AddressFamily, address: str | tuple[str, int], message: bytes) -> bytes:
    """How the answer to a message begins; nothing where there is none."""
    with suppress(OSError), socket.socket(family) as client:
        client.settimeout(PATIENCE_S)
        client.connect(address)
        client.sendall(message)
        return client.recv(64)
    return b""


def _welcome(arguments: Sequence[str]) -> None:
    """Say where the server is and who signs in.

    Raises:
        RuntimeError: it failed; it said why.
    """
    command = [PYTHON, "-m", "console.management.welcome", *arguments]
    ends_with_us = partial(die_with_parent, os.getpid())
    if subprocess.run(command, check=False, preexec_fn=ends_with_us).returncode:  # noqa: S603  ours; system calls
        raise RuntimeError("The server ends, as its first person or its sample could not be made.")


if __name__ == "__main__":
    sys.exit(main())
