"""Bodies, gathered by the event loop before any thread is taken, within deadlines and limits.

Anybody may send a little; more only those whose credentials are known, which is looked up once a body turns out to be
large. Large bodies go to a file.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import IO, Any, Protocol

SMALL_BYTES = 64 * 1024  # what unsigned requests may send; browsers' beacons have no more either
IN_MEMORY_BYTES = 1 << 20
SMALL_S = 10.0  # for all of a small body
SILENT_S = 15.0  # between two chunks of a large one
SLOWEST_BYTES_S = 4096  # a large body that arrives more slowly is given up

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class BodyProtocol(Protocol):
    """What the server offers of a request's body: all of it, or its chunks."""

    def __call__(self) -> Awaitable[bytes]:
        """The whole body."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks as they arrive, then an empty one; one more where the body broke off, or has trailers."""


class TooLarge(Exception):
    """The body is larger than this caller may send."""

    def __init__(self, limit: int) -> None:
        """Keep how many bytes are allowed."""
        super().__init__(limit)
        self.limit = limit


class Truncated(Exception):
    """The client went away in the middle of the body."""


async def gather(
    protocol: BodyProtocol, length: int | None, limit: Callable[[], Awaitable[int]], folder: Path, in_thread: InThread
) -> tuple[IO[bytes], int]:
    """Read a body whole.

    Args:
        protocol: the server's side of the request.
        length: as announced; None for a chunked body.
        limit: looks up how many bytes this caller may send; asked only where it matters.
        folder: where a large body's file stands; it has no name there.
        in_thread: runs what waits for a disk.

    Returns:
        The body from its beginning, and its size.

    Raises:
        TooLarge: more than the limit, announced or sent.
        TimeoutError: it arrives too slowly.
        Truncated: it ends before its announced length, or before the chunk that ends it.
    """
    if length is not None and length <= SMALL_BYTES:
        async with asyncio.timeout(SMALL_S):
            body = await protocol()
        if len(body) != length:
            raise Truncated
        return io.BytesIO(body), length
    allowed = SMALL_BYTES
    if length is not None and length > (allowed := await limit()):
        raise TooLarge(allowed)
    spool, ends = _Spool(folder, in_thread), 0
    async for chunk in _timely(protocol):
        await spool.add(chunk)
        ends += not chunk
        if spool.size > allowed and (allowed == SMALL_BYTES or length is not None):
            allowed = await limit()
        if spool.size > allowed:
            raise TooLarge(allowed)
    if ends > 1 or (length is not None and spool.size != length):
        raise Truncated
    return await spool.finish(), spool.size


async def _timely(protocol: BodyProtocol) -> AsyncIterator[bytes]:
    """The chunks, as long as they arrive in time."""
    loop = asyncio.get_running_loop()
    started, size = loop.time(), 0
    chunks = protocol.__aiter__()
    while True:
        patience = min(SILENT_S, started + SMALL_S + SILENT_S + size / SLOWEST_BYTES_S - loop.time())
        try:
            async with asyncio.timeout(patience):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        size += len(chunk)
        yield chunk


class _Spool:
    """A body that grows: in memory, then in a file without a name."""

    def __init__(self, folder: Path, in_thread: InThread) -> None:
        self.size = 0
        self._folder = folder
        self._in_thread = in_thread
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file: IO[bytes] | None = None

    async def add(self, chunk: bytes) -> None:
        self._pending.append(chunk)
        self._pending_bytes += len(chunk)
        self.size += len(chunk)
        if self._pending_bytes >= IN_MEMORY_BYTES:
            await self._in_thread(self._flush)

    async def finish(self) -> IO[bytes]:
        if self._file is None:
            return io.BytesIO(b"".join(self._pending))
        await self._in_thread(self._flush)
        self._file.seek(0)
        return self._file

    def _flush(self) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  whoever reads the body closes it
        self._file.write(b"".join(self._pending))
        self._pending, self._pending_bytes = [], 0
