"""The backend that `ENGINE = "console.postgresql"` names: waits for the server end when it answers nobody any more."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from console.postgresql.watch import Watch, watch_of

PATIENCE = 0.75  # of SOCKET_TIMEOUT_S, after which a connection whose query waits asks whether the server answers
LONGEST_S = 1.0  # for that answer
RV = TypeVar("RV")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection on which nothing waits for a server that is away; a query may take its time on one that is not."""

    watch: Watch | None = None

    def wait(self, gen: PQGen[RV], *args: Any, **options: Any) -> RV:
        """Run one exchange with the server.

        Raises:
            psycopg.OperationalError: the server answers nobody; the connection is closed.
        """
        return super().wait(self._watched(gen), *args, **options)

    def _watched(self, gen: PQGen[RV]) -> PQGen[RV]:
        """`gen`; whenever it has waited for long it goes on only if the server answers others."""
        watch = self.watch or _watch(self.info.host, self.info.port)
        self.watch = watch
        try:
            if watch.is_away:
                watch.check()
            step, asked = next(gen), time.monotonic()
            while True:
                ready = yield step
                if not ready and time.monotonic() - asked > PATIENCE * settings.SOCKET_TIMEOUT_S:
                    watch.check()
                    asked = time.monotonic()
                step = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result
        except psycopg.OperationalError:
            if watch.is_away:
                self.pgconn.finish()  # what it waits for never comes, or too late
            raise


def _psycopg() -> ModuleType:
    """Psycopg as Django's backend knows it, but for its connections."""
    module = ModuleType("psycopg")
    vars(module).update(vars(psycopg), connect=BoundedConnection.connect)
    return module


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, over such connections."""

    Database = _psycopg()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, unless the server answers nobody: libpq itself would wait for two seconds at least."""
        host, port = str(conn_params.get("host") or ""), conn_params.get("port")
        if host and "," not in host:  # of several, libpq finds the one that answers
            _watch(host, int(port or 5432)).check()
        return super().get_new_connection(conn_params)


def _watch(host: str, port: int) -> Watch:
    return watch_of(host, port, PATIENCE * min(settings.SOCKET_TIMEOUT_S, LONGEST_S))
