"""The time that ages count from: the newest event of a log, unless a few events stand far ahead of all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DAY = 86_400
BULK = 0.99  # share of the events that surely tell the time
AHEAD = 0.2  # of their span: what is later than that is a wrong clock
MIN_EVENTS = 20  # fewer events do not tell which of them is wrong


def robust_newest(timestamp: NDArray[np.int64]) -> int:
    """Seconds of the newest plausible event; 0 without events.

    An event counts unless it is later than 99 % of all by more than a fifth of their span and more than a day.

    >>> times = np.arange(100) * 3600
    >>> robust_newest(times) == 99 * 3600, robust_newest(np.append(times, 400 * DAY)) == 99 * 3600
    (True, True)
    """
    if len(timestamp) < MIN_EVENTS:
        return int(timestamp.max(initial=0))
    low, high = np.quantile(timestamp, [1 - BULK, BULK])
    latest = high + max(DAY, AHEAD * (high - low))
    return int(timestamp[timestamp <= latest].max())
