"""One writer in each process for what clients stream: many requests' rows share a transaction and one wait for the disk.

SQLite lets one connection write at a time, and each commit waits for the disk. Threads that each commit their own events
starve each other; a single writer takes what has gathered, commits it at once and wakes those who wait. A request is
acknowledged after its rows are durable, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

from django.db import close_old_connections, connection, transaction

from console.background import BackgroundWriter
from console.errors import ThrottlingException
from console.telemetry import WRITES_WAITING

Result = TypeVar("Result")
Write: TypeAlias = tuple[Callable[[], Any], Future[Any]]
Outcomes: TypeAlias = list[tuple[Future[Any], Any, Exception | None]]

WAITING_AT_MOST = 512
BATCH = 64  # requests in a transaction: others must come to write, too


class GroupCommit:
    """Writes that are committed in groups, by one thread."""

    def __init__(self, room: int = WAITING_AT_MOST, batch: int = BATCH) -> None:
        """Nothing waits; who has nothing to write holds no connection."""
        self.queue: BackgroundWriter[Write] = BackgroundWriter(
            "group commit", _commit, room=room, batch=batch, on_idle=_let_go
        )

    def run(self, write: Callable[[], Result]) -> Result:
        """Run `write` in a transaction with others and return what it returned, once that is durable.

        What it raises undoes its own rows and is raised here; then all writes of its group run once more. Inside a transaction it runs there and then.

        Raises:
            ThrottlingException: as many writes wait as may.
        """
        if connection.in_atomic_block:
            return write()
        done: Future[Result] = Future()
        if not self.queue.put((write, done)):
            raise ThrottlingException("More events come in than can be written; send them again in a moment.")
        WRITES_WAITING.inc()
        return done.result()


def _let_go() -> None:
    """Close the connection of the thread that runs this."""
    connection.close()


def _commit(group: list[Write]) -> Sequence[Write]:
    """Commit a group and tell each asker; nothing is tried again, as the askers know what failed."""
    WRITES_WAITING.dec(len(group))
    outcomes: Outcomes = []
    try:
        close_old_connections()
        outcomes = _together(group) or _apart(group)
    except Exception as error:  # noqa: BLE001  nothing of the group is written; each asker learns why
        outcomes = [(done, None, error) for _, done in group]
    for done, result, failure in outcomes:
        if failure is None:
            done.set_result(result)
        else:
            done.set_exception(failure)
    return ()


class _OneFailed(Exception):
    """A write of the group raised; the group is undone."""


def _together(group: list[Write]) -> Outcomes:
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


def _apart(group: list[Write]) -> Outcomes:
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
