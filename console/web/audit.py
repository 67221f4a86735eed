"""Who changed what: of one resource, also when it is gone, or of the whole account."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path, reverse

from console.errors import ServiceError
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.pages import call, render, service_error

DOORS = {"console": "console", "api": "REST", "aws": "AWS API", "worker": "worker"}


@page
def audit_view(request: Request) -> HttpResponse:
    """The changes, newest first, with before and after."""
    arn = request.GET.get("resource", "")
    members: JSONDict = {"resourceArn": arn or None, "nextToken": request.GET.get("after") or None}
    context: JSONDict = {
        "arn": arn,
        "short": arn.rpartition(":")[2],
        "heading": "History" if arn else "Audit",
        "crumbs": [],
    }
    if arn:
        context["crumbs"] = [("Audit", reverse("audit"))]
    try:
        answer = call(request, "ListAuditEntries", members)
        context |= {"entries": [_read(entry) for entry in answer["auditEntries"]], "next": answer.get("nextToken")}
    except ServiceError as error:
        context["refusal"] = service_error(error)
    return render(request, "settings/audit.html", context)


def _read(entry: JSONDict) -> JSONDict:
    return entry | {
        "short": entry["resourceArn"].rpartition(":")[2],
        "through": DOORS.get(entry["door"], entry["door"]),
    }


urlpatterns = [path("audit/", audit_view, name="audit")]
