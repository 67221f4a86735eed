"""How many requests a key, an address or an account may send: token buckets in memory that the web processes share."""

from __future__ import annotations

import mmap
import threading
import time
from hashlib import blake2b

SLOTS = 4096
FIELDS = 3  # of a slot: whose it is, what is left of the burst, and when that was so
NEARBY = 8  # slots in which a name may stand; the one that asked longest ago makes room
BYTES = 8


class Rate:
    """So many requests a second of each name, and a burst beyond; safe to share between threads.

    Processes forked after it was made count together. They do not wait for each other: two that count the same name in
    the same microsecond may count one request for two. More names than fit get a new burst each, and memory is bounded.
    """

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self._slots = memoryview(mmap.mmap(-1, SLOTS * FIELDS * BYTES)).cast("d")
        self._lock = threading.Lock()

    def allows(self, name: str, per_second: float, burst: float) -> bool:
        """Whether `name` may send one more request now."""
        now = time.monotonic()
        with self._lock:
            slot = self._slot(name, burst, now)
            _, left, seen = self._slots[slot : slot + FIELDS]
            left = min(burst, left + max(0.0, now - seen) * per_second)
            is_allowed = left >= 1
            self._slots[slot + 1], self._slots[slot + 2] = left - is_allowed, now
            return is_allowed

    def forget(self) -> None:
        """Give everybody a full burst."""
        with self._lock:
            for place in range(len(self._slots)):
                self._slots[place] = 0.0

    def _slot(self, name: str, burst: float, now: float) -> int:
        """Where the name's numbers stand; a new name gets a full burst."""
        digest = int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big") + 1
        nearby = [FIELDS * ((digest + step) % SLOTS) for step in range(NEARBY)]
        for slot in nearby:
            if self._slots[slot] == digest:
                return slot
        slot = min(nearby, key=lambda slot: self._slots[slot + 2])
        self._slots[slot], self._slots[slot + 1], self._slots[slot + 2] = float(digest), burst, now
        return slot


RATE = Rate()  # of all that is counted: the web processes, which are forked after this was imported, share it
