"""Granian over our application, on a socket that the parent listens on.

Everything is imported before the processes that serve are forked: one that dies is replaced within a tenth of a second,
and they share what was imported. The socket belongs to `manage.py serve`; while nobody serves, connections wait in it.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import socket
from functools import partial
from typing import Any

from django.conf import settings
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from console.front.app import Front
from console.management.supervisor import die_with_parent
from console.wsgi import application

BACKLOG = 4096
CONNECTIONS = 16_384  # of each process; idle ones cost no more than a file descriptor and some kilobytes
HEAD_TIMEOUT_MS = 60_000  # for a request's head, and for the next request of an idle connection
BUFFER_BYTES = 64 * 1024  # of each connection; also the longest head


class InheritingServer(MPServer):  # type: ignore[misc]
    """Granian with several processes on a listening socket that was inherited, so that its owner outlives all of them."""

    def __init__(self, listener: socket.socket, **options: Any) -> None:
        """Serve on `listener`."""
        super().__init__("console.front", interface=Interfaces.RSGI, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._sfd = self._listener.fileno()
        self._shd = SocketHolder(self._sfd, False, BACKLOG)  # type: ignore[call-arg]
        self._ssp = None
        self._sso = self._listener


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="console.front")
    parser.add_argument("--fd", type=int, required=True, help="a listening socket")
    listener = socket.socket(fileno=parser.parse_args().fd)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = InheritingServer(
        listener, workers=settings.WEB_WORKERS, loop=Loops.asyncio, http=HTTPModes.http1, websockets=False,
        backpressure=CONNECTIONS, respawn_failed_workers=True, log_level="warning",
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT_MS, max_buffer_size=BUFFER_BYTES),
    )  # fmt: skip
    gc.collect()
    gc.freeze()  # what was imported stays on pages that all processes share
    server.serve(target_loader=partial(_load, os.getpid()), wrap_loader=False)


def _load(parent: int) -> Front:
    """The application, in a process just forked from `parent`."""
    die_with_parent(parent)
    return Front(application)
