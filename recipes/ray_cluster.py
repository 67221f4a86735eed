"""A Ray cluster as an executor: pieces of a fit or of a batch are computed by its workers (https://docs.ray.io).

It is connected to when the first piece needs it, so that work that has none never waits for it. While results are waited for, the
caller is asked whether to go on, and the head is looked at: Ray itself would wait for a minute, and then end this process.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from functools import cached_property, partial
from itertools import chain, islice
from queue import SimpleQueue
from tempfile import mkdtemp
from time import monotonic
from typing import Any, Generic, Self, TypeVar

from recipes.executor import AHEAD, ClusterError, LostTaskError, Watch
from recipes.run import Progress

HEAD_SECONDS = 3.0  # that the head of a cluster may take to accept a connection
HEAD_FAILURES = 3  # in a row after which the head is away
LOOK_S = 1.0  # seconds between two looks at the caller and at the head while results are waited for
RETRIES = 3  # of a task whose worker died
CALL_S = 0.2  # of work that a worker is called for, where tasks are small: a call takes about a millisecond
KEPT = 2  # functions, or one and what it shares, that a worker keeps ready, so that what they compute once is computed once

# Of a cluster that is started: no usage is reported to Ray's makers, and workers, which Ray makes nice, get their share of a busy machine.
OWN_CLUSTER = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}

Task = TypeVar("Task")
Result = TypeVar("Result")
Value = TypeVar("Value")


def go_on() -> None:
    """Nobody wants the work to end; the default of what is asked while results are waited for."""


class RayCluster:
    """The workers of a Ray cluster, or of one on this machine that is started without an address.

    A task whose worker or machine dies is computed again elsewhere, up to `RETRIES` times.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, check: Callable[[], None] = go_on
    ) -> None:
        """Name the cluster; the first piece of work connects to it.

        Args:
            address: of the head, e.g. "10.0.0.5:6379"; this machine must be one of the cluster's. None starts a cluster here.
            workers: of a cluster that is started; as many as there are cores by default.
            check: called about every `LOOK_S` seconds while results are waited for; what it raises ends the work.
        """
        self._address, self._workers, self._check = address, workers, check
        self._folder: str | None = None
        self._looked, self._failures = 0.0, 0

    @cached_property
    def parallelism(self) -> int:
        """The cores of the cluster.

        Raises:
            ClusterError: it cannot be reached.
        """
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    @property
    def shards(self) -> int:
        """As many as cores: each machine holds its own users' sums."""
        return self.parallelism

    @cached_property
    def _ray(self) -> Any:
        """Ray, connected."""
        try:
            import ray  # noqa: PLC0415  an extra: most do without
        except ImportError:
            raise ClusterError("ENGINE=ray needs Ray; pip install 'openpersonalize[ray]'.") from None
        try:
            with redirect_stderr(sys.__stderr__):  # Ray asks for its number, and what Celery puts in its place has none
                self._connect(ray)
        except (OSError, RuntimeError, ValueError) as error:
            self._clean()
            reason = " ".join(str(error).split())[:300]
            where = self._address or "this machine"
            raise ClusterError(f"The Ray cluster at {where} cannot be reached: {reason}") from None
        return ray

    def _connect(self, ray: Any) -> None:
        """Start a cluster, or connect to that at the address."""
        if self._address:
            _knock(self._address)
            self._join(ray)
            return
        for name, value in OWN_CLUSTER.items():
            os.environ.setdefault(name, value)
        self._folder = mkdtemp(prefix="ray-")
        ray.init("local", num_cpus=self._workers, include_dashboard=False, log_to_driver=False, _temp_dir=self._folder)

    def _join(self, ray: Any) -> None:
        """Connect to a head that is there.

        Raises:
            ConnectionError: it refuses.
        """
        try:
            ray.init(self._address, log_to_driver=False)
        except ConnectionError as error:
            raise ConnectionError(
                f"{error}. This machine must be one of the cluster (ray start --address {self._address} --num-cpus 0), with the same "
                "RAY_AUTH_MODE and token."
            ) from None

    def close(self) -> None:
        """Disconnect; a cluster that was started here ends."""
        if "_ray" in self.__dict__:
            self._ray.shutdown()
        self._clean()

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results in order; tasks that were submitted are cancelled if nobody asks on. A single task is computed here.

        Raises:
            ClusterError: the cluster cannot be reached, or no longer.
            LostTaskError: it lost a task again and again. What a task itself raises is raised here.
        """
        left = iter(tasks)
        first = list(islice(left, 2))
        if len(first) == 1:
            yield function(first[0])
        elif first:
            yield from self._mapped(function, first, left)

    def _mapped(
        self, function: Callable[[Task], Result], first: Sequence[Task], left: Iterable[Task]
    ) -> Iterator[Result]:
        compute = self._ray.remote(max_retries=RETRIES, num_cpus=1)(_compute)
        sent, tasks, size = [self._ray.put(function)], chain(first, left), 1
        waiting = deque[Any]()
        try:
            while group := list(islice(tasks, size)):
                waiting.append(compute.remote(sent, group))
                if len(waiting) > AHEAD * self.parallelism:
                    results, seconds = self.result(waiting.popleft())
                    size = max(1, min(2 * size, int(CALL_S * len(results) / max(seconds, 1e-6))))
                    yield from results
            while waiting:
                yield from self.result(waiting.popleft())[0]
        finally:
            for (
                reference
            ) in waiting:  # with its worker: an interrupt may come before there is something to interrupt, and is lost
                self._ray.cancel(reference, force=True)

    def share(self, value: Value) -> Callable[[], Value]:
        """The value, which is sent now, and read by each worker when it first asks."""
        return Sent(value, self._ray.put(value))

    def elsewhere(self, work: Callable[[Watch], Result]) -> RayWork[Result]:
        """Begin the work on a worker."""
        return RayWork(self, work)

    def sent(self, work: Callable[[Watch], Any]) -> Any:
        """A reference to the work, from which it can be begun."""
        return self._ray.put(work)

    def begun(self, sent: Any) -> Any:
        """The stream of references to what the work reports, and to its result at last."""
        compute = self._ray.remote(max_retries=0, num_cpus=1, num_returns="streaming")(_reported)
        return compute.remote([sent])

    def has_news(self, stream: Any) -> bool:
        """Whether something has come of a stream."""
        self._look()
        return bool(self._ray.wait([stream], timeout=0)[0])

    def cancel(self, stream: Any) -> None:
        """End the work, with the process that does it: it would not end of itself."""
        self._ray.cancel(stream, force=True)

    def result(self, reference: Any) -> Any:
        """What is referred to, once it is there; raises as `map` does."""
        exceptions = self._ray.exceptions
        while True:
            try:
                return self._ray.get(reference, timeout=LOOK_S)
            except exceptions.GetTimeoutError:
                self._look()
            except exceptions.RayTaskError as error:
                if isinstance(error.cause, exceptions.RayError):  # the worker could not get what it was sent
                    raise _lost(error.cause) from None
                raise error.cause from None
            except exceptions.RayError as error:
                self._look()
                raise _lost(error) from None

    def _look(self) -> None:
        """Ask the caller whether to go on, and see that the head is there; both at most every `LOOK_S`."""
        if monotonic() - self._looked < LOOK_S:
            return
        self._looked = monotonic()
        self._check()
        address = str(self._ray.get_runtime_context().gcs_address)
        try:
            _knock(address)
            self._failures = 0
        except OSError as error:
            self._failures += 1
            if self._failures >= HEAD_FAILURES:
                raise ClusterError(f"The head of the Ray cluster at {address} is away: {error}") from None

    def _clean(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class Sent(Generic[Value]):
    """A value that is here, and of which functions that are sent carry the reference only."""

    def __init__(self, value: Value, reference: Any) -> None:
        """Keep both."""
        self._value, self._reference = value, reference

    def __call__(self) -> Value:
        """The value."""
        return self._value

    def __reduce__(self) -> tuple[Any, ...]:
        """Elsewhere the value is fetched."""
        return partial, (_fetched, [self._reference])


class RayWork(Generic[Result]):
    """Work that a worker of the cluster does; a context that ends it. As `recipes.subprocess_task.Beside`.

    If its worker dies it is begun again from the start, up to `RETRIES` times.
    """

    def __init__(self, cluster: RayCluster, work: Callable[[Watch], Result]) -> None:
        """Begin it; what it holds and what it results in must be picklable."""
        self._cluster, self._sent = cluster, cluster.sent(work)
        self._stream = cluster.begun(self._sent)
        self._newest: Any = None
        self._error: Exception | None = None
        self._deaths, self._is_over = 0, False

    def __enter__(self) -> Self:
        """This."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, done or not."""
        if not self._is_over:
            self._cluster.cancel(self._stream)

    def has_ended(self, watch: Watch) -> bool:
        """Pass on what it has reported since, and say whether it has ended.

        Raises:
            ClusterError: the cluster can no longer be reached.
        """
        while not self._is_over and self._cluster.has_news(self._stream):
            self._take()
            if isinstance(self._newest, Progress):
                watch(self._newest)
        return self._is_over

    def _take(self) -> None:
        """Take the next report, or the result, or what ended the work."""
        try:
            self._newest = self._cluster.result(next(self._stream))
        except StopIteration:
            self._is_over = True
        except ClusterError:
            raise
        except LostTaskError as error:
            self._deaths += 1
            if self._deaths > RETRIES:
                self._error, self._is_over = error, True
            else:
                self._stream = self._cluster.begun(self._sent)
        except Exception as error:  # noqa: BLE001  `result` raises it
            self._error, self._is_over = error, True

    def result(self) -> Result:
        """What came of it.

        Raises:
            LostTaskError: the cluster lost the work again and again. What the work raised is raised here.
        """
        if self._error is not None:
            raise self._error
        result: Result = self._newest
        return result


def _reported(sent: list[Any]) -> Iterator[Any]:
    """What a Ray worker runs: each report of the work as it comes, then its result."""
    import ray  # noqa: PLC0415

    work, reports = ray.get(sent[0]), SimpleQueue[Progress | None]()
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(work, reports.put)
        begun.add_done_callback(lambda _: reports.put(None))
        while (report := reports.get()) is not None:
            yield report
        yield begun.result()


def _lost(error: Exception) -> LostTaskError:
    return LostTaskError(f"The Ray cluster lost a task: {' '.join(str(error).split())[:300]}")


def _knock(address: str) -> None:
    """See that something listens at the head's address: Ray itself would try for minutes.

    Raises:
        OSError: nothing does.
    """
    host, _, port = address.rpartition(":")
    if port.isdigit():
        socket.create_connection((host, int(port)), timeout=HEAD_SECONDS).close()


_kept: OrderedDict[str, Any] = OrderedDict()  # of a Ray worker: what it was sent and asked for last


def _fetched(sent: list[Any]) -> Any:
    """What a reference in a list (bare ones are fetched by Ray for each call) stands for, fetched when it is new here."""
    key = sent[0].hex()
    if key not in _kept:
        import ray  # noqa: PLC0415

        _kept[key] = ray.get(sent[0])
    _kept.move_to_end(key)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return _kept[key]


def _compute(sent: list[Any], tasks: list[Any]) -> tuple[list[Any], float]:
    """What a Ray worker runs: the shared function on some tasks; the results, and the seconds they took."""
    function = _fetched(sent)
    began = monotonic()
    return [function(task) for task in tasks], monotonic() - began
