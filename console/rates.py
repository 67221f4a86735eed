"""How many requests a key and an address may send: token buckets in the memory of each web process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass
class Bucket:
    """What is left of a burst, and when that was so."""

    left: float
    seen: float


class Rate:
    """So many requests a second of each name, and a burst beyond; safe to share between threads."""

    MOST_NAMES = 10_000

    def __init__(self, per_second: float, burst: int) -> None:
        """Nobody has asked yet."""
        self._per_second, self._burst = per_second, burst
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def allows(self, name: str) -> bool:
        """Whether `name` may send one more request now."""
        now = time.monotonic()
        with self._lock:
            if name not in self._buckets and len(self._buckets) >= self.MOST_NAMES:
                self._buckets.clear()  # whoever floods with names is given a new burst, and the memory is bounded
            bucket = self._buckets.setdefault(name, Bucket(self._burst, now))
            bucket.left = min(self._burst, bucket.left + (now - bucket.seen) * self._per_second)
            bucket.seen = now
            if bucket.left < 1:
                return False
            bucket.left -= 1
            return True

    def forget(self) -> None:
        """Give everybody a full burst."""
        with self._lock:
            self._buckets.clear()
