"""`python -m benchmarks.request`: the processor time of one signed request in a web process, without sockets: the event loop's and the lane's.

Starts a server with MovieLens 100K for its database and its broker, and answers the same requests in this process by what a
web process runs between granian's call and its own, one at a time: recommendations from the cache of scores ("again") and
without it ("new history"). Prints one JSON line a kind, in microseconds: medians, and the fastest fifth's slowest, which
other programs disturb least. Two checkouts are compared by runs in turns.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from benchmarks.datasets import CACHE
from benchmarks.serving import USERS, campaign_arn, running_server, signed

ROUNDS = 4  # of all users; the quickest counts
PORT = 8000  # that the requests are signed for


def main() -> None:
    """Measure and print."""
    with running_server() as server, tempfile.TemporaryDirectory() as counts:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "console.settings", "DATA_DIR": str(CACHE / "server"),
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PROMETHEUS_MULTIPROC_DIR": counts,
        }  # fmt: skip
        import_module("django").setup()
        arn = campaign_arn(server.credentials)
        users = range(1, USERS + 1)
        requests = [_Request(server.credentials, {"campaignArn": arn, "userId": str(user)}) for user in users]
        process = _Process()
        process.answer(requests)
        for name, before in (("again", None), ("new history", process.forget_scores)):
            rounds = [process.answer(requests, before) for _ in range(ROUNDS)]
            load = round(os.getloadavg()[0], 1)
            print(json.dumps({"request": f"GetRecommendations, {name}", **_least(rounds), "load": load}), flush=True)


class _Request:
    """A signed request as granian hands it over: its scope and its protocol in one."""

    method, path, query_string, scheme, client = "POST", "/aws/recommendations", "", "http", "127.0.0.1:50000"
    server = f"127.0.0.1:{PORT}"

    def __init__(self, credentials: dict[str, str], members: dict[str, Any]) -> None:
        self._body = json.dumps(members).encode()
        headers = signed(PORT, credentials, "recommendations", self._body)
        headers |= {"Host": self.server, "Content-Length": str(len(self._body))}
        self.headers = SimpleNamespace(items=[(name.lower(), value) for name, value in headers.items()].copy)
        self.status = 0

    async def __call__(self) -> bytes:
        return self._body

    def response_bytes(self, status: int, _headers: list[tuple[str, str]], _body: bytes) -> None:
        self.status = status


class _Process:
    """A web process: its event loop and its lanes of threads."""

    def __init__(self) -> None:
        replies, app = import_module("console.front.replies"), import_module("console.front.app")
        self._models = import_module("console.serving.loader").MODEL_CACHE
        self._run, self._lane_us = replies.run, []
        replies.run = self._timed
        self._loop = asyncio.new_event_loop()
        self._front = app.Front(import_module("console.wsgi").application)
        self._front.__rsgi_init__(self._loop)

    def answer(self, requests: list[_Request], before: Callable[[], None] | None = None) -> dict[str, list[float]]:
        """Microseconds of the loop's thread and the lane's for each of the requests."""
        return self._loop.run_until_complete(self._answer(requests, before))

    def forget_scores(self) -> None:
        """Have the models score anew."""
        for loaded in list(self._models._models.values()):
            loaded.__dict__.pop("score_cache", None)

    async def _answer(self, requests: list[_Request], before: Callable[[], None] | None) -> dict[str, list[float]]:
        self._lane_us, loop_us = [], []
        for request in requests:
            if before is not None:
                before()
            began = time.thread_time_ns()
            await self._front.__rsgi__(request, request)
            loop_us.append((time.thread_time_ns() - began) / 1000)
            if request.status != 200:
                raise RuntimeError(f"{request.path}: {request.status}")
        return {"loop": loop_us, "lane": self._lane_us}

    def _timed(self, *arguments: Any) -> Any:
        began = time.thread_time_ns()
        try:
            return self._run(*arguments)
        finally:
            self._lane_us.append((time.thread_time_ns() - began) / 1000)


def _least(rounds: list[dict[str, list[float]]]) -> dict[str, float]:
    """The least median and fifth of all rounds, of each thread."""
    return {
        f"{thread}_{name}_us": round(min(of(one[thread]) for one in rounds))
        for thread in ("loop", "lane")
        for name, of in (("p20", lambda values: sorted(values)[len(values) // 5]), ("p50", statistics.median))
    }


if __name__ == "__main__":
    main()
