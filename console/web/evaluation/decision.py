"""Which version to take: the best for each goal in plain words, and accuracy against what else one wants, with the Pareto line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext

from console.models import SolutionVersion
from console.shapes import JSONDict
from console.web.charts import Chart
from console.web.evaluation.comparison import HEADLINE
from console.web.glossary import translated
from console.web.kinds import page_url
from console.web.languages import chance_words, lazily
from console.web.nouns import in_sentence
from console.web.plots.model import SERIES, Colour, Look, Plot, Point, Series, numbers
from console.web.plots.words import shown
from console.web.templatetags.display import duration

ROOM = 0.02  # of an axis, beyond the last point, which would be cut on the edge
DISCOVERY = ("novelty_at_25", "coverage")
# What accuracy is drawn against, and whether less of it is better.
AGAINST = {
    "coverage": (lazily("Coverage"), False),
    "novelty_at_25": (lazily("Novelty"), False),
    "intra_list_diversity_at_25": (lazily("Diversity"), False),
    "average_popularity_at_25": (lazily("Average popularity"), True),
}


@dataclass(frozen=True)
class Goal:
    """What is best for one goal: a heading, the version, and why in a sentence."""

    title: str
    winner: str
    sentence: str


def goals(answer: JSONDict, labels: Mapping[str, str], versions: Sequence[SolutionVersion]) -> list[Goal]:
    """The best version for accuracy, discovery, speed and cost; a goal without a figure is left out."""
    metrics = {metric["name"]: metric for metric in answer["metrics"]}
    found = []
    if HEADLINE in metrics:
        found.append(_by_metric(gettext("Accuracy"), metrics[HEADLINE], labels, answer["baselineArn"]))
    name = next((name for name in DISCOVERY if name in metrics), None)
    if name:
        found.append(_by_metric(gettext("Discovery"), metrics[name], labels, answer["baselineArn"]))
    found += _by_seconds(
        gettext("Speed"),
        {row.arn: seconds_a_list(row) for row in versions},
        labels,
        gettext("{} for each list of the test"),
    )
    found += _by_seconds(
        gettext("Cost"), {row.arn: row.seconds for row in versions}, labels, gettext("training takes {}")
    )
    return found


def seconds_a_list(version: SolutionVersion) -> float | None:
    """How long the evaluation took for each of its queries."""
    spent, queries = version.report.get("seconds", {}).get("evaluation"), version.report.get("num_queries")
    return spent / queries if spent and queries else None


def _by_metric(title: str, metric: JSONDict, labels: Mapping[str, str], baseline_arn: str) -> Goal:
    sign = -1 if metric.get("lessIsBetter") else 1
    ranked = sorted(metric["values"], key=lambda entry: -sign * entry["value"])
    best, baseline = ranked[0], labels[baseline_arn]
    said = gettext("{title} is {value}").format(title=translated(metric["title"]), value=shown(best["value"]))
    if best["solutionVersionArn"] == baseline_arn:
        return Goal(
            title,
            baseline,
            gettext("{said}; it is the baseline{close}.").format(said=said, close=_close(ranked, labels)),
        )
    if best.get("verdict") == "better":
        chance = f" ({chance_words(best['p'])})" if best.get("p") is not None else ""
        return Goal(
            title,
            labels[best["solutionVersionArn"]],
            gettext("{said}, surely better than {baseline}{chance}{close}.").format(
                said=said, baseline=baseline, chance=chance, close=_close(ranked, labels)
            ),
        )
    return Goal(title, gettext("No clear winner"), gettext("{label} has the best {title}, {value}, but chance could explain its lead over {baseline}.").format(label=labels[best['solutionVersionArn']], title=translated(metric['title']), value=shown(best['value']), baseline=baseline))  # fmt: skip


def _close(ranked: Sequence[JSONDict], labels: Mapping[str, str]) -> str:
    """The second, where its interval meets the first's."""
    first, second = ranked[0], ranked[1]
    if first.get("low") is None or second.get("low") is None:
        return ""
    if first["low"] > second["high"] or second["low"] > first["high"]:
        return ""
    return gettext("; {label} is close, their intervals overlap").format(label=labels[second["solutionVersionArn"]])


def _by_seconds(title: str, seconds: Mapping[str, float | None], labels: Mapping[str, str], words: str) -> list[Goal]:
    known = sorted((value, labels[arn]) for arn, value in seconds.items() if value is not None and arn in labels)
    if len(known) < len(labels):
        return []
    (least, winner), (most, last) = known[0], known[-1]
    return [
        Goal(
            title,
            winner,
            gettext("{least}; {last} needs {most}.").format(
                least=capfirst(words.format(time_words(least))), last=last, most=time_words(most)
            ),
        )
    ]


def time_words(seconds: float) -> str:
    """Seconds, or milliseconds where they are few.

    >>> time_words(0.0042), time_words(75)
    ('4.20 ms', '1 min 15 s')
    """
    return gettext("{seconds} ms").format(seconds=shown(round(1000 * seconds, 2))) if seconds < 1 else duration(seconds)


def scatter(
    answer: JSONDict, labels: Mapping[str, str], versions: Sequence[SolutionVersion], name: str
) -> Chart | None:
    """Accuracy against another metric; the line joins the versions that no other beats in both."""
    metrics = {metric["name"]: metric for metric in answer["metrics"]}
    if HEADLINE not in metrics or name not in metrics:
        return None
    urls = {version.arn: page_url(version) for version in versions}
    across = {entry["solutionVersionArn"]: entry for entry in metrics[name]["values"]}
    title, less_is_better = AGAINST[name]
    points = {}
    for entry in metrics[HEADLINE]["values"]:
        arn, other = entry["solutionVersionArn"], across[entry["solutionVersionArn"]]
        said = gettext("{label}\nNDCG at 10: {entry}\n{title}: {other}").format(
            label=labels[arn], entry=_interval(entry), title=title, other=_interval(other)
        )
        points[arn] = Point(
            other["value"], entry["value"], entry.get("low"), entry.get("high"), said, urls.get(arn, "")
        )
    front = pareto([(point.x, point.y or 0.0) for point in points.values()], less_is_better=less_is_better)
    line = Series(gettext("not beaten in both"), tuple(Point(x, y) for x, y in front), Look.LINE, Colour.BASELINE, 1)
    drawn = [Series(labels[arn], (point,), Look.POINTS, SERIES[place % len(SERIES)], place % len(SERIES))
             for place, (arn, point) in enumerate(points.items())]  # fmt: skip
    ends = [end for point in points.values() for end in (point.y, point.low, point.high)]
    better = gettext("less is better") if less_is_better else gettext("more is better")
    plot = Plot(
        (line, *drawn),
        numbers([point.x for point in points.values()], title=f"{title}, {better}", room=ROOM),
        numbers(ends, title=gettext("NDCG at 10")),
        height=300,
    )
    rows = tuple((labels[arn], point.x, point.y) for arn, point in points.items())
    return Chart(
        "trade-off",
        gettext("Accuracy against {title}").format(title=in_sentence(title)),
        plot,
        (gettext("Version"), title, gettext("NDCG at 10")),
        rows,
    )


def _interval(entry: JSONDict) -> str:
    if entry.get("low") is None:
        return shown(entry["value"])
    return gettext("{value} ({low} to {high})").format(
        value=shown(entry["value"]), low=shown(entry["low"]), high=shown(entry["high"])
    )


def pareto(points: Sequence[tuple[float, float]], *, less_is_better: bool = False) -> list[tuple[float, float]]:
    """The points that no other beats in both, from left to right; more is better upwards, and to the right unless said otherwise.

    >>> pareto([(1, 3), (2, 2), (1.5, 1), (3, 1)])
    [(1, 3), (2, 2), (3, 1)]
    >>> pareto([(1, 3), (2, 2), (3, 4)], less_is_better=True)
    [(1, 3), (3, 4)]
    """
    kept: list[tuple[float, float]] = []
    for x, y in sorted(set(points), key=lambda point: (point[0] if less_is_better else -point[0], -point[1])):
        if not kept or y > kept[-1][1]:
            kept.append((x, y))
    return sorted(kept)
