"""Threads by kind of request, so that no kind takes the threads of another.

Recommendations go on while writers wait for the database or pages wait for the store. Each lane has a few threads and a
bounded queue; what finds the queue full is asked to come back instead of waiting for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from console import telemetry
from console.front.kinds import Kind

logger = logging.getLogger(__name__)

THREADS = {Kind.SERVING: 4, Kind.EVENTS: 8, Kind.READING: 3, Kind.WRITING: 3, Kind.UPLOADS: 2}
WAITING = {Kind.SERVING: 512, Kind.EVENTS: 512, Kind.READING: 128, Kind.WRITING: 128, Kind.UPLOADS: 64}
ALONE_S = {Kind.SERVING: 0.01}  # recommendations compute: two at once would only take the interpreter from each other

Work = Callable[[], None]
Inbox = SimpleQueue[Callable[[], None]]  # of one thread


class Lane:
    """A bounded queue and the daemon threads that empty it.

    A thread begins while others work only if each of them has been at its piece for `ALONE_S`, and so waits for something.
    One is started when none is idle, and the one that became idle last works next: its database connection and its memory
    are warm, which a recommendation feels. `submit` and `finished` are the event loop's.
    """

    def __init__(self, kind: Kind, loop: AbstractEventLoop) -> None:
        """Nothing runs yet."""
        self._kind, self._loop = kind, loop
        self._gauge = telemetry.UNFINISHED.labels(kind)
        self._room = THREADS[kind] + WAITING[kind]
        self._alone_s = ALONE_S.get(kind, 0.0)
        self._lock = threading.Lock()
        self._queue: deque[Work] = deque()
        self._idle: list[Inbox] = []
        self._began: dict[Inbox, float] = {}  # when each thread that works took up its piece
        self._threads = 0
        self._looks_again = False
        self.unfinished = 0

    def submit(self, work: Work) -> bool:
        """Queue `work`; False if as much waits already as may wait. Whoever submits calls `finished` once it is done."""
        if self.unfinished >= self._room:
            return False
        self.unfinished += 1
        self._gauge.inc()
        self._queue.append(work)
        self._begin()
        return True

    def finished(self) -> None:
        """One piece of work less."""
        self.unfinished -= 1
        self._gauge.dec()

    def _begin(self) -> None:
        """Hand out what may begin; look again in a while at what may not."""
        with self._lock:
            while self._may_begin() and (inbox := self._free()):
                inbox.put(self._take(inbox))
            if self._queue and self._alone_s and not self._looks_again:
                self._looks_again = True
                self._loop.call_later(self._alone_s, self._look_again)

    def _look_again(self) -> None:
        self._looks_again = False
        self._begin()

    def _may_begin(self) -> bool:
        now = time.monotonic()
        return bool(self._queue) and all(now - began >= self._alone_s for began in self._began.values())

    def _take(self, inbox: Inbox) -> Work:
        self._began[inbox] = time.monotonic()
        return self._queue.popleft()

    def _free(self) -> Inbox | None:
        """The inbox of a thread that has nothing to do; a thread is started if none is there and one more may be."""
        if self._idle:
            return self._idle.pop()
        if self._threads >= THREADS[self._kind]:
            return None
        self._threads += 1
        inbox: Inbox = SimpleQueue()
        threading.Thread(target=self._work, args=(inbox,), name=f"{self._kind}-{self._threads}", daemon=True).start()
        return inbox

    def _work(self, inbox: Inbox) -> None:
        while True:
            work: Work | None = inbox.get()
            while work is not None:
                try:
                    work()
                except Exception:
                    logger.exception("A request's thread failed")
                work = self._next(inbox)

    def _next(self, inbox: Inbox) -> Work | None:
        """What a thread that has finished does next; nothing makes it idle."""
        with self._lock:
            del self._began[inbox]
            if self._may_begin():
                return self._take(inbox)
            self._idle.append(inbox)
            return None


class Lanes:
    """All lanes of a process."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Make them all."""
        self._by_kind = {kind: Lane(kind, loop) for kind in Kind}

    def __getitem__(self, kind: Kind) -> Lane:
        """The lane of one kind."""
        return self._by_kind[kind]
