"""What requests keep for a moment: rows that each one reads, and scores of histories that were asked for a moment ago."""

from __future__ import annotations

import mmap
import random
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from hashlib import blake2b
from time import monotonic
from typing import Any, NamedTuple, TypeVar, cast

from cachetools import LRUCache

from console import telemetry, transient
from recipes.data import Histories
from recipes.numerics.arrays import Floats

FRESH_S = 0.25
STALE_S = 600.0  # how long what was read counts while the database does not answer
MOST = 1000  # rows
MAX_BYTES = 32 * 2**20  # of scores, for each loaded model
ENTRY_BYTES = 512  # of an answer beside its scores
_answered = threading.local()

Value = TypeVar("Value")


class Known(NamedTuple):
    """What was read, when, and in which state of the web processes' writes."""

    value: Any
    read: float
    state: int


class RequestCache:
    """Rows that each request asks for, kept for a quarter of a second: a campaign under load is read four times a second, not a thousand.

    What the web processes write is there at once in all of them, as every write tells it to forget; what a worker writes is
    there when the time is over. Nothing that is missing is kept, so that what is created is found at once. While the
    database does not answer, what was read last counts for a while: requests go on. It is safe to share between threads.
    """

    def __init__(self) -> None:
        """Nothing is known."""
        self._known: dict[Hashable, Known] = {}
        self._state = memoryview(mmap.mmap(-1, 8)).cast("Q")  # of the writes of all processes forked after it was made

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """What `read` gives, now or within the last `FRESH_S`; what it raises is not kept.

        Where it meets a transient fault, what was read within the last `STALE_S` counts.
        """
        known, now, state = self._known.get(key), monotonic(), self._state[0]
        if known is not None and known.state == state and now - known.read < FRESH_S:
            return cast("Value", known.value)
        try:
            value = read()
        except Exception as error:
            if known is None or now - known.read > STALE_S or not transient.passed_over(f"Reading {key!r}", error):
                raise
            return cast("Value", known.value)
        if value is None:
            return value
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = Known(
            value, now, state
        )  # a write meanwhile has made another state, which this one is not of
        return value

    def forget(self) -> None:
        """Read everything anew: something was written."""
        self._state[0] = random.getrandbits(64)


REQUEST_CACHE = RequestCache()


class ScoreCache:
    """The newest answers of one model, by all that it read: the same history gives the same scores until an event is added.

    It is safe to share between threads.
    """

    def __init__(self, score: Callable[[Histories], Floats], max_bytes: int = MAX_BYTES) -> None:
        """Keep at most `max_bytes` of what `score` answers."""
        self._score = score
        self._kept: LRUCache[bytes, Floats] = LRUCache(max_bytes, getsizeof=lambda scores: scores.nbytes + ENTRY_BYTES)
        self._lock = threading.Lock()

    def score(self, history: Histories) -> Floats:
        """(1, N) scores of a single history; not to be written to."""
        key = _key(history)
        with self._lock:
            kept = self._kept.get(key)
        telemetry.looked_up("scores", is_hit=kept is not None)
        if kept is not None:
            _answered.from_cache = True
            return kept
        scores = self._score(history)
        scores.flags.writeable = False
        with self._lock, suppress(ValueError):  # of so many items that not even one answer fits
            self._kept[key] = scores
        return scores


def take_hit() -> bool:
    """Whether this thread was answered from the cache since it last asked."""
    hit, _answered.from_cache = getattr(_answered, "from_cache", False), False
    return hit


def _key(history: Histories) -> bytes:
    """A digest of all that the model reads: histories themselves would be longer than the scores of a small catalogue."""
    digest = blake2b(repr((int(history.user_index[0]), sorted(history.context.items()))).encode(), digest_size=16)
    for events in (history.item_index, history.timestamp, history.event_type):
        digest.update(events.tobytes())
    return digest.digest()
