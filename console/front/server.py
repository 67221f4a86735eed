"""Granian over our application, on sockets that the parent listens on, one of each process that serves.

Everything is imported before the processes that serve are forked: one that dies is replaced within a tenth of a second,
and they share what was imported. The sockets belong to `manage.py serve`; while nobody serves, connections wait in them.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import socket
from collections.abc import Sequence
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
    """Granian with several processes on listening sockets that were inherited, so that their owner outlives all of them.

    On one socket the process that wakes first takes all connections that wait: a client that opens its pool at once would be
    served by one process.
    """

    def __init__(self, listeners: Sequence[socket.socket], **options: Any) -> None:
        """Serve on `listeners`, process by process."""
        super().__init__("console.front", interface=Interfaces.RSGI, **options)
        self._listeners = listeners
        self._holders = [SocketHolder(each.fileno(), False, BACKLOG) for each in listeners]  # type: ignore[call-arg]

    def _init_shared_socket(self) -> None:
        self._hold(0)

    def _spawn_worker(self, idx: int, **options: Any) -> Any:
        self._hold(idx)
        return super()._spawn_worker(idx=idx, **options)

    def _hold(self, number: int) -> None:
        place = number % len(self._listeners)
        self._ssp, self._shd, self._sso = None, self._holders[place], self._listeners[place]
        self._sfd = self._sso.fileno()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="console.front")
    parser.add_argument(
        "--fd", type=int, required=True, action="append", help="a listening socket; one of each process"
    )
    listeners = [socket.socket(fileno=each) for each in parser.parse_args().fd]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = InheritingServer(
        listeners, workers=settings.WEB_WORKERS, loop=Loops.asyncio, http=HTTPModes.http1, websockets=False,
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
