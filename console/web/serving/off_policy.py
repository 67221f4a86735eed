"""What would weight 0 have earned? Estimates from recorded answers, with what stands against them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.details import detail_context
from console.web.kinds import KINDS
from console.web.pages import call, find, group_of, render, service_error
from console.web.serving import testing
from console.web.serving.panel import LABELS
from console.web.serving.testing import Server


@page
def off_policy_view(request: Request, slug: str, name: str) -> HttpResponse:
    """The recorded outcomes for each list beside those estimated without exploration."""
    server: Server = find(request, LABELS[slug], name)
    kind = request.GET.get("type", "").strip()
    context: dict[str, Any] = {"object": server, "slug": slug, "kind": kind}
    members = testing.member_of(server) | ({"eventTypes": [kind]} if kind else {})
    try:
        report = call(request, "GetOffPolicyEstimates", members)
        context |= {"report": report, "verdict": _verdict(report)}
    except ServiceError as error:
        context["refusal"] = service_error(error)
    shell = detail_context(KINDS[LABELS[slug]], server)
    return render(request, "serving/campaigns/off_policy.html", shell | context, group=group_of(request, server))


def _verdict(report: JSONDict) -> tuple[str, str]:
    """Class and sentence: by whether the interval of the difference leaves out none."""
    if not report["estimates"] or not report["outcomes"]:
        return "even", gettext(
            "There is no estimate yet: too few lists, or no event names one with its recommendationId."
        )
    if not report["explored"]:
        return "even", gettext("No list had explored items, so weight 0 would have earned the same.")
    if report["difference"]["low"] > 0:
        return "good", gettext("Exploration earned more than weight 0 would have.")
    if report["difference"]["high"] < 0:
        return "bad", gettext("Exploration earned less than weight 0 would have.")
    return "even", gettext("No difference is shown between exploration and weight 0.")
