"""Work in several threads at once: numpy and scipy let others run while they count."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = min(4, os.cpu_count() or 1)
Task = TypeVar("Task")
Answer = TypeVar("Answer")


def ahead(answer: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
    """The answers in the order of the tasks, a few worked out ahead; whoever stops asking leaves but those to wait for.

    >>> list(ahead(abs, [3, -1]))
    [3, 1]
    """
    waiting: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for task in tasks:
            waiting.append(pool.submit(answer, task))
            if len(waiting) > 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
