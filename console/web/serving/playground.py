"""The playground of a campaign: a click on a pictured item sends a real event, and the list shows at once what it moved."""

from __future__ import annotations

import time
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import Campaign, EventTracker
from console.shapes import JSONDict
from console.web.access import Request, writing_page
from console.web.kinds import page_url
from console.web.pages import call, find, service_error
from console.web.serving import testing
from console.web.serving.panel import panel_context
from console.web.serving.testing import Ask
from console.web.training.choosing import recipes_by_name

USUAL_EVENT = "click"


@require_POST
@writing_page
def event_view(request: Request, name: str) -> HttpResponse:
    """Send an event of the user that the address names with the item that was clicked; htmx gets the panel with what moved."""
    campaign: Campaign = find(request, "Campaign", name)
    ask = Ask.read(request.GET)
    back = HttpResponseRedirect(f"{page_url(campaign)}?{ask.url_query}")
    before = testing.listing(request, campaign, ask, ask.weight)
    try:
        _send(request, campaign, ask.user, request.POST.get("item", ""))
    except ServiceError as error:
        messages.error(request, service_error(error))
        return back
    if not request.htmx:
        return back
    context = panel_context(request, campaign, recipes_by_name(request))
    first, *others = context["lists"]
    moved = replace(first, items=testing.compared(before.items, first.items))
    context |= {"lists": [moved, *others], "note": gettext("The event was sent. Arrows show what it moved.")}
    return render_fragment(request, "serving/campaigns/_panel.html", context)


def _send(request: Request, campaign: Campaign, user: str, item: str) -> None:
    group = campaign.solution_version.solution.dataset_group
    tracker = EventTracker.objects.filter(dataset_group=group).first()
    known = call(request, "GetUserHistory", {"campaignArn": campaign.arn, "userId": user, "maxResults": 1})["history"]
    event: JSONDict = {
        "eventType": known[0]["eventType"] if known and known[0].get("eventType") else USUAL_EVENT,
        "itemId": item,
        "sentAt": int(time.time()),
    }
    members = {"trackingId": tracker.tracking_id if tracker else "", "userId": user, "sessionId": f"console-{user}"}
    call(request, "PutEvents", members | {"eventList": [event]})
