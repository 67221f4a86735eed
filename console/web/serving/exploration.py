"""What exploration shows and learns: places explored, their clicks against the others', and each new item's standing."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.details import detail_context
from console.web.kinds import KINDS
from console.web.languages import lazily
from console.web.live_charts import explored_chart
from console.web.pages import call, find, group_of, render, service_error
from console.web.serving import testing
from console.web.serving.panel import LABELS
from console.web.serving.testing import Server
from console.web.templatetags.display import number, set_days

STATES = {
    "WAITING": ("tag", lazily("waiting to be shown")),
    "OPEN": ("tag changed", lazily("still open")),
    "PLEASES": ("tag good", lazily("pleases")),
    "DISAPPOINTS": ("tag", lazily("disappoints")),
}
THOUSAND = 1000


@page
def exploration_view(request: Request, slug: str, name: str) -> HttpResponse:
    """The figures of GetExploration with what they mean."""
    server: Server = find(request, LABELS[slug], name)
    kind = request.GET.get("type", "").strip()
    context: dict[str, Any] = {"object": server, "slug": slug, "kind": kind}
    members = testing.member_of(server) | ({"eventTypes": [kind]} if kind else {})
    try:
        report = call(request, "GetExploration", members)
        context |= {
            "report": report,
            "new": report["newItems"],
            "weight": report["explorationWeight"],
            "verdict": verdict(report),
            "items": [testing.dressed(item) | {"look": STATES[item["state"]]} for item in report["items"]],
            "chart": explored_chart("explored", report["hours"]) if len(report["hours"]) > 1 else None,
        }
    except ServiceError as error:
        context["refusal"] = service_error(error)
    shell = detail_context(KINDS[LABELS[slug]], server)
    return render(request, "serving/campaigns/exploration.html", shell | context, group=group_of(request, server))


def verdict(report: JSONDict) -> tuple[str, str]:
    """Class and sentence: whether explored places cost clicks, earn some, or nothing can be said yet."""
    if not report["lists"]:
        return "even", gettext("No list was recommended in the last three days, so there is nothing to learn from yet.")
    if not report["explored"]["places"]:
        return "even", _why_unexplored(report)
    if not report["explored"]["clicks"] + report["exploited"]["clicks"]:
        return "even", gettext(
            "No click is known. Send events with the recommendationId of the list that they come from."
        )
    if report.get("samePlaces") is None:
        return "even", gettext(
            "Explored items and others never stood at the same places, so their clicks cannot be compared."
        )
    gap, low, high = (report["samePlaces"]["difference"][name] for name in ("value", "low", "high"))
    in_thousand = THOUSAND * abs(gap) * report["explored"]["places"] / report["lists"]
    if low > 0:
        return (
            "good",
            gettext("Explored places earn clicks: about {number} more in 1,000 lists than other items there.").format(
                number=number(round(in_thousand))
            ),
        )
    if high < 0:
        return (
            "bad",
            gettext("Explored places cost clicks: about {number} fewer in 1,000 lists than other items there.").format(
                number=number(round(in_thousand))
            ),
        )
    return "even", gettext("No difference is shown between explored places and the others at the same places.")


def _why_unexplored(report: JSONDict) -> str:
    if not report["explorationWeight"]:
        return gettext("Nothing is explored at an exploration weight of 0.")
    if not report["newItems"]["total"]:
        days = report["explorationItemAgeCutOff"]
        return gettext("No item is younger than {age}, so there is nothing to explore.").format(age=set_days(days))
    return gettext("No place was explored so far.")
