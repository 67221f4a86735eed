"""The seconds that a job has left, by its measured speed.

Parts of a job differ in speed, so that what is left by the last part's would leap. What is said never rises by more than a factor of
two between two looks of a page.
"""

from __future__ import annotations

SOONEST = 0.03  # of a job; an estimate from less would be a guess
LOOK_S = 2.0  # between two looks of a page
MOST_RISE = 2.0
GRACE_S = 5.0
LEAST_SHARE = 0.1  # of what was said last, which is said at least while nothing new is known


class Pace:
    """What a running job has said of the time it has left."""

    def __init__(self, began: float) -> None:
        """Begin at a moment, in seconds of any clock."""
        self._began, self._said, self._said_at = began, 0.0, began

    def left(self, fraction: float | None, now: float) -> float | None:
        """The seconds that are left once `fraction` is done; None where nothing can be said yet.

        >>> pace = Pace(began=0)
        >>> pace.left(0.01, now=1), pace.left(0.5, now=10), pace.left(0.5, now=14), pace.left(0.75, now=24)
        (None, 10.0, 14.0, 8.0)
        >>> pace = Pace(began=0)
        >>> pace.left(0.5, now=10), pace.left(0.1, now=12)  # 108 at that speed
        (10.0, 16.0)
        """
        if fraction is not None and SOONEST <= fraction <= 1:
            left = (now - self._began) * (1 - fraction) / fraction
            most = shown(self._said, now - self._said_at) * MOST_RISE ** ((now - self._said_at) / LOOK_S)
            self._said, self._said_at = min(left, most) if self._said else left, now
        return shown(self._said, now - self._said_at) if self._said else None

    def said(self, fraction: float | None, now: float) -> tuple[float, float] | None:
        """The seconds that were left when something was known last, and that moment; None where nothing was."""
        return (self._said, self._said_at) if self.left(fraction, now) else None


def shown(seconds: float, since: float) -> float:
    """What is left some seconds after it was said to be `seconds`.

    >>> shown(60, 20), shown(60, 600)
    (40, 6.0)
    """
    return max(seconds - since, LEAST_SHARE * seconds)


def is_overdue(seconds: float, since: float) -> bool:
    """Whether more time has passed since it was said than was said to be left.

    >>> is_overdue(60, 63), is_overdue(60, 70)
    (False, True)
    """
    return since > seconds + GRACE_S
