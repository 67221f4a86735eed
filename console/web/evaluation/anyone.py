"""Any user, any versions: what versions without a campaign would show somebody, side by side, and after a changed history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render as render_fragment
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import SolutionVersion
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.evaluation.compare import comparing
from console.web.evaluation.selection import Selection
from console.web.pages import call, find, service_error
from console.web.serving import testing
from console.web.serving.panel import EXPLAINED
from console.web.templatetags.display import events

SHOWN, HISTORY, TYPE_AHEAD = 10, 30, 12


@comparing("compare-anyone", "evaluation/compare/anyone.html")
def anyone_view(request: Request, selection: Selection) -> dict[str, Any]:
    """Lists of all chosen versions for one user; the first version's history, of which each event can be left out."""
    first = {"solutionVersionArn": selection.chosen[0].arn}
    picked = request.GET.get("pick", "")
    user = _pick(request, first, picked) if picked in testing.PICKS else request.GET.get("user", "").strip()
    asked = replace(testing.Ask.read(request.GET), user=user)
    without, added = list(asked.without), list(asked.added)
    context: dict[str, Any] = {
        "ignores_tests": True, "user": user, "picks": testing.PICKS, "without": without, "added": added,
        "changes": testing.changes(request, first, without, added),
    }  # fmt: skip
    if not user:
        return context
    answer = _history(request, first, user)
    known = answer.get("history", [])
    base = {"user": user, "without": without, "added": added}
    lists = [_listed(request, version, asked) for version in selection.chosen]
    return context | {
        "history": [testing.dressed(event) for event in known],
        "num_events": answer.get("numEvents", len(known)),
        "lists": [(selection.labels[version.arn], version, one) for version, one in zip(selection.chosen, aligned(lists), strict=True)],
        "is_ringed": any(item.get("isHeldOut") for one in lists for item in one["items"]),
        "query": f"{selection.query}&{urlencode(base, doseq=True)}",
        "asked": urlencode(base, doseq=True),
        "undone": f"{selection.query}&{urlencode(_without_the_last(base), doseq=True)}",
    }  # fmt: skip


@page
def anyone_users_view(request: Request) -> HttpResponse:
    """Options for the user field."""
    version: SolutionVersion = find(request, "SolutionVersion", request.GET.get("version", ""))
    typed = {"query": request.GET["user"]} if request.GET.get("user", "").strip() else {"kind": "heavy"}
    try:
        found = call(request, "SearchUsers", {"solutionVersionArn": version.arn, "maxResults": TYPE_AHEAD} | typed)[
            "users"
        ]
    except ServiceError:
        found = []
    options = [(user["userId"], events(user["events"])) for user in found]
    return render_fragment(request, "serving/campaigns/_options.html", {"options": options})


def aligned(lists: list[JSONDict]) -> list[JSONDict]:
    """Each list with its items' moves against the first that has any, and what that has and it lost."""
    base = next((place for place, one in enumerate(lists) if one["items"]), len(lists) - 1)
    found = [one | {"lost": []} for one in lists[: base + 1]]
    first = lists[base]["items"] if lists else []
    for one in lists[base + 1 :]:
        ids = {item["itemId"] for item in one["items"]}
        lost = [item for item in first if item["itemId"] not in ids] if one["items"] else []
        found.append(one | {"items": testing.compared(first, one["items"]), "lost": lost})
    return found


def _listed(request: Request, version: SolutionVersion, asked: testing.Ask) -> JSONDict:
    """What a version would show, before and after the change of the history; moves are against before.

    Without exploration, which draws anew each time: what moves is then the change's doing.
    """
    members: JSONDict = {
        "solutionVersionArn": version.arn, "userId": asked.user, "numResults": SHOWN, "explorationWeight": 0.0,
    }  # fmt: skip
    answer: JSONDict = {"items": []}
    try:
        answer = call(request, "TestRecommendations", members)
    except ServiceError as error:
        if not asked.is_what_if:
            return {"items": [], "refusal": service_error(error), "changed": False}
    before = _items(answer)
    if not asked.is_what_if:
        return _said(answer) | {"items": before, "changed": False}
    try:
        answer = call(request, "TestRecommendations", members | testing.changed_members(asked))
    except ServiceError as error:
        return {"items": [], "refusal": service_error(error), "changed": True}
    moved = [{**item, "move": None, "since": _since(item["move"])} for item in testing.compared(before, _items(answer))]
    return _said(answer) | {"items": moved, "changed": True}


def _said(answer: JSONDict) -> JSONDict:
    """What stands above a list: the item that it goes with, what is wrong with that, and whether its items are explained."""
    return {
        "query_item": testing.query_item(answer),
        "warnings": answer.get("warnings", []),
        "explains": answer["recipeType"] in EXPLAINED,
    }


def _since(move: JSONDict) -> str:
    """How an item stands against the list before the change."""
    return gettext("new") if move["icon"] == "plus-lg" else move["words"] if move["by"] else ""


def _items(answer: JSONDict) -> list[JSONDict]:
    return [testing.dressed(item) | {"rank": rank} for rank, item in enumerate(answer["items"], 1)]


def _history(request: Request, version: JSONDict, user: str) -> JSONDict:
    try:
        return call(request, "GetUserHistory", version | {"userId": user, "maxResults": HISTORY})
    except ServiceError:
        return {}


def _pick(request: Request, version: JSONDict, kind: str) -> str:
    found = call(request, "SearchUsers", version | {"kind": kind, "maxResults": 1})["users"]
    return str(found[0]["userId"]) if found else ""


def _without_the_last(base: JSONDict) -> JSONDict:
    """The same with the last change taken back."""
    name = "added" if base["added"] else "without"
    return base | {name: base[name][:-1]}
