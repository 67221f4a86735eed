"""What a metric added up to over time, a colour for each source."""

from __future__ import annotations

from collections import defaultdict
from time import time

from django.db.models import F, Sum
from django.utils.translation import gettext

from console.models import MetricAttribution
from console.web.charts import Chart, stacked_over_time
from console.web.languages import lazily
from console.web.plots.model import SERIES

HOUR, DAY = 3600, 86_400
WINDOW = 900
SPANS = {
    "day": lazily("Last 24 hours"),
    "week": lazily("Last 7 days"),
    "": lazily("Last 14 days"),
    "all": lazily("All"),
}
SECONDS = {"day": DAY, "week": 7 * DAY, "": 14 * DAY}
PERIODS = {"day": WINDOW, "week": HOUR, "": 6 * HOUR}
MOST_SOURCES = len(SERIES)
OTHERS = lazily("all others")


def over_time(row: MetricAttribution, metric: str, span: str) -> Chart | None:
    """Stacked bars, a colour for each source; None where nothing was counted in the span."""
    period = PERIODS.get(span, DAY)
    sums = row.sums.filter(metric_name=metric)
    if span in SECONDS:
        sums = sums.filter(window__gte=int(time()) - SECONDS[span])
    found = sums.annotate(period=F("window") - F("window") % period).values("period", "source")
    by_source: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for entry in found.annotate(total=Sum("value")).order_by("period", "source"):
        by_source[entry["source"]][entry["period"]] = entry["total"]
    if not by_source:
        return None
    series = _largest(by_source)
    title = gettext("{metric} over time by source").format(metric=metric)
    return stacked_over_time(
        "sums", title, {short(source): points for source, points in series.items()}, period, OTHERS
    )


def short(source: str) -> str:
    """A source as a legend shows it: of an ARN its kind and name.

    >>> short("arn:aws:personalize:us-east-1:000000000001:campaign/films")
    'campaign/films'
    """
    name = source.rpartition(":")[2] if source.startswith("arn:") else source
    return name if len(name) <= 40 else f"{name[:39]}…"


def _largest(by_source: dict[str, dict[int, float]]) -> dict[str, dict[int, float]]:
    """The sources with most, and the rest as one."""
    ranked = sorted(by_source, key=lambda source: (-sum(by_source[source].values()), source))
    if len(ranked) <= MOST_SOURCES:
        return {source: by_source[source] for source in ranked}
    rest: defaultdict[int, float] = defaultdict(float)
    for source in ranked[MOST_SOURCES - 1 :]:
        for at, value in by_source[source].items():
            rest[at] += value
    return {source: by_source[source] for source in ranked[: MOST_SOURCES - 1]} | {OTHERS: dict(rest)}
