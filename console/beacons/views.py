"""POST /ingest/KEY/events: what a page's script or any client without secrets sends; and /op.js itself.

The key stands in pages for all to read. It writes events to one tracker, reads nothing, is limited in rate, and can be bound to
the origins of the pages it was made for. Browsers send beacons as text/plain, which needs no preflight.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from console import transient
from console.addresses import network_of
from console.errors import AccessDeniedException, InvalidInputException, ServiceError, ThrottlingException
from console.json_values import is_storable, read_object
from console.models import EventTracker
from console.operations.base import call_by_wire_names
from console.rates import RATE
from console.shapes import JSONDict

SCRIPT = settings.ASSETS_DIR / "static" / "op.js"
MOST_EVENTS = 100  # of a request; the script sends after twenty
PART = 10  # what PutEvents takes at once
LONGEST_ID = 256  # as PutEvents has it
MEMBERS = {"userId", "sessionId", "events"}
PER_KEY, PER_ADDRESS = (200, 400), (10, 50)  # requests a second, and at once
PREFLIGHT_S = 86_400


@csrf_exempt
def collect(request: HttpRequest, key: str) -> HttpResponse:
    """Take the events of one page; 204 when they are kept."""
    if request.method == "OPTIONS":
        return _readable(_preflight(), request)
    try:
        with transient.translated(request.path):
            _take(request, key)
        response = HttpResponse(status=204)
    except ServiceError as error:
        text = json.dumps({"code": error.code, "message": str(error), "field": error.field})
        response = HttpResponse(text, status=error.status_code, content_type="application/json")
        if error.retry_after_s is not None:
            response["Retry-After"] = str(error.retry_after_s)
    return _readable(response, request)


@require_safe
def script(_request: HttpRequest) -> HttpResponse:
    """The script, under a name that pages of others can hold."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _script() -> str:
    """The script without comments and indentation: 3 KB at most."""
    lines = [line.strip() for line in SCRIPT.read_text().splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _take(request: HttpRequest, key: str) -> None:
    if request.method != "POST":
        raise InvalidInputException(f"The method is {request.method}, allowed is POST.")
    if not (RATE.allows(key, *PER_KEY) and RATE.allows(f"{key} {network_of(request.META)}", *PER_ADDRESS)):
        raise ThrottlingException("Too many requests with this key; send several events at once, or wait a moment.")
    tracker = (
        EventTracker.objects.select_related("account").filter(ingest_key=key).first() if is_storable(key) else None
    )
    if tracker is None:
        raise AccessDeniedException("This ingest key is not known here; the event tracker's page makes and shows one.")
    _check_origin(tracker, request.headers.get("Origin", ""))
    members = read_object(request.body)
    if unknown := sorted(members.keys() - MEMBERS):
        raise InvalidInputException(
            f"Unknown member {unknown[0]}; allowed are events, sessionId and userId.", field=unknown[0]
        )
    who = {name: members[name] for name in ("userId", "sessionId") if members.get(name)}
    refused: list[InvalidInputException] = []
    for part in _parts(members.get("events")):
        refused += _put(tracker, who, part)
    if refused:  # pages do not send anything twice: the good ones are kept, and who looks learns of the others
        raise refused[0]


def _put(tracker: EventTracker, who: JSONDict, events: Sequence[JSONDict]) -> list[InvalidInputException]:
    """Keep the events, each by itself where they cannot be kept together; what was wrong with those that were not."""
    members = who | {"trackingId": tracker.tracking_id, "eventList": [_of_a_page(event) for event in events]}
    try:
        call_by_wire_names("PutEvents", tracker.account, members)
    except InvalidInputException as error:
        if len(events) == 1:
            return [error]
        return [wrong for event in events for wrong in _put(tracker, who, [event])]
    return []


def _of_a_page(event: Any) -> Any:
    """The event under an id that no signed caller's can be: who guesses those would have theirs taken for known."""
    name = event.get("eventId") if isinstance(event, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_ID:
        return event  # which is refused, or gets an id
    return event | {"eventId": f"page-{hashlib.blake2b(name.encode(errors='replace'), digest_size=16).hexdigest()}"}


def _check_origin(tracker: EventTracker, origin: str) -> None:
    allowed = tracker.ingest_origins.split()
    if allowed and origin not in allowed:
        raise AccessDeniedException(
            f"The request comes from a page of {origin or 'no origin'}, allowed are pages of {', '.join(allowed)}."
        )


def _parts(events: object) -> list[Sequence[JSONDict]]:
    if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
        raise InvalidInputException(f"events is a list of 1 to {MOST_EVENTS} events.", field="events")
    return [events[start : start + PART] for start in range(0, len(events), PART)]


def _preflight() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "content-type"
    response["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response


def _readable(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """Let the page read the answer: it says no more than whether events were kept."""
    if "Origin" in request.headers:
        response["Access-Control-Allow-Origin"] = "*"
    return response
