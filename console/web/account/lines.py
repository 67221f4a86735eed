"""Connections to the OpenID provider, which are cut when nobody waits for their answers any more.

A socket's timeout starts anew with each byte, so that an answer that trickles in would hold its thread for hours.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Lines:
    """The connections that one piece of work opens."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._is_cut = False

    def add(self, line: socket.socket) -> None:
        """Keep a connection, by a descriptor of its own, as TLS takes the other one over.

        Raises:
            TimeoutError: nobody waits any more.
        """
        with self._lock:
            if self._is_cut:
                line.close()
                raise TimeoutError("nobody waits for an answer any more")
            self._open.append(line.dup())

    def cut(self) -> None:
        """End all connections, also those that somebody still reads from; there will be no others."""
        with self._lock:
            self._is_cut = True
            for line in self._open:
                with suppress(OSError):  # the other side has ended it
                    line.shutdown(socket.SHUT_RDWR)
                line.close()
            self._open.clear()


LINES: ContextVar[Lines] = ContextVar("lines")  # of the thread's work


class _Noted:
    def _new_conn(self) -> socket.socket:
        line: socket.socket = super()._new_conn()  # type: ignore[misc]
        LINES.get().add(line)
        return line


class _Connection(_Noted, HTTPConnection):
    pass


class _SecureConnection(_Noted, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class NotingAdapter(HTTPAdapter):
    """Adds each connection, to a proxy as to the provider itself, to the `LINES` of its thread."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have the pools make connections that are noted."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        """As `init_poolmanager`."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
