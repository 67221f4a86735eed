"""The other tabs of a comparison: by length of the list, what was shown, for whom it was good, and user by user."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.shapes import JSONDict
from console.sheets import SheetWriter
from console.web.access import Request
from console.web.charts import Bar, bands, lorenz, metric_bars, share_bars
from console.web.evaluation.compare import CUTOFFS, METRICS, comparing, measure
from console.web.evaluation.segment_words import segment_words
from console.web.evaluation.selection import Selection
from console.web.glossary import translated
from console.web.languages import lazily
from console.web.lists import csv_cell
from console.web.pages import call
from console.web.serving import testing

ORDERS = {"HURT_FIRST": lazily("Worse first"), "HELPED_FIRST": lazily("Better first")}
NO_DIFFERENCE = "no difference shown"
SAID = {"worse": lazily("worse for {segments}"), "better": lazily("better for {segments}")}
LOOKS = {
    "better": ("good", "caret-up-fill", lazily("better")),
    "worse": ("bad", "caret-down-fill", lazily("worse")),
    "no difference shown": ("even", "arrow-left-right", lazily("no difference shown")),
}
KINDS = {"activity": lazily("How much they had done"), "items": lazily("What they took")}
EVERYONE = 100


@comparing("compare-lengths", "evaluation/compare/lengths.html")
def lengths_view(request: Request, selection: Selection) -> dict[str, Any]:
    """A metric for every length of the list, with bands."""
    asked = measure(request)
    answer = call(request, "GetMetricCurve", selection.members | {"metric": asked["metric"]})
    series = {selection.labels[one["solutionVersionArn"]]: one["points"] for one in answer["curves"]}
    title = gettext("{metric} by length of the list").format(metric=METRICS[asked["metric"]])
    return asked | {"metrics": METRICS, "chart": bands("by-length", title, series), "chart_title": title}


@comparing("compare-exposure", "evaluation/compare/exposure.html")
def exposure_view(request: Request, selection: Selection) -> dict[str, Any]:
    """How the places of the lists were shared out among the items."""
    cutoff = measure(request)["cutoff"]
    members = selection.members | {"cutoff": cutoff, "column": request.GET.get("column") or None}
    answer = call(request, "GetRecommendationExposure", members)
    labels = selection.labels
    rows = [row | {"label": labels[row["solutionVersionArn"]]} for row in answer["versions"]]
    tiers = {row["label"]: _shares(row["tiers"]) for row in rows} | {
        gettext("taken by the users"): _shares(answer["taken"])
    }
    tiers = {name: [replace(bar, label=translated(bar.label)) for bar in bars] for name, bars in tiers.items()}
    categories = {row["label"]: _shares(row["categories"]) for row in rows}
    if rows[0]["categories"]:
        categories[gettext("catalogue")] = [Bar(one["value"], one["catalogue"]) for one in rows[0]["categories"]]
    return {
        "answer": answer,
        "cutoff": cutoff,
        "cutoffs": CUTOFFS,
        "rows": rows,
        "curve": lorenz("lorenz", {row["label"]: row["curve"] for row in rows}),
        "tiers": share_bars(
            "tiers", gettext("Share of the places by popularity of the items"), tiers, gettext("Popularity")
        ),
        "categories": share_bars(
            "categories",
            gettext("Share of the places by {column}").format(column=answer["column"]),
            categories,
            answer["column"],
        )
        if answer.get("column")
        else None,
    }


@comparing("compare-segments", "evaluation/compare/segments.html")
def segments_view(request: Request, selection: Selection) -> dict[str, Any]:
    """A metric by segment, the worst one called out."""
    asked = measure(request)
    column = request.GET.get("column") or None
    answer = call(request, "GetMetricSegments", selection.members | asked | {"column": column})
    labels = selection.labels
    parts: dict[str, list[JSONDict]] = {}
    for segment in answer["segments"]:
        parts.setdefault(segment["kind"], []).append(segment)
    words = {
        label: text for rows in parts.values() for label, text in segment_words([row["label"] for row in rows]).items()
    }
    for segment in (*answer["segments"], *answer.get("worst", [])):
        segment["label"] = words.get(segment["label"], segment["label"])
    return asked | {
        "answer": answer,
        "metrics": METRICS,
        "cutoffs": CUTOFFS,
        "title": gettext("{metric} at {k}").format(metric=METRICS[asked["metric"]], k=asked["cutoff"]),
        "parts": [_part(kind, rows, labels) for kind, rows in parts.items()],
        "baseline_label": next(iter(labels.values())),
        "verdicts": _verdicts(answer["segments"], labels),
        "worst": [one | {"version": labels[one["solutionVersionArn"]]} for one in answer.get("worst", [])],
    }


@comparing("compare-users", "evaluation/compare/users.html")
def outcomes_view(request: Request, selection: Selection) -> dict[str, Any]:
    """Who is helped and who is hurt by going from the baseline to another version."""
    asked = measure(request)
    others = selection.chosen[1:]
    other = next((version for version in others if version.arn_name == request.GET.get("other")), others[0])
    order = request.GET.get("order", "") if request.GET.get("order") in ORDERS else next(iter(ORDERS))
    members = selection.members | asked | {"order": order, "solutionVersionArns": [selection.chosen[0].arn, other.arn]}
    if request.GET.get("format") == "csv":
        return {"response": _users_csv(request, members)}
    answer = call(request, "CompareUserOutcomes", members | {"nextToken": request.GET.get("after") or None})
    return asked | {
        "answer": answer,
        "metrics": METRICS,
        "cutoffs": CUTOFFS,
        "orders": ORDERS,
        "order": order,
        "others": [(version, selection.labels[version.arn]) for version in others],
        "other": other,
        "other_label": selection.labels[other.arn],
        "baseline_label": selection.labels[selection.chosen[0].arn],
        "title": gettext("{metric} at {k}").format(metric=METRICS[asked["metric"]], k=asked["cutoff"]),
    }


@comparing("compare-users", "evaluation/compare/user.html")
def evaluated_view(request: Request, selection: Selection) -> dict[str, Any]:
    """One user of the test: the history, what each version showed, and what was taken."""
    user, cutoff = request.GET.get("user", ""), measure(request)["cutoff"]
    answer = call(request, "GetJudgedLists", selection.members | {"userId": user, "cutoff": cutoff})
    version = {"solutionVersionArn": selection.chosen[0].arn}
    ids = {item["itemId"] for listed in answer["lists"] for item in listed["items"]}
    ids |= {item["itemId"] for item in answer["taken"]}
    cards = call(request, "GetItemCards", version | {"itemIds": sorted(ids)})["items"] if ids else []
    known = {card["itemId"]: card for card in cards}
    lists = [_dressed(listed["items"], known) for listed in answer["lists"]]
    return {
        "user": user,
        "cutoff": cutoff,
        "lists": [
            (
                selection.labels[version.arn],
                version,
                items if not place else testing.compared(lists[0], items),
                sum(i.get("isHit", False) for i in items),
            )
            for place, (version, items) in enumerate(zip(selection.chosen, lists, strict=True))
        ],
        "taken": [testing.dressed(known[item["itemId"]]) for item in answer["taken"]],
        "num_observed": answer["told"],
        "history": _history(request, version, user),
        "is_taken": {item["itemId"] for item in answer["taken"]},
    }


def _shares(rows: list[JSONDict]) -> list[Bar]:
    return [Bar(row["value"], row["recommended"]) for row in rows]


def _part(kind: str, rows: list[JSONDict], labels: dict[str, str]) -> JSONDict:
    """One way of cutting the test into segments: its table, and its chart where there is more than one."""
    title = KINDS.get(kind, gettext("By {kind}").format(kind=kind))
    for row in rows:
        for value in row["values"]:
            value["look"], value["icon"], value["words"] = LOOKS[value.get("verdict", NO_DIFFERENCE)]
            value["label"] = labels[value["solutionVersionArn"]]
    series = {
        label: [
            Bar(row["label"], value["value"], value["low"], value["high"])
            for row in rows
            for value in row["values"]
            if value["solutionVersionArn"] == arn and "value" in value
        ]
        for arn, label in labels.items()
    }
    return {
        "title": title,
        "rows": rows,
        "chart": metric_bars(f"segments-{kind.lower()}", title, series, gettext("Segment")),
    }


def _verdicts(segments: list[JSONDict], labels: dict[str, str]) -> list[tuple[str, str]]:
    """Of each version but the baseline, for whom it is better and for whom worse: class and sentence."""
    found = []
    for arn, label in list(labels.items())[1:]:
        by: dict[str, list[str]] = {}
        for segment in segments:
            for value in segment["values"]:
                if value["solutionVersionArn"] == arn and "verdict" in value:
                    by.setdefault(value["verdict"], []).append(segment["label"])
        look = "bad" if "worse" in by else "good" if "better" in by else "even"
        sentences = [SAID[word].format(segments=", ".join(by[word])) for word in SAID if word in by]
        found.append((look, f"{label}: {'; '.join(sentences) or gettext('no difference is shown for anybody')}."))
    return found


def _users_csv(request: Request, members: JSONDict) -> HttpResponse:
    """All users of the test."""
    text = io.StringIO()
    writer = SheetWriter(text)
    writer.writerow(["user", "events", "baseline", "version", "difference"])
    token: str | None = None
    while True:
        found = call(request, "CompareUserOutcomes", members | {"nextToken": token, "maxResults": EVERYONE})
        for row in found["users"]:
            values = (row["userId"], row["events"], row["before"], row["after"], row["difference"])
            writer.writerow([csv_cell(value) for value in values])
        token = found.get("nextToken")
        if token is None:
            break
    headers = {"Content-Disposition": 'attachment; filename="users.csv"'}
    return HttpResponse(text.getvalue(), content_type="text/csv", headers=headers)


def _dressed(items: list[JSONDict], known: dict[str, JSONDict]) -> list[JSONDict]:
    return [
        testing.dressed(known[item["itemId"]]) | {"rank": rank, "isHit": item["isHit"]}
        for rank, item in enumerate(items, 1)
    ]


def _history(request: Request, version: JSONDict, user: str) -> list[JSONDict]:
    try:
        found = call(request, "GetUserHistory", version | {"userId": user, "maxResults": EVERYONE})
    except ServiceError:
        return []
    return [testing.dressed(event) for event in found.get("history", [])]
