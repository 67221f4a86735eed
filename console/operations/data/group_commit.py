"""One writer in each process for what clients stream: many requests' rows share a transaction and one wait for the disk.

SQLite lets one connection write at a time, and each commit waits for the disk. Threads that each commit their own events
starve each other; a single writer takes what has gathered, commits it at once and wakes those who wait. A request is
acknowledged after its rows are durable, never before.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import close_old_connections, connection, transaction

from console.errors import ThrottlingException
from console.telemetry import WRITES_WAITING

Result = TypeVar("Result")

WAITING_AT_MOST = 512
IDLE_S = 1.0
BATCH = 64  # requests in a transaction: others must come to write, too


class GroupCommit:
    """A bounded queue of writes and the thread that commits them in groups."""

    def __init__(self, room: int = WAITING_AT_MOST, batch: int = BATCH) -> None:
        """Nothing waits, and no thread runs yet."""
        self._room, self._batch = room, batch
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._changed = threading.Condition()
        self._process: int | None = None

    def run(self, write: Callable[[], Result]) -> Result:
        """Run `write` in a transaction with others and return what it returned, once that is durable.

        What it raises undoes its own rows and is raised here; then all writes of its group run once more. Inside a transaction it runs there and then.

        Raises:
            ThrottlingException: as many writes wait as may.
        """
        if connection.in_atomic_block:
            return write()
        done: Future[Result] = Future()
        with self._changed:
            if len(self._waiting) >= self._room:
                raise ThrottlingException("More events come in than can be written; send them again in a moment.")
            self._waiting.append((write, done))
            WRITES_WAITING.inc()
            self._start()
            self._changed.notify()
        return done.result()

    def _start(self) -> None:
        """Begin the thread, once in a process: a fork leaves the parent's behind."""
        if self._process != os.getpid():
            self._process = os.getpid()
            threading.Thread(target=self._work, name="group commit", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if not self._changed.wait(IDLE_S):
                        connection.close()  # who has nothing to write holds no connection
                group = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
            WRITES_WAITING.dec(len(group))
            _commit(group)


def _commit(group: list[tuple[Callable[[], Any], Future[Any]]]) -> None:
    outcomes: Outcomes = []
    try:
        close_old_connections()
        outcomes = _together(group) or _apart(group)
    except Exception as error:  # noqa: BLE001  nothing of the group is written; each asker is told why
        outcomes = [(done, None, error) for _, done in group]
    for done, result, failure in outcomes:
        if failure is None:
            done.set_result(result)
        else:
            done.set_exception(failure)


Outcomes = list[tuple[Future[Any], Any, Exception | None]]


class _OneFailed(Exception):
    """A write of the group raised; the group is undone."""


def _together(group: list[tuple[Callable[[], Any], Future[Any]]]) -> Outcomes:
    """Commit all writes; nothing, and no outcomes, if one fails."""
    outcomes: Outcomes = []
    try:
        with transaction.atomic():
            for write, done in group:
                try:
                    outcomes.append((done, write(), None))
                except Exception as error:
                    raise _OneFailed from error
    except _OneFailed:
        return []
    return outcomes


def _apart(group: list[tuple[Callable[[], Any], Future[Any]]]) -> Outcomes:
    """Commit the writes that succeed, each behind a savepoint of its own, which costs as much as the write."""
    with transaction.atomic():
        return [(done, *_attempt(write)) for write, done in group]


def _attempt(write: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Run one write; a failure undoes what it wrote and leaves the rest of the group."""
    try:
        with transaction.atomic():
            return write(), None
    except Exception as error:  # noqa: BLE001  the asker raises it
        return None, error


WRITER = GroupCommit()
