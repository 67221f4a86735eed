"""Event trackers: making one and the code that sends events to it."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext

from console import arns
from console.errors import ServiceError
from console.models import DatasetGroup, Event, EventTracker
from console.operations.data import event_trackers
from console.shapes import JSONDict
from console.streamed import streamed_events
from console.web.access import Request, page, writing_page
from console.web.data_kinds import TRACKERS
from console.web.details import crumbs, detail_context
from console.web.forms import OperationForm, group_choices, group_field, name_field
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.links import absolute
from console.web.lists import list_urls
from console.web.pages import find, groups_for, render, service_error

LATEST = 20
TEST = {"user_id": "console-test", "item_id": "test-item", "event_type": "click"}


class TrackerForm(OperationForm):
    """CreateEventTracker."""

    operation: ClassVar[str] = "CreateEventTracker"

    dataset_group_arn = group_field()
    name = name_field()

    def __init__(self, *args: Any, groups: list[DatasetGroup], **kwargs: Any) -> None:
        """Offer `groups`."""
        super().__init__(*args, **kwargs)
        group_choices(self, groups)


@writing_page
def create(request: Request) -> HttpResponse:
    """Make an event tracker."""
    group, groups = groups_for(request)
    form = TrackerForm(request.POST or None, groups=groups)
    if request.method == "POST" and (made := form.submit(request.account)) is not None:
        return HttpResponseRedirect(page_url(EventTracker.objects.by_arn(request.account, made["eventTrackerArn"])))
    context = {
        "form": form,
        "heading": gettext("Create event tracker"),
        "lead": gettext(TRACKERS.purpose),
        "submit": gettext("Create event tracker"),
        "crumbs": crumbs(TRACKERS, group),
        "cancel_url": reverse("event-trackers"),
    }
    return render(request, "generic/form.html", context, group=group)


class TestEventForm(OperationForm):
    """PutEvents with one event, which goes the way of every other."""

    operation: ClassVar[str] = "PutEvents"

    user_id = forms.CharField(label=lazily("User"), max_length=256)
    item_id = forms.CharField(label=lazily("Item"), max_length=256)
    event_type = forms.CharField(label=lazily("Event type"), max_length=256)

    def __init__(self, *args: Any, tracker: EventTracker, **kwargs: Any) -> None:
        """Send to `tracker`."""
        super().__init__(*args, **kwargs)
        self.tracker = tracker

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        event = {"eventType": data["event_type"], "itemId": data["item_id"], "sentAt": int(time.time())}
        session = {"userId": data["user_id"], "sessionId": f"console-{data['user_id']}"}
        return session | {"trackingId": self.tracker.tracking_id, "eventList": [event]}


@page
def detail(request: Request, name: str) -> HttpResponse:
    """A tracker with its code samples and the events that came in last."""
    row: EventTracker = find(request, "EventTracker", name)
    latest = Event.objects.filter(dataset_group=row.dataset_group, is_action=False).order_by("-pk").first()
    known = {"item_id": latest.item_id, "event_type": latest.event_type} if latest else {}
    return _page(request, row, TestEventForm(tracker=row, initial=TEST | known))


def _page(request: Request, row: EventTracker, form: TestEventForm) -> HttpResponse:
    endpoint = absolute(request, "/aws")
    events = Event.objects.filter(dataset_group=row.dataset_group)
    context = detail_context(TRACKERS, row) | {
        "facts": [
            (gettext("Tracking ID"), row.tracking_id, "copied"),
            (gettext("Dataset group"), row.dataset_group, "resource"),
            (gettext("Events received"), streamed_events(row.dataset_group), "number"),
        ],
        "snippets": snippets(row.tracking_id, endpoint),
        "page_snippet": page_snippet(row.ingest_key, absolute(request, reverse("op.js"))),
        "key_url": reverse("event-trackers-key", args=[row.arn_name]),
        "test_form": form,
        "test_url": reverse("event-trackers-test", args=[row.arn_name]),
        "events": events.order_by("-pk")[:LATEST],
    }
    status = 400 if form.errors else 200
    return render(request, "data/event_trackers/detail.html", context, group=row.dataset_group, status=status)


@writing_page
def test(request: Request, name: str) -> HttpResponse:
    """Send one event through a tracker; it is then the first of the latest."""
    row: EventTracker = find(request, "EventTracker", name)
    if request.method != "POST":
        return HttpResponseRedirect(page_url(row))
    form = TestEventForm(request.POST, tracker=row)
    form.submit(request.account)
    if form.errors:
        return _page(request, row, form)
    messages.success(request, gettext("The event came in; it is the first of the latest events below."))
    return HttpResponseRedirect(page_url(row))


@writing_page
def key(request: Request, name: str) -> HttpResponse:
    """Make, replace or withdraw the ingest key of a tracker."""
    row: EventTracker = find(request, "EventTracker", name)
    if request.method == "POST" and request.POST.get("what") == "withdraw":
        event_trackers.withdraw_ingest_key(row)
        messages.success(request, gettext("The ingest key is withdrawn; pages that use it are refused."))
    elif request.method == "POST":
        try:
            event_trackers.issue_ingest_key(row, request.POST.get("origins", ""))
        except ServiceError as error:
            messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(row))


def page_snippet(ingest_key: str | None, script: str) -> str:
    """What a page holds to send its events; empty without a key."""
    if not ingest_key:
        return ""
    return f"""<script async src="{script}" data-key="{ingest_key}"></script>

<!-- the page of an item; what is recommended beside it, with the recommendationId of the answer -->
<body data-op-view="ITEM_ID">
  <div data-op-list="RECOMMENDATION_ID">
    <a href="/other" data-op-item="OTHER_ITEM_ID">…</a>
  </div>"""


def snippets(tracking_id: str, endpoint: str) -> list[tuple[str, str]]:
    """How programs send an event, in Python and from the shell."""
    python = f"""import boto3, time

events = boto3.client("personalize-events", endpoint_url="{endpoint}", region_name="{arns.REGION}")
events.put_events(
    trackingId="{tracking_id}",
    userId="USER_ID",
    sessionId="SESSION_ID",
    eventList=[{{"eventType": "watch", "itemId": "ITEM_ID", "sentAt": int(time.time())}}],
)"""
    shell = f"""curl -X POST {endpoint}/events -H 'Content-Type: application/json' -d '{{
  "trackingId": "{tracking_id}", "userId": "USER_ID", "sessionId": "SESSION_ID",
  "eventList": [{{"eventType": "watch", "itemId": "ITEM_ID", "sentAt": 1767225600}}]
}}'"""
    return [(gettext("Python with boto3"), python), (gettext("Shell with curl"), shell)]


urlpatterns = [
    path("create/event-trackers/", create, name="event-trackers-create"),
    *list_urls(TRACKERS),
    path("event-trackers/<str:name>/", detail, name="event-trackers-detail"),
    path("event-trackers/<str:name>/key/", key, name="event-trackers-key"),
    path("event-trackers/<str:name>/test/", test, name="event-trackers-test"),
]
