"""Writes that no request waits for: a bounded queue and one thread for each kind of write."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakSet

logger = logging.getLogger(__name__)

IDLE_S = 1.0
RETRY_S = 1.0  # between two attempts to write what could not be written

Item = TypeVar("Item")


class BackgroundWriter(Generic[Item]):
    """A bounded queue and the thread that writes what has gathered in it, oldest first; the thread starts with the first item."""

    def __init__(
        self,
        name: str,
        write: Callable[[list[Item]], Sequence[Item]],
        *,
        room: int,
        batch: int | None = None,
        gather_s: float = 0.0,
        on_idle: Callable[[], object] | None = None,
    ) -> None:
        """Nothing waits, and no thread runs yet.

        Args:
            name: the thread's.
            write: writes a batch and returns those items of it that are to be tried again.
            room: how many items wait at most.
            batch: how many are written at once at most; all by default.
            gather_s: how long the thread lets items gather before it writes.
            on_idle: what the thread does when nothing came for `IDLE_S`.
        """
        self._name, self._write, self._on_idle = name, write, on_idle
        self._room, self._batch, self._gather_s = room, batch or room, gather_s
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        WRITERS.add(self)

    @property
    def num_waiting(self) -> int:
        """How many items wait, without those that are being written."""
        return len(self._waiting)

    def put(self, item: Item) -> bool:
        """Have an item written soon; False if as many wait as may, and it is not kept."""
        with self._changed:
            if len(self._waiting) >= self._room:
                return False
            self._waiting.append(item)
            if self._thread is None or not self._thread.is_alive():  # none yet, or left behind by a fork
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        return True

    def flush(self) -> bool:
        """Write what waits, in this thread; False if some of it must be tried again."""
        with self._writing:
            while items := self._take():
                left = self._try(items)
                if left:
                    with self._changed:
                        self._waiting.extendleft(reversed(left))
                    return False
        return True

    def _take(self) -> list[Item]:
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]

    def _try(self, items: list[Item]) -> Sequence[Item]:
        """Write a batch; one that fails by a mistake of ours is given up, and the thread lives on."""
        try:
            return self._write(items)
        except Exception:
            logger.exception("%d items of %s are not written", len(items), self._name)
            return ()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if not self._changed.wait(IDLE_S if self._on_idle else None) and self._on_idle:
                        self._on_idle()
            if self._gather_s:
                time.sleep(self._gather_s)
            if not self.flush():
                time.sleep(RETRY_S)


WRITERS: WeakSet[BackgroundWriter[Any]] = WeakSet()


def flush_all() -> None:
    """Write what waits anywhere; for a process that ends."""
    for writer in list(WRITERS):
        writer.flush()
