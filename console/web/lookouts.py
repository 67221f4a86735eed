"""The figures that people look for in lists: how good a version is, and what a campaign is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from console.serving import traffic
from console.serving.traffic import Minutes
from console.shapes import JSONDict
from console.web.languages import figure, localised
from console.web.plots.words import shown

ACCURACY = "normalized_discounted_cumulative_gain_at_10"
HOUR_MINUTES = 60


@dataclass(frozen=True)
class Quality:
    """One accuracy with its interval and what the popular items reach."""

    value: float
    low: float | None
    high: float | None
    popularity: float | None

    @property
    def times_popularity(self) -> str:
        """How many times as good as showing everybody the same: "2.4×"."""
        return localised(f"{self.value / self.popularity:.1f}×") if self.popularity else ""

    def __str__(self) -> str:
        """The value with its interval.

        >>> str(Quality(0.247, 0.1823, 0.3127, None)), str(Quality(0.5, None, None, 0.25))
        ('0.247 (0.182 – 0.313)', '0.500')
        """
        if self.low is None or self.high is None:
            return figure(self.value)
        return f"{figure(self.value)} ({figure(self.low)} – {figure(self.high)})"


def quality_of(version: Any) -> Quality | None:
    """NDCG at 10 of a version; None where nothing was evaluated. Reads only the row."""
    return quality_in(version.report) if version else None


def quality_in(report: JSONDict) -> Quality | None:
    """NDCG at 10 in the report of a training."""
    value = (report.get("figures") or {}).get(ACCURACY)
    if value is None:
        return None
    low, high = (report.get("intervals") or {}).get(ACCURACY, (None, None))
    popularity = ((report.get("baselines") or {}).get("popularity") or {}).get(ACCURACY)
    return Quality(value, low, high, popularity)


def asked_of(arns: Sequence[str], minutes: int) -> JSONDict | None:
    """What servers were asked lately, together; None where nothing counts."""
    found = traffic.by_minute_of(arns, minutes)
    if found is None:
        return None
    total: Counter[str] = Counter()
    for rows in found.values():
        for _, one in rows:
            total += one.counts
    return Minutes(total).wire()


def look_up(servers: Sequence[Any]) -> None:
    """Read what all servers of a page were asked in the last hour, in one exchange with the broker."""
    found = traffic.by_minute_of([server.arn for server in servers], HOUR_MINUTES)
    for server in servers:
        rows = [] if found is None else found[server.arn]
        total = sum((one.counts for _, one in rows), start=Counter[str]())
        server.asked_lately = None if found is None else Minutes(total).wire()


def requests_of(server: Any) -> int | None:
    """Requests of the last hour, once `look_up` has read them."""
    asked = server.asked_lately
    return asked["requests"] if asked else None


def latency_of(server: Any) -> str:
    """The 95th percentile of the last hour in milliseconds, once `look_up` has read it."""
    asked = server.asked_lately
    return gettext("{p95} ms").format(p95=shown(asked["p95"])) if asked and asked["p95"] is not None else ""
