"""Threads by kind of request, so that no kind takes the threads of another.

Recommendations go on while writers wait for the database or pages wait for the store. Each lane has a few threads and a
bounded queue; what finds the queue full is asked to come back instead of waiting for ever.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from console import telemetry
from console.front.kinds import Kind

logger = logging.getLogger(__name__)

THREADS = {Kind.SERVING: 4, Kind.EVENTS: 8, Kind.READING: 3, Kind.WRITING: 3, Kind.UPLOADS: 2}
WAITING = {Kind.SERVING: 512, Kind.EVENTS: 512, Kind.READING: 128, Kind.WRITING: 128, Kind.UPLOADS: 64}

Work = Callable[[], None]


class Lane:
    """A bounded queue and the daemon threads that empty it.

    A thread is started when none is idle, and the one that became idle last works next: its database connection and its
    memory are warm, which a recommendation feels. `submit` and `finished` are the event loop's.
    """

    def __init__(self, kind: Kind) -> None:
        """Nothing runs yet."""
        self._kind = kind
        self._gauge = telemetry.UNFINISHED.labels(kind)
        self._room = THREADS[kind] + WAITING[kind]
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        self._idle: list[SimpleQueue[Work]] = []  # of idle threads, each with an inbox of its own
        self._threads = 0
        self.unfinished = 0

    def submit(self, work: Work) -> bool:
        """Queue `work`; False if as much waits already as may wait. Whoever submits calls `finished` once it is done."""
        if self.unfinished >= self._room:
            return False
        self.unfinished += 1
        self._gauge.inc()
        with self._lock:
            if self._idle:
                self._idle.pop().put(work)
            elif self._threads < THREADS[self._kind]:
                self._threads += 1
                name = f"{self._kind}-{self._threads}"
                threading.Thread(target=self._work, args=(work,), name=name, daemon=True).start()
            else:
                self._queue.append(work)
        return True

    def finished(self) -> None:
        """One piece of work less."""
        self.unfinished -= 1
        self._gauge.dec()

    def _work(self, work: Work) -> None:
        inbox: SimpleQueue[Work] = SimpleQueue()
        while True:
            try:
                work()
            except Exception:
                logger.exception("A request's thread failed")
            with self._lock:
                if self._queue:
                    work = self._queue.popleft()
                    continue
                self._idle.append(inbox)
            work = inbox.get()


class Lanes:
    """All lanes of a process."""

    def __init__(self) -> None:
        """Make them all."""
        self._by_kind = {kind: Lane(kind) for kind in Kind}

    def __getitem__(self, kind: Kind) -> Lane:
        """The lane of one kind."""
        return self._by_kind[kind]
