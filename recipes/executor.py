"""Where independent pieces of a fit or of a batch are computed: threads of this process, or the workers of a Ray cluster.

A recipe writes `prefetch(function, tasks)`: one shape of the work for one machine and many. What `function` closes over is
the data that all tasks share; on Ray it is sent once, as one object, and read by all workers of a machine from shared memory.
"""

from __future__ import annotations

import os
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any, Generic, Protocol, Self, TypeVar

from recipes.run import Progress

THREADS = min(4, os.cpu_count() or 1)
HEAD_SECONDS = 3.0  # that the head of a cluster may take to accept a connection
RETRIES = 3  # of a task whose worker died
AHEAD = 2  # tasks submitted for each worker before the first result is asked for
KEPT_FUNCTIONS = 2  # that a worker keeps ready, so that what they compute once is computed once

Task = TypeVar("Task")
Result = TypeVar("Result")
Watch = Callable[[Progress], None]


class ClusterError(RuntimeError):
    """The cluster cannot be reached or lost a piece of work again and again; the work may be tried again later."""


class Executor(Protocol):
    """Computes independent pieces.

    Attributes:
        parallelism: how many pieces are computed at a time.
        shards: into how many parts sums over users are split; 1 where a part costs as much memory as it saves time.
    """

    parallelism: int
    shards: int

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in the order of the tasks, some computed ahead."""

    def elsewhere(self, work: Callable[[Watch], Result]) -> RayWork[Result] | None:
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

    def elsewhere(self, work: Callable[[Watch], Result]) -> None:
        """None: threads are all on this machine."""


class RayCluster:
    """The workers of a Ray cluster, or of a local one that is started without an address.

    A task whose worker or machine dies is computed again elsewhere, up to `RETRIES` times.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        """Connect.

        Args:
            address: of the head, e.g. "ray://10.0.0.5:10001" or "auto"; None starts a cluster on this machine.
            workers: of a cluster that is started; as many as there are cores by default.

        Raises:
            ClusterError: Ray is not installed, or there is no head at the address.
        """
        try:
            import ray  # noqa: PLC0415  an extra: most do without
        except ImportError:
            raise ClusterError("ENGINE=ray needs Ray; pip install 'openpersonalize[ray]'.") from None
        self._ray: Any = ray
        try:
            _knock(address)
            if not self._ray.is_initialized():
                own = {} if address else {"num_cpus": workers, "include_dashboard": False}
                self._ray.init(address, log_to_driver=False, **own)
            self.parallelism = self.shards = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ClusterError(f"The Ray cluster at {address or 'this machine'} cannot be reached: {reason}") from None

    def close(self) -> None:
        """Disconnect; a cluster that was started here ends."""
        self._ray.shutdown()

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in order; tasks that were submitted are cancelled if nobody asks on.

        Raises:
            ClusterError: the cluster lost a task, or can no longer be reached. What a task itself raises is raised here.
        """
        compute = self._ray.remote(max_retries=RETRIES, num_cpus=1)(_compute)
        shared = self._ray.put(function)
        waiting = deque[Any]()
        try:
            for task in tasks:
                waiting.append(compute.remote(shared.hex(), [shared], task))
                if len(waiting) > AHEAD * self.parallelism:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for left in waiting:
                self._ray.cancel(left)

    def elsewhere(self, work: Callable[[Watch], Result]) -> RayWork[Result]:
        """Begin the work on a worker."""
        return RayWork(self, work)

    def begun(self, work: Callable[[Watch], Any]) -> Any:
        """The stream of references to what the work reports, and to its result at last."""
        compute = self._ray.remote(max_retries=RETRIES, num_cpus=1, num_returns="streaming")(_reported)
        return compute.remote(work)

    def next_of(self, stream: Any) -> Any:
        """What comes next, if it is there.

        Raises:
            LookupError: not yet.
            StopIteration: nothing will.
            ClusterError: the cluster lost the work. What the work itself raises is raised here.
        """
        if not self._ray.wait([stream], timeout=0)[0]:
            raise LookupError
        return self._result(next(stream))

    def cancel(self, stream: Any) -> None:
        """End the work, with the process that does it: it would not end of itself."""
        self._ray.cancel(stream, force=True)

    def _result(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise ClusterError(f"The Ray cluster lost a task: {' '.join(str(error).split())[:300]}") from None


class RayWork(Generic[Result]):
    """Work that a worker of the cluster does; a context that ends it. As `recipes.subprocess_task.Beside`."""

    def __init__(self, cluster: RayCluster, work: Callable[[Watch], Result]) -> None:
        """Begin it; what it holds and what it results in must be picklable."""
        self._cluster, self._stream = cluster, cluster.begun(work)
        self._newest: Any = None
        self._error: Exception | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        """This."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, done or not."""
        if not self._is_over:
            self._cluster.cancel(self._stream)

    def has_ended(self, watch: Watch) -> bool:
        """Pass on what it has reported since, and say whether it has ended."""
        while not self._is_over:
            try:
                self._newest = self._cluster.next_of(self._stream)
            except LookupError:
                return False
            except StopIteration:
                self._is_over = True
            except Exception as error:  # noqa: BLE001  `result` raises it
                self._error, self._is_over = error, True
            else:
                if isinstance(self._newest, Progress):
                    watch(self._newest)
        return True

    def result(self) -> Result:
        """What came of it.

        Raises:
            ClusterError: the cluster lost the work. What the work raised is raised here.
        """
        if self._error is not None:
            raise self._error
        result: Result = self._newest
        return result


def _reported(work: Callable[[Watch], Any]) -> Iterator[Any]:
    """What a Ray worker runs: each report of the work as it comes, then its result."""
    reports = SimpleQueue[Progress | None]()
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(work, reports.put)
        begun.add_done_callback(lambda _: reports.put(None))
        while (report := reports.get()) is not None:
            yield report
        yield begun.result()


def _knock(address: str | None) -> None:
    """See that something listens at the head's address: Ray itself would try for minutes.

    Raises:
        OSError: nothing does.
    """
    host, _, port = (address or "").rpartition("://")[2].partition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), timeout=HEAD_SECONDS).close()


_functions: OrderedDict[str, Any] = OrderedDict()  # of a Ray worker: the newest shared functions


def _compute(key: str, shared: list[Any], task: Any) -> Any:
    """What a Ray worker runs: the shared function, fetched when it is new, on one task."""
    if key not in _functions:
        import ray  # noqa: PLC0415

        _functions[key] = ray.get(shared[0])
        while len(_functions) > KEPT_FUNCTIONS:
            _functions.popitem(last=False)
    return _functions[key](task)


_current: ContextVar[Executor] = ContextVar("executor", default=Threads())  # noqa: B039  it holds no state


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
