"""One command, several processes: starts them, restarts the one that dies, ends them all together.

Each child is in a process group of its own, so that Ctrl-C reaches only the supervisor, which then ends the children in
order; and each dies with the supervisor should that be killed. It lives as long as the server and does little: it is
written in Python's own library alone, and takes a fifth of the memory that Django's management commands do.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

RESTART_AFTER_S = 0.5  # doubled with each death in a row, up to
RESTART_AT_MOST_S = 30.0
STABLE_AFTER_S = 60.0  # a child that lived this long starts afresh
GRACE_S = 20.0
PR_SET_PDEATHSIG = 1


class AlreadyRunning(Exception):
    """Another server works on the same DATA_DIR."""


def hold(lock: Path) -> IO[str]:
    """Hold a lock for as long as what is returned is open, here or in a program that inherits it.

    Raises:
        AlreadyRunning: another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = lock.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(f"A server already runs on {lock.parent.parent}.") from None
    return file


@dataclass
class Child:
    """A process to keep alive: its name, its command, and what must hold before the next one starts."""

    name: str
    command: list[str]
    ready: Callable[[], bool] = lambda: True
    environment: dict[str, str] = field(default_factory=dict)
    files: tuple[int, ...] = ()  # descriptors that it inherits
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    died: float = 0.0
    pause_s: float = RESTART_AFTER_S

    def start(self) -> None:
        """Start the process."""
        self.started, self.died = time.monotonic(), 0.0
        self.process = subprocess.Popen(  # noqa: S603  our own commands
            self.command,
            env=os.environ | self.environment,
            start_new_session=True,
            pass_fds=self.files,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509  nothing but system calls
        )

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def end(self, signal_number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal_number)


class Supervisor:
    """Keeps the children of one DATA_DIR alive until it is asked to end."""

    def __init__(self, children: list[Child]) -> None:
        """Keep `children`, started in this order and ended in reverse."""
        self._children = children
        self._ending = False

    def run(self, on_ready: Callable[[], None]) -> None:
        """Start all, call `on_ready`, and look after them until SIGINT or SIGTERM.

        Raises:
            RuntimeError: a child ended while it was starting; and what `on_ready` raises.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        try:
            self._start_all()
            self._look_after(on_ready)
        finally:
            self._end_all()

    def _look_after(self, on_ready: Callable[[], None]) -> None:
        """Keep the children alive; `on_ready` may take its time beside, and what it raises ends all."""
        announced: Future[None] = Future()
        # A daemon thread: Ctrl-C need not wait for it.
        threading.Thread(target=_fulfil, args=(announced, on_ready), daemon=True).start()
        while not self._ending:
            self._restart_the_dead()
            time.sleep(0.2)
            if announced.done():
                announced.result()

    def _end(self, *_args: object) -> None:
        self._ending = True

    def _start_all(self) -> None:
        for child in self._children:
            child.start()
            while not self._ending and not (child.is_alive and child.ready()):
                if not child.is_alive:
                    raise RuntimeError(f"{child.name} ended while it was starting; its output says why.")
                time.sleep(0.05)

    def _restart_the_dead(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.is_alive:
                continue
            if not child.died:
                child.died = now
                lived_long = now - child.started > STABLE_AFTER_S
                child.pause_s = RESTART_AFTER_S if lived_long else min(2 * child.pause_s, RESTART_AT_MOST_S)
                status = child.process.returncode if child.process else None
                logger.warning("%s ended with status %s; it starts again in %.0f s", child.name, status, child.pause_s)
            elif now - child.died >= child.pause_s:
                child.end(signal.SIGKILL)  # what it left behind must not answer beside what comes
                child.start()

    def _end_all(self) -> None:
        for child in reversed(self._children):
            child.end(signal.SIGTERM)
            deadline = time.monotonic() + GRACE_S
            while child.is_alive and time.monotonic() < deadline:
                time.sleep(0.05)
            child.end(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _fulfil(future: Future[None], function: Callable[[], None]) -> None:
    try:
        function()
    except Exception as error:  # noqa: BLE001  carried over to the thread that waits
        future.set_exception(error)
    else:
        future.set_result(None)


def die_with_parent(parent: int) -> None:
    """Have this process end when `parent` does, which has just forked it; does nothing but on Linux."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal.SIGTERM)
