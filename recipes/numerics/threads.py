"""Work in several threads: numpy and scipy release the interpreter in their loops."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = min(4, os.cpu_count() or 1)
Task = TypeVar("Task")
Answer = TypeVar("Answer")


def prefetch(answer: Callable[[Task], Answer], tasks: Iterable[Task]) -> Iterator[Answer]:
    """Yield the results in the order of the tasks, a few of them computed ahead; after an early end only those are waited for.

    >>> list(prefetch(abs, [3, -1]))
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
