"""Scores of histories that were asked for a moment ago: the same history gives the same scores until an event is added."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b

from cachetools import LRUCache

from console import telemetry
from recipes.data import Histories
from recipes.numerics.arrays import Floats

MAX_BYTES = 32 * 2**20  # for each loaded model
ENTRY_BYTES = 512  # of an answer beside its scores
_answered = threading.local()


class ScoreCache:
    """The newest answers of one model, by all that it read; safe to share between threads."""

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
