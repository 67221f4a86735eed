"""Whether a PostgreSQL server answers at all, asked over a connection of its own; while it does not, nobody else waits for it.

A process that is stopped, or a machine that hangs, keeps its connections: the kernel acknowledges what is sent, and the client waits for
ever. A query that takes long looks the same. What tells them apart is whether the server says anything to somebody new.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress
from functools import cache

import psycopg

logger = logging.getLogger(__name__)

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest, which is answered by one byte before anything
# is known of the client
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
KNOWN_S = 0.5  # how long an answer counts, and how often a server that is away is asked
AWAY = "The PostgreSQL server does not answer."


class Watch:
    """One server; safe to share between threads."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        """Ask at `host` (a folder for a Unix socket), and wait `timeout_s` for an answer."""
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._lock = threading.Lock()
        self._answered = float("-inf")
        self._thread: threading.Thread | None = None
        self.is_away = False

    def check(self) -> None:
        """Return if the server answered a moment ago.

        Raises:
            psycopg.OperationalError: it does not, or is known not to.
        """
        if not self.is_away:
            with self._lock:
                self._ask()
        if self.is_away:
            raise psycopg.OperationalError(AWAY)

    def _ask(self) -> None:
        """Learn whether it answers, unless that is known; from the first time that it does not, a thread asks until it does."""
        if self.is_away or time.monotonic() - self._answered < KNOWN_S:
            return
        if self._answers():
            self._answered = time.monotonic()
            return
        self.is_away = True
        self._thread = threading.Thread(target=self._wait, name=f"watch {self._host}", daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        while not self._answers():
            time.sleep(KNOWN_S)
        self._answered = time.monotonic()
        self.is_away = False

    def _answers(self) -> bool:
        with suppress(OSError), ExitStack() as stack:
            if self._host.startswith("/"):
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(self._timeout_s)
                client.connect(f"{self._host}/.s.PGSQL.{self._port}")
            else:
                client = stack.enter_context(socket.create_connection((self._host, self._port), self._timeout_s))
            client.sendall(SSL_REQUEST)
            return bool(client.recv(1))
        return False


@cache
def watch_of(host: str, port: int, timeout_s: float) -> Watch:
    """The one of a server in this process."""
    return Watch(host, port, timeout_s)
