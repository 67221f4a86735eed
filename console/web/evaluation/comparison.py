"""Comparisons made ready to read: each difference with its interval drawn, its verdict in a word, an icon and a colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from console.shapes import JSONDict
from console.web.charts import Bar, Chart, metric_bars
from console.web.glossary import translated
from console.web.languages import chance_words, lazily
from console.web.templatetags.display import number, signed

HEADLINE = "normalized_discounted_cumulative_gain_at_10"
WIDTH = 200  # of the interval's drawing, in its own units
LOOKS = {
    "better": ("good", "arrow-up-right", lazily("better")),
    "worse": ("bad", "arrow-down-right", lazily("worse")),
    "tied": ("even", "arrow-left-right", lazily("no clear difference")),
}

TALLY = (("good", lazily("better")), ("even", lazily("even")), ("bad", lazily("worse")))


@dataclass(frozen=True)
class Difference:
    """One version against the baseline in one metric; positions are in the drawing's units, 0 to WIDTH."""

    metric: str
    arn: str
    value: float
    low: float | None
    high: float | None
    difference: float
    difference_low: float | None
    difference_high: float | None
    p: float | None
    look: str
    icon: str
    words: str
    left: float = WIDTH / 2
    middle: float = WIDTH / 2
    right: float = WIDTH / 2

    label: str = ""

    @property
    def chance(self) -> str:
        """How likely such a difference is where there is none."""
        return "" if self.p is None else chance_words(self.p)

    @property
    def interval(self) -> str:
        """The interval in words, for those who cannot see it drawn."""
        if self.difference_low is None or self.difference_high is None:
            return gettext("no interval")
        return gettext("{difference_low} to {difference_high}").format(
            difference_low=signed(self.difference_low), difference_high=signed(self.difference_high)
        )


def differences(metric: JSONDict, labels: Mapping[str, str]) -> list[Difference]:
    """All versions but the baseline, on a scale of the metric's own."""
    rows = [entry for entry in metric["values"] if not entry.get("isBaseline") and "difference" in entry]
    reach = max((abs(edge) for entry in rows for edge in _edges(entry)), default=0) or 1
    return [
        _difference(translated(metric["title"]), labels.get(entry["solutionVersionArn"], ""), entry, reach)
        for entry in rows
    ]


def _edges(entry: JSONDict) -> tuple[float, float, float]:
    middle = float(entry["difference"])
    return float(entry.get("differenceLow", middle)), middle, float(entry.get("differenceHigh", middle))


def _difference(title: str, label: str, entry: JSONDict, reach: float) -> Difference:
    look, icon, words = LOOKS.get(entry.get("verdict", "tied"), LOOKS["tied"])
    left, middle, right = (round(WIDTH / 2 + edge / reach * (WIDTH / 2 - 8), 1) for edge in _edges(entry))
    return Difference(
        title, entry["solutionVersionArn"], entry["value"], entry.get("low"), entry.get("high"), entry["difference"],
        entry.get("differenceLow"), entry.get("differenceHigh"), entry.get("p"), look, icon, words, left, middle, right, label,
    )  # fmt: skip


def verdict(answer: JSONDict, labels: Mapping[str, str]) -> tuple[str, str, str]:
    """The comparison in a sentence, what the other metrics say, and its look: the best version against the baseline."""
    metric = next((m for m in answer["metrics"] if m["name"] == HEADLINE), answer["metrics"][0])
    rows = differences(metric, labels)
    best = max(rows, key=lambda row: row.difference)
    baseline = labels[answer["baselineArn"]]
    rest = _tally(answer, labels, best)
    if best.look == "good":
        return (
            gettext("{label} is better than {baseline}").format(label=best.label, baseline=baseline),
            gettext("on {title} by {best}; {rest}").format(
                title=translated(metric["title"]), best=_by(best), rest=rest
            ),
            "good",
        )
    if best.look == "bad":
        others = best.label if len(rows) == 1 else gettext("all others")
        return (
            gettext("{baseline} is better than {others}").format(baseline=baseline, others=others),
            gettext("on {title}; {label} differs by {best}").format(
                title=translated(metric["title"]), label=best.label, best=_by(best)
            ),
            "bad",
        )
    sentence = gettext("on {title}; {label} comes closest, with a difference of {best}").format(
        title=translated(metric["title"]), label=best.label, best=_by(best)
    )
    return gettext("No version is surely better than {baseline}").format(baseline=baseline), sentence, "even"


def _by(row: Difference) -> str:
    interval = ""
    if row.difference_low is not None:
        low, high = number(row.difference_low), number(row.difference_high)
        interval = gettext(" [{low}, {high}]").format(low=low, high=high)
    return f"{number(row.difference)}{interval}{', ' if row.chance else ''}{row.chance}"


def _tally(answer: JSONDict, labels: Mapping[str, str], best: Difference) -> str:
    """How the version does on all of AWS's metrics that can be paired."""
    looks = [
        row.look
        for metric in answer["metrics"]
        if metric.get("isAws")
        for row in differences(metric, labels)
        if row.arn == best.arn
    ]
    counted = [gettext("{word} on {n}").format(word=word, n=looks.count(look)) for look, word in TALLY if look in looks]
    return gettext("of {n} metrics it is {counted}").format(n=len(looks), counted=", ".join(counted))


def table(metrics: Iterable[JSONDict], labels: Mapping[str, str]) -> Iterator[JSONDict]:
    """A row for each metric: the value of every version, the differences of all but the baseline."""
    for metric in metrics:
        rows = differences(metric, labels)
        drawn = {row.arn: row for row in rows}
        values = [
            entry | {"drawn": drawn.get(arn := entry["solutionVersionArn"]), "label": labels[arn]}
            for entry in metric["values"]
        ]
        yield metric | {"differences": rows, "values": values}


def chart(answer: JSONDict, labels: Mapping[str, str]) -> Chart:
    """AWS's metrics of all versions side by side, with popularity."""
    shown = [metric for metric in answer["metrics"] if metric.get("isAws")]
    series: dict[str, Sequence[Bar]] = {
        labels[version["solutionVersionArn"]]: [
            Bar(translated(metric["title"]), entry["value"], entry.get("low"), entry.get("high"))
            for metric in shown
            for entry in metric["values"]
            if entry["solutionVersionArn"] == version["solutionVersionArn"]
        ]
        for version in answer["versions"]
    }
    popular = [Bar(translated(metric["title"]), metric["popularity"]) for metric in shown if "popularity" in metric]
    return metric_bars(
        "compared", gettext("Metrics of the versions"), series | ({"popularity": popular} if popular else {})
    )
