"""The test panel's views: the lists beside the history, who and what can be asked for, and why an item is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.urls import reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import Campaign, DatasetGroup, EventTracker, Filter, Recommender, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.details import detail_context
from console.web.kinds import KINDS, page_url
from console.web.pages import call, find, group_of, render, service_error
from console.web.serving import testing
from console.web.serving.testing import Ask, Listing, Server
from console.web.templatetags.display import events

TYPE_AHEAD, SHELF = 12, 12
CAUSES = 2  # events that a sentence names
LABELS = {"campaigns": Campaign.__name__, "recommenders": Recommender.__name__}
EXPLAINED = ("USER_PERSONALIZATION", "PERSONALIZED_RANKING")
DRAWER = "why-body"  # the element that "Why?" fills
SAME = "same"  # the second list comes from the same server, with another weight


def panel_context(request: Request, server: Server, recipes: Mapping[str, JSONDict]) -> dict[str, Any]:
    """All that the panel shows for what the URL asks; `recipes` are ListRecipeChoices' recipes or use cases by name."""
    recipe = recipes.get(testing.recipe_of(server), {})
    kind, needed = recipe.get("recipeType", "USER_PERSONALIZATION"), testing.needs(recipe)
    others = testing.servers_beside(server, recipes)
    ask, note = Ask.read(request.GET), ""
    wanted = request.GET.get("pick", "")
    if wanted in testing.PICKS:
        ask, note = testing.pick(request, server, ask, wanted, needed)
        if not note:
            return {"redirect": f"{page_url(server)}?{ask.url_query}"}
    if "other" not in request.GET and others:
        ask = replace(ask, other=others[0].name)
    filters = list(Filter.objects.filter(dataset_group=_group(request, server), status=Status.ACTIVE).order_by("name"))
    chosen = next((row for row in filters if row.name == ask.filter), None)
    context = {
        "object": server,
        "slug": KINDS[type(server).__name__].slug,
        "ask": ask,
        "note": note,
        "picks": testing.PICKS,
        "needs": needed,
        "recipe_type": kind,
        "explores": recipe.get("explores", False),
        "explains": kind in EXPLAINED,
        "may_change": kind in EXPLAINED,
        "weight": testing.weight_in_force(server, ask.weight),
        "others": others,
        "filters": filters,
        "placeholders": [(name, (ask.values or {}).get(name, "")) for name in testing.placeholders(chosen.expression)]
        if chosen
        else [],
        "is_asked": testing.is_complete(ask, needed) and server.status == Status.ACTIVE,
    }
    return context | (_results(request, server, ask, kind, others) if context["is_asked"] else {})


def panel_response(request: Request, context: dict[str, Any]) -> HttpResponse | None:
    """The panel alone, where htmx asks for it, or the way to what was picked; None for the whole page."""
    if "redirect" in context:
        return HttpResponseRedirect(context["redirect"])
    if request.htmx and request.htmx.target == "panel":
        return render_fragment(request, "serving/campaigns/_panel.html", context)
    return None


@page
def users_view(request: Request, slug: str, name: str) -> HttpResponse:
    """Options for the user field."""
    server = find(request, LABELS[slug], name)
    members = {**testing.member_of(server), "maxResults": TYPE_AHEAD}
    found = _offered(request, "SearchUsers", members, request.GET.get("user", ""))
    options = [(user["userId"], events(user["events"])) for user in found.get("users", [])]
    return render_fragment(request, "serving/campaigns/_options.html", {"options": options})


@page
def items_view(request: Request, slug: str, name: str) -> HttpResponse:
    """Options for the item field."""
    server = find(request, LABELS[slug], name)
    members = {**testing.member_of(server), "maxResults": TYPE_AHEAD}
    found = _offered(request, "SearchItems", members, request.GET.get("item") or request.GET.get("added", ""))
    options = [(item["itemId"], item.get("title", "")) for item in found.get("items", [])]
    return render_fragment(request, "serving/campaigns/_options.html", {"options": options})


@page
def why_view(request: Request, slug: str, name: str) -> HttpResponse:
    """What speaks for an item in a user's list, or which stage dropped it."""
    server = find(request, LABELS[slug], name)
    ask = Ask.read(request.GET)
    members = testing.member_of(server) | testing.filter_members(request, ask)
    if ask.count.isdecimal():
        members["numResults"] = int(ask.count)
    explained = explained_item(request, members, ask)
    if request.htmx:
        return _fragment(request, explained)
    shell = detail_context(KINDS[LABELS[slug]], server) | {"object": server, "back": f"{page_url(server)}?{ask.query}"}
    return render(request, "serving/campaigns/why.html", shell | explained, group=_group(request, server))


@page
def version_why_view(request: Request) -> HttpResponse:
    """The same of a list that a version without a campaign gives somebody."""
    version: SolutionVersion = find(request, "SolutionVersion", request.GET.get("version", ""))
    explained = explained_item(request, {"solutionVersionArn": version.arn}, Ask.read(request.GET))
    if request.htmx:
        return _fragment(request, explained)
    back = f"{reverse('compare-anyone')}?{urlencode({'version': version.arn_name, 'user': explained['ask'].user})}"
    shell = detail_context(KINDS["SolutionVersion"], version) | {"object": version, "back": back}
    return render(request, "serving/campaigns/why.html", shell | explained, group=version.solution.dataset_group)


def explained_item(request: Request, members: JSONDict, ask: Ask) -> dict[str, Any]:
    """What _why.html shows of the item that the URL names; `members` name what is asked, and how."""
    item = request.GET.get("of", "").strip()
    members = members | {"userId": ask.user, "itemId": item} | testing.changed_members(ask)
    try:
        explanation = call(request, "ExplainRecommendation", members)
    except ServiceError as error:
        explanation = {"sentence": service_error(error), "contributions": []}
    if "explored" in request.GET and "rank" in explanation:
        explanation["sentence"] = gettext(
            "Shown to learn about it; by relevance alone it would be at place {rank}."
        ).format(rank=explanation["rank"])
    contributions = _weighed(explanation.get("contributions", []))
    speaking = (part["title"] for part in contributions if part["itemId"] and part["weight"] > 0)
    because = list(dict.fromkeys(speaking))[:CAUSES]  # of several events with an item, one
    return {
        "explanation": explanation,
        "contributions": contributions,
        "because": because if explanation.get("isRecommended") else [],
        "item": item,
        "ask": ask,
    }


def _fragment(request: Request, explained: dict[str, Any]) -> HttpResponse:
    part = "_why_drawer" if request.htmx.target == DRAWER else "_why"
    return render_fragment(request, f"serving/campaigns/{part}.html", explained)


def _results(request: Request, server: Server, ask: Ask, kind: str, others: list[Server]) -> dict[str, Any]:
    first = testing.listing(request, server, ask, ask.weight)
    if first.query_item:  # others are asked with the same item
        ask = replace(ask, item=first.query_item["itemId"])
    lists: list[Listing] = [first]
    if ask.is_what_if:
        before = testing.listing(request, server, replace(ask, without=(), added=()), ask.weight)
        after = replace(first, title=gettext("After"), items=testing.compared(before.items, first.items))
        lists = [replace(before, title=gettext("Before")), after]
    beside = server if ask.other == SAME else next((row for row in others if row.name == ask.other), None)
    if beside:
        second = testing.listing(request, beside, ask, ask.other_weight)
        lists.append(replace(second, items=testing.compared(first.items, second.items)))
    history: JSONDict = {}
    if ask.user and kind != "POPULAR_ITEMS":
        try:
            history = testing.history_of(request, server, ask.user)
        except ServiceError as error:
            history = {"error": service_error(error)}
    return {
        "lists": lists,
        "is_explored": any(item.get("explored") for listing in lists for item in listing.items),
        "is_ringed": any(item.get("isHeldOut") for listing in lists for item in listing.items),
        "beside": beside,
        "history": history,
        "changes": testing.changes(request, testing.member_of(server), ask.without, ask.added),
        **_shelf(request, server, ask, kind),
        "query_item": first.query_item,
        "samples": testing.samples(request, server, ask, kind),
    }


def _shelf(request: Request, server: Server, ask: Ask, kind: str) -> JSONDict:
    """Pictured items whose click sends an event, where the group has a tracker and the campaign hears single users."""
    if kind not in EXPLAINED or not ask.user or not isinstance(server, Campaign) or not request.member.may_write:
        return {}
    has_tracker = EventTracker.objects.filter(dataset_group=_group(request, server)).exists()
    if not has_tracker:
        return {"wants_tracker": True}
    found = call(request, "SearchItems", {**testing.member_of(server), "kind": "heavy", "maxResults": SHELF})["items"]
    return {"shelf": [testing.dressed(item) for item in found]}


def _weighed(contributions: list[JSONDict]) -> list[JSONDict]:
    """The strongest contributions, those of one item together, each with its share of the strongest for the bar beside it."""
    together: dict[tuple[str, ...], JSONDict] = {}
    for part in contributions:
        key = tuple(str(part.get(name) or "") for name in ("itemId", "label", "eventType"))
        known = together.get(key, part | {"weight": 0.0, "events": 0})
        together[key] = known | {"weight": known["weight"] + part["weight"], "events": known["events"] + 1}
    most = max((abs(part["weight"]) for part in together.values()), default=0) or 1
    shown = sorted(together.values(), key=lambda part: -abs(part["weight"]))[:8]
    return [
        testing.dressed({"itemId": "", **part}) | {"share": round(100 * abs(part["weight"]) / most)} for part in shown
    ]


def _offered(request: Request, operation: str, members: JSONDict, query: str) -> JSONDict:
    typed = {"query": query} if query.strip() else {"kind": "heavy"}
    try:
        return call(request, operation, members | typed)
    except ServiceError:
        return {}


def _group(request: Request, server: Campaign | Any) -> DatasetGroup:
    group = group_of(request, server)
    assert group is not None  # noqa: S101  campaigns and recommenders always have one
    return group
