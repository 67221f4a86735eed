"""Who changed what: of one resource, also when it is gone, or of the whole account."""

from __future__ import annotations

import json
import re

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.languages import lazily
from console.web.pages import call, render, service_error

DOORS = {"console": lazily("console"), "api": "REST", "aws": "AWS API", "worker": lazily("worker")}
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)")


@page
def audit_view(request: Request) -> HttpResponse:
    """The changes, newest first, with before and after."""
    arn = request.GET.get("resource", "")
    members: JSONDict = {"resourceArn": arn or None, "nextToken": request.GET.get("after") or None}
    context: JSONDict = {
        "arn": arn,
        "short": arn.rpartition(":")[2],
        "heading": gettext("History") if arn else gettext("Audit"),
        "crumbs": [],
    }
    if arn:
        context["crumbs"] = [(gettext("Audit"), reverse("audit"))]
    try:
        answer = call(request, "ListAuditEntries", members)
        context |= {"entries": [_read(entry) for entry in answer["auditEntries"]], "next": answer.get("nextToken")}
    except ServiceError as error:
        context["refusal"] = service_error(error)
    return render(request, "account/settings/audit.html", context)


def _read(entry: JSONDict) -> JSONDict:
    return entry | {
        "changes": [
            change | {side: _said(change[side]) for side in ("before", "after") if change.get(side) is not None}
            for change in entry.get("changes") or []
        ],
        "short": entry["resourceArn"].rpartition(":")[2],
        "through": DOORS.get(entry["door"], entry["door"]),
    }


def _said(value: object) -> str:
    """A member's value as it stands in a request, times to the second."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    moment = MOMENT.fullmatch(value)
    return f"{moment[1]} {moment[2]} UTC" if moment else value


urlpatterns = [path("audit/", audit_view, name="audit")]
