"""Rows that each request asks for, kept for a quarter of a second: a campaign under load is read four times a second, not a thousand.

What this process writes is there at once, as every write tells `FRESH` to forget; what another one writes (a worker, a second
web process) is there when the time is over. Nothing that is missing is kept, so that what is created is found at once. While the
database does not answer, what was read last counts for a while: requests go on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Any, NamedTuple, TypeVar, cast

from console import transient

FRESH_S = 0.25
STALE_S = 600.0  # how long what was read counts while the database does not answer
MOST = 1000  # rows

Value = TypeVar("Value")


class Known(NamedTuple):
    """What was read, when, and in which state of this process's own writes."""

    value: Any
    read: float
    state: object


class RequestCache:
    """Values by key, None never, each read anew when it is too old or something was written here; safe to share between threads."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._known: dict[Hashable, Known] = {}
        self._state = object()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """What `read` gives, now or within the last `FRESH_S`; what it raises is not kept.

        Where it meets a transient fault, what was read within the last `STALE_S` counts.
        """
        known, now, state = self._known.get(key), monotonic(), self._state
        if known is not None and known.state is state and now - known.read < FRESH_S:
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
        self._state = object()


REQUEST_CACHE = RequestCache()
