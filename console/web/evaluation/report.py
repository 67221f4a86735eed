"""A version's or recommender's report made ready to read: metrics in groups, charts, curves, the parameters in force."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from console.shapes import JSONDict
from console.web.charts import Bar, Chart, by_cutoff, metric_bars, training_curves
from console.web.glossary import translated
from console.web.languages import lazily, localised
from console.web.live_charts import trial_lines
from console.web.plots.words import plain

AT_CUTOFF = re.compile(r"(.+)_at_(\d+)$")
BY_LENGTH = (
    ("normalized_discounted_cumulative_gain", lazily("NDCG by length of the list")),
    ("precision", lazily("Precision by length of the list")),
)
LOG_TAIL = 12
LEVEL = 0.05
PROTOCOLS = {
    "amazon": lazily("10 % of the users, evaluated on the newest tenth of their events"),
    "segmentation": lazily("the newest fifth of each user's events"),
}
STAGES = {
    "judged": lazily("Training for the evaluation"),
    "evaluation": lazily("Evaluation"),
    "served": lazily("Training on all data"),
}


def report_context(report: JSONDict, recipe: JSONDict) -> dict[str, Any]:
    """What the progress and metrics templates read; `recipe` is ListRecipeChoices' entry, empty where it has none."""
    metrics = report.get("metrics", [])
    fraction = report.get("fraction")
    return {
        "report": report,
        "percent": None if fraction is None else round(100 * fraction),
        "log": report.get("log", [])[-LOG_TAIL:],
        "curves": training_curves("curves", report.get("epochs", []), report.get("bestEpoch")),
        "ending": _ending(report),
        "aws_metrics": [metric for metric in metrics if metric.get("isAws")],
        "other_metrics": [metric for metric in metrics if not metric.get("isAws")],
        "bars": _bars(metrics),
        "lengths": list(_by_length(metrics)),
        "parameters": parameters_in_force(recipe, report.get("hyperparameters", {})),
        "counts": [(plain(name), count) for name, count in sorted(report.get("counts", {}).items())],
        "seconds": [(STAGES.get(name, plain(name)), spent) for name, spent in report.get("seconds", {}).items()],
        "protocol": PROTOCOLS.get(report.get("protocol", ""), report.get("protocol", "")),
        "tuned": set(report.get("tuned", {})),
        "trials": [_trial(trial) for trial in report.get("trials", [])],
        "trial_chart": trial_lines("trials", report.get("trials", []), plain(report.get("objective", "value"))),
        "importances": [_importance(one) for one in report.get("importances", [])],
        "objective": plain(report.get("objective", "")),
    }


def parameters_in_force(recipe: JSONDict, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each hyperparameter's value beside its default, changed ones marked."""
    declared = {known["name"]: known for known in recipe.get("hyperparameters", [])}
    return [_parameter(name, value, declared.get(name, {})) for name, value in sorted(values.items())]


def _parameter(name: str, value: str, known: JSONDict) -> dict[str, Any]:
    default = known.get("default", "")
    changed = bool(known) and not same_setting(value, default)
    return {"name": name, "value": value, "default": default, "changed": changed, "help": known.get("help", "")}


def same_setting(one: str, other: str) -> bool:
    """Whether two settings are the same value, however they are written.

    >>> same_setting("0.50", "0.5"), same_setting("True", "true"), same_setting("a", "b")
    (True, True, False)
    """
    try:
        return float(one) == float(other)
    except ValueError:
        return one.strip().lower() == other.lower()


def _ending(report: JSONDict) -> str:
    """Why learning stopped and which epoch was kept."""
    epochs, best = report.get("epochs", []), report.get("bestEpoch")
    if not epochs or best is None:
        return ""
    last, rounds = int(epochs[-1]["epoch"]), int(epochs[-1].get("round", 1))
    if rounds > 1:
        return gettext("{epochs} epochs in {rounds} rounds; the validation was best after epoch {best}.").format(
            epochs=last, rounds=rounds, best=best
        )
    if best < last:
        return gettext(
            "Stopped after epoch {last}: nothing got better after epoch {best}, whose model is kept."
        ).format(last=last, best=best)
    return gettext("The last epoch, {last}, is the best and is kept.").format(last=last)


def _trial(trial: JSONDict) -> JSONDict:
    """A trial with its settings short enough to read, and as the query that makes a solution of it."""
    settings = list(trial.get("parameters", {}).items())
    query = urlencode({f"set_{name}": text for name, text in settings})
    return trial | {"settings": [(name, _short(text)) for name, text in settings], "query": query}


def _importance(one: JSONDict) -> JSONDict:
    """A setting's share as whole percents, and whether chance explains it as well."""
    return one | {"percent": round(100 * one["share"]), "is_chance": one["pValue"] >= LEVEL}


def _short(text: str) -> str:
    try:
        return localised(f"{float(text):.4g}")
    except ValueError:
        return text


def _bars(metrics: Iterable[JSONDict]) -> Chart | None:
    shown = [metric for metric in metrics if metric.get("isAws")]
    if not shown:
        return None
    series = {
        gettext("this version"): [Bar(translated(m["title"]), m["value"], m.get("low"), m.get("high")) for m in shown],
        "popularity": [Bar(translated(m["title"]), m["popularity"]) for m in shown if "popularity" in m],
    }
    return metric_bars(
        "bars", gettext("Metrics with 95 % intervals"), {name: bars for name, bars in series.items() if bars}
    )


def _by_length(metrics: Iterable[JSONDict]) -> Iterable[Chart]:
    found: dict[str, dict[int, JSONDict]] = {}
    for metric in metrics:
        if at := AT_CUTOFF.match(metric["name"]):
            found.setdefault(at.group(1), {})[int(at.group(2))] = metric
    for stem, title in BY_LENGTH:
        points = found.get(stem, {})
        if len(points) > 1:
            series = {
                gettext("this version"): {
                    k: Bar(str(k), m["value"], m.get("low"), m.get("high")) for k, m in points.items()
                }
            }
            popular = {k: Bar(str(k), m["popularity"]) for k, m in points.items() if "popularity" in m}
            yield by_cutoff(f"by-length-{stem}", title, series | ({"popularity": popular} if popular else {}))
