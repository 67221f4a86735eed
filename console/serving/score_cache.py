"""Scores of histories that were asked for a moment ago: the same history gives the same scores until an event is added."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from recipes.data import Histories
from recipes.numerics.arrays import Floats

MOST_BYTES = 32 * 2**20  # of scores, for each loaded model
_answered = threading.local()


class ScoreMemory:
    """The newest answers of one model, by all that it read; safe to share between threads."""

    def __init__(self, score: Callable[[Histories], Floats]) -> None:
        """Remember what `score` answers."""
        self._score = score
        self._known: OrderedDict[object, Floats] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def score(self, history: Histories) -> Floats:
        """(1, N) scores of a single history; not to be written to."""
        key = _key(history)
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
                _answered.from_memory = True
                return found
        scores = self._score(history)
        scores.flags.writeable = False
        with self._lock:
            if key not in self._known:
                self._known[key] = scores
                self._bytes += scores.nbytes
            while self._bytes > MOST_BYTES and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1].nbytes
        return scores


def take_hit() -> bool:
    """Whether this thread was answered from memory since it last asked."""
    hit, _answered.from_memory = getattr(_answered, "from_memory", False), False
    return hit


def _key(history: Histories) -> object:
    events = (history.item_index.tobytes(), history.timestamp.tobytes(), history.event_type.tobytes())
    return int(history.user_index[0]), *events, tuple(sorted(history.context.items()))
