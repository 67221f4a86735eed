"""What a campaign or recommender is asked by programs: its numbers, its newest requests, and what one answer held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render as render_fragment
from django.utils.translation import gettext

from console.errors import ServiceError
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.details import detail_context
from console.web.kinds import KINDS
from console.web.languages import lazily
from console.web.live_charts import traffic_chart
from console.web.pages import call, find, group_of, render, service_error
from console.web.serving import testing
from console.web.serving.panel import LABELS
from console.web.serving.testing import Server

PAGE = 20
SPANS = {60: lazily("Last hour"), 360: lazily("Last 6 hours"), 1440: lazily("Last day")}


@page
def traffic_view(request: Request, slug: str, name: str) -> HttpResponse:
    """The numbers; htmx asks for the inner part every few seconds."""
    server: Server = find(request, LABELS[slug], name)
    span = request.GET.get("minutes", "")
    minutes = int(span) if span.isdecimal() and int(span) in SPANS else next(iter(SPANS))
    context: dict[str, Any] = {"object": server, "slug": slug, "minutes": minutes, "spans": SPANS}
    try:
        answer = call(request, "GetTraffic", testing.member_of(server) | {"minutes": minutes})
        wanted = request.GET.get("user", "").strip()
        found = [one for one in answer["requests"] if wanted in (one.get("userId") or "")]
        shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
        context |= {
            "answer": answer,
            "chart": traffic_chart("traffic", answer["minutes"]) if answer.get("minutes") else None,
            "requests": [_timed(one) for one in shown],
            "found": shown,
            "user": wanted,
        }
    except ServiceError as error:
        context["refusal"] = service_error(error)
    if request.htmx:
        return render_fragment(request, "serving/campaigns/_traffic.html", context)
    shell = detail_context(KINDS[LABELS[slug]], server)
    return render(request, "serving/campaigns/traffic.html", shell | context, group=group_of(request, server))


@page
def trace_view(request: Request, slug: str, name: str, identifier: str) -> HttpResponse:
    """What one answer held, and the way to ask the same again."""
    server: Server = find(request, LABELS[slug], name)
    context: dict[str, Any] = {"object": server, "slug": slug, "identifier": identifier}
    try:
        trace = call(request, "GetRecommendationTrace", {"recommendationId": identifier})
        if trace["sourceArn"] != server.arn:
            context["refusal"] = gettext("{identifier} was answered by {source_arn}.").format(
                identifier=identifier, source_arn=trace["sourceArn"]
            )
        else:
            context |= {"trace": _timed(trace), "rows": [testing.dressed(item) for item in trace["items"]]}
    except ServiceError as error:
        context["refusal"] = service_error(error)
    asked = {key: request.GET[key] for key in ("user", "item") if request.GET.get(key)}
    context |= {"asked": asked, "again": urlencode(asked)}
    shell = detail_context(KINDS[LABELS[slug]], server)
    return render(request, "serving/campaigns/trace.html", shell | context, group=group_of(request, server))


def _timed(one: JSONDict) -> JSONDict:
    asked = {"user": one.get("userId"), "item": one.get("itemId")}
    query = urlencode({name: value for name, value in asked.items() if value})
    return one | {"when": datetime.fromtimestamp(one["time"], UTC), "query": query}
