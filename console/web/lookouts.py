"""The figures that people look for in lists: how good a version is, and what a campaign is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from console.serving import traffic
from console.serving.traffic import Minutes
from console.shapes import JSONDict
from console.web.languages import localised
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
        ('0.247 (0.182 – 0.313)', '0.5')
        """
        if self.low is None or self.high is None:
            return localised(f"{self.value:.3g}")
        return localised(f"{self.value:.3f} ({self.low:.3f} – {self.high:.3f})")


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


def asked_of(arns: list[str], minutes: int) -> JSONDict | None:
    """What servers were asked lately, together; None where nothing counts."""
    total: Counter[str] = Counter()
    for arn in arns:
        rows = traffic.by_minute(arn, minutes)
        if rows is None:
            return None
        for _, found in rows:
            total += found.counts
    return Minutes(total).wire()


def requests_of(server: Any) -> int | None:
    """Requests of the last hour."""
    asked = _last_hour(server)
    return asked["requests"] if asked else None


def latency_of(server: Any) -> str:
    """The 95th percentile of the last hour in milliseconds."""
    asked = _last_hour(server)
    return gettext("{p95} ms").format(p95=shown(asked["p95"])) if asked and asked["p95"] is not None else ""


def _last_hour(server: Any) -> JSONDict | None:
    """Looked up once for a row."""
    if not hasattr(server, "asked_lately"):
        server.asked_lately = asked_of([server.arn], HOUR_MINUTES)
    found: JSONDict | None = server.asked_lately
    return found
