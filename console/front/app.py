"""The application that granian serves: heads are checked and bodies gathered in the event loop, threads only compute.

Whoever is slow holds a connection and nothing else. Whether the process lives and what health was found last is answered
here, whatever the threads do.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from django.conf import settings
from granian.rsgi import ProtocolClosed, ProtocolError

from console import background, jobs, tracing, transient
from console.front import bodies, callers, replies
from console.front.kinds import Kind, kind_of
from console.front.lanes import Lanes
from console.front.replies import JSON, Application, Headers, Stream, refuse
from console.health import HEALTH

logger = logging.getLogger(__name__)

LIVE = json.dumps({"status": "ok"})
LONGEST_WAIT_S = 15.0  # in a lane's queue: the client has given up by then
PART_S = 60.0  # for a client to take the next part of a long answer
QUOTED_NUL = "\\000"  # as a quoted cookie holds it; as a session's key PostgreSQL refuses it
RETRY: Headers = [("retry-after", "1")]


class Busy(Exception):
    """As many requests of this kind wait as may wait."""


UNAVAILABLE = "ServiceUnavailableException"
REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    Busy: (503, UNAVAILABLE, "The server is busy; try again in a moment."),
    TimeoutError: (408, "RequestTimeoutException", "The body did not arrive in time."),
    bodies.Truncated: (400, "SerializationException", "The body ended early."),
    ProtocolClosed: (400, "SerializationException", "The body ended early."),
    ProtocolError: (400, "SerializationException", "The body is not as HTTP has it."),
}


class Front:
    """One web process."""

    def __init__(self, application: Application) -> None:
        """Serve a WSGI application."""
        self._application = application

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the threads: in the process that serves, after it was forked."""
        self._loop = loop
        self._lanes = Lanes(loop)
        tracing.begin()
        jobs.send_from_a_thread()
        self._scratch = settings.DATA_DIR / "scratch"

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Write what requests have left to be written, as the process ends."""
        background.flush_all()
        tracing.end()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        path: str = scope.path
        try:
            if not await self._at_once(scope, path, protocol):
                await self._serve(scope, path, protocol)
        except tuple(REFUSALS) as error:
            status, code, message = REFUSALS[type(error)]
            refuse(protocol, path, status, code, message, RETRY if status == 503 else [])
        except bodies.TooLarge as error:
            refuse(protocol, path, 413, "RequestEntityTooLargeException", _too_large(error.limit))
        except Exception as error:
            if found := transient.unavailable(error):
                transient.log(path, error)
                refuse(protocol, path, 503, found.code, str(found), RETRY)
            else:
                logger.exception("%s %s crashed", scope.method, path)
                refuse(protocol, path, 500, "InternalFailure", "The server failed; its log says why.")

    async def _at_once(self, scope: Any, path: str, protocol: Any) -> bool:
        """Answer what needs no thread; False if it is something else."""
        if path == "/livez":
            protocol.response_str(200, JSON, LIVE)
        elif path == "/healthz":
            await self._tell_health(protocol)
        elif "\0" in path or "%00" in scope.query_string:
            refuse(protocol, path, 400, "SerializationException", "The address holds a NUL, which names nothing.")
        else:
            return False
        return True

    async def _serve(self, scope: Any, path: str, protocol: Any) -> None:
        headers: Headers = scope.headers.items()
        by_name = dict(headers)
        if any(name == "cookie" and QUOTED_NUL in value for name, value in headers):
            refuse(protocol, path, 400, "SerializationException", "A cookie holds a NUL, which names nothing.")
            return
        kind = kind_of(scope.method, path, by_name.get("x-amz-target", ""))
        body, size = await self._body(protocol, path, by_name)
        if size > bodies.SMALL_BYTES and kind is Kind.WRITING:
            kind = Kind.UPLOADS
        environ = replies.environ_of(scope, headers, body, size)
        try:
            stream = await self._in_lane(kind, partial(replies.run, self._application, environ, protocol))
            if stream is not None:
                await self._send(stream, kind, protocol)
        finally:
            body.close()

    async def _body(self, protocol: Any, path: str, headers: dict[str, str]) -> tuple[Any, int]:
        is_chunked = "transfer-encoding" in headers
        length = None if is_chunked else int(headers.get("content-length") or 0)
        if length == 0:
            return BytesIO(), 0
        look_up = partial(callers.allowed_bytes, path, headers.get("authorization", ""), headers.get("cookie", ""))
        in_thread = partial(self._in_lane, Kind.UPLOADS)
        return await bodies.gather(protocol, length, partial(in_thread, look_up), self._scratch, in_thread)

    async def _in_lane(self, kind: Kind, work: Callable[[], Any]) -> Any:
        """The result of `work`, which a thread of that lane runs.

        Raises:
            Busy: too much waits already, or it has waited too long.
        """
        lane = self._lanes[kind]
        result: asyncio.Future[Any] = self._loop.create_future()
        queued = time.monotonic()

        def run() -> None:
            try:
                outcome = partial(_settle, result, _in_time(queued, work)(), None)
            except Exception as error:  # noqa: BLE001  carried over to whoever waits
                outcome = partial(_settle, result, None, error)
            self._loop.call_soon_threadsafe(outcome)

        if not lane.submit(run):
            raise Busy
        try:
            return await result
        finally:
            lane.finished()

    async def _send(self, stream: Stream, kind: Kind, protocol: Any) -> None:
        """Send a long answer part by part; a slow reader holds no thread."""
        try:
            transport = protocol.response_stream(stream.status, stream.headers)
            while stream.part:
                async with asyncio.timeout(PART_S):
                    await transport.send_bytes(stream.part)
                if stream.is_last:
                    break
                await self._in_lane(kind, stream.advance)
        except (TimeoutError, ProtocolClosed, ProtocolError, Busy) as error:
            logger.info("A client did not take its answer: %s", type(error).__name__)
        finally:
            stream.close()

    async def _tell_health(self, protocol: Any) -> None:
        """What the checks found last; a first asker waits for them, and holds no thread."""
        deadline = self._loop.time() + HEALTH.PATIENCE_S
        while not HEALTH.is_fresh() and self._loop.time() < deadline:
            await asyncio.sleep(0.05)
        status, found = HEALTH.report()
        protocol.response_str(status, JSON, json.dumps(found))


def _in_time(queued: float, work: Callable[[], Any]) -> Callable[[], Any]:
    if time.monotonic() - queued > LONGEST_WAIT_S:
        raise Busy
    return work


def _settle(result: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if result.done():  # the process is ending
        return
    if error is None:
        result.set_result(value)
    else:
        result.set_exception(error)


def _too_large(limit: int) -> str:
    who = "without known credentials" if limit == bodies.SMALL_BYTES else "with these credentials"
    return f"The body is larger than {limit} bytes, which is what is allowed {who}."
