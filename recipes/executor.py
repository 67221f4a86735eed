"""Where independent pieces of a fit or of a batch are computed: threads of this process, or the workers of a Ray cluster.

A recipe writes `prefetch(function, tasks)`: one shape of the work for one machine and many. What `function` closes over is
the data that all tasks share; on Ray it is sent once, as one object, and read by all workers of a machine from shared memory
(`recipes.ray_cluster`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, Self, TypeVar

from recipes.run import Progress

THREADS = min(4, os.cpu_count() or 1)
AHEAD = 2  # tasks submitted for each worker before the first result is asked for

Task = TypeVar("Task")
Result = TypeVar("Result")
Value = TypeVar("Value")
Result_co = TypeVar("Result_co", covariant=True)
Watch = Callable[[Progress], None]


class ClusterError(Exception):
    """The cluster cannot be reached; the work may be tried again later."""


class LostTaskError(RuntimeError):
    """The cluster lost a piece of work, or those who did it, again and again."""


class Work(Protocol[Result_co]):
    """Work that is done beside this process; a context that ends it."""

    def __enter__(self) -> Self:
        """This."""

    def __exit__(self, *_: object) -> None:
        """End it, done or not."""

    def has_ended(self, watch: Watch) -> bool:
        """Pass on what it has reported since, and say whether it has ended."""

    def result(self) -> Result_co:
        """What came of it; what the work raised is raised here."""


class Executor(Protocol):
    """Computes independent pieces."""

    @property
    def parallelism(self) -> int:
        """How many pieces are computed at a time."""

    @property
    def shards(self) -> int:
        """Into how many parts sums over users are split; 1 where a part costs as much memory as it saves time."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in the order of the tasks, some computed ahead."""

    def share(self, value: Value) -> Callable[[], Value]:
        """The value as functions that are mapped one after the other may hold it: it is sent once."""

    def elsewhere(self, work: Callable[[Watch], Result]) -> Work[Result] | None:
        """Begin work that reports how it is doing on another machine; None if this executor has none."""


class Threads:
    """Threads of this process: numpy and scipy let others run while they count."""

    parallelism = THREADS
    shards = 1

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in order; whoever stops asking waits for those that were begun.

        >>> list(Threads().map(abs, [3, -1]))
        [3, 1]
        """
        with ThreadPoolExecutor(self.parallelism) as pool:
            waiting = deque[Any]()
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > AHEAD * self.parallelism:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def share(self, value: Value) -> Callable[[], Value]:
        """The value itself.

        >>> Threads().share("events")()
        'events'
        """
        return lambda: value

    def elsewhere(self, work: Callable[[Watch], Result]) -> None:
        """None: threads are all on this machine."""


THIS_MACHINE = Threads()  # for pieces that take less to compute than to send

_current: ContextVar[Executor] = ContextVar("executor", default=THIS_MACHINE)


def current() -> Executor:
    """The executor in force."""
    return _current.get()


@contextmanager
def using(executor: Executor) -> Iterator[None]:
    """Have what is fitted and ranked inside the block computed by `executor`."""
    token = _current.set(executor)
    try:
        yield
    finally:
        _current.reset(token)


def prefetch(function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
    """The results of `function` on each task, in order, by the executor in force.

    >>> list(prefetch(abs, [3, -1]))
    [3, 1]
    """
    return current().map(function, tasks)
