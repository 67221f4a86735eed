"""Settings: access for programs (keys and tokens shown once), and the health of the parts."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from importlib import metadata

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext

from console import arns
from console.disk import disk
from console.health import HEALTH, NOT_CHECKED
from console.models import JOBS, AccessKey, Token
from console.models.base import UNFINISHED
from console.models.sealed import opened, seal
from console.shapes import JSONDict
from console.web.access import Request, page, reading_page, require_owner
from console.web.choices import chosen
from console.web.jobs import running_jobs
from console.web.kinds import KINDS
from console.web.languages import lazily
from console.web.links import absolute
from console.web.pages import render

SHOWN_ONCE = "made_once"
LIFETIMES = (
    ("", lazily("never expires")),
    ("30", lazily("for 30 days")),
    ("90", lazily("for 90 days")),
    ("365", lazily("for a year")),
)
PARTS = {
    "database": lazily("Database"),
    "broker": lazily("Broker"),
    "storage": lazily("Storage"),
    "worker": lazily("Workers"),
    "models": lazily("Served models"),
}
ANSWERS = ("good", "check-circle", lazily("answers"))
FAILS = ("bad", "x-octagon", lazily("fails"))
BEING_CHECKED = ("even", "hourglass-split", lazily("being checked"))
PACKAGES = {
    "openpersonalize": "OpenPersonalize",
    "django": "Django",
    "celery": "Celery",
    "torch": "PyTorch",
    "numpy": "NumPy",
    "botocore": "botocore",
}


@page
def access(request: Request) -> HttpResponse:
    """The account's access keys and the person's tokens, and how programs use them."""
    endpoint = absolute(request, "/").rstrip("/")
    made = _made(request)
    context = {
        "heading": gettext("API access"),
        "is_owner": request.member.is_owner,
        "keys": AccessKey.objects.filter(account=request.account).order_by("-created"),
        "tokens": Token.objects.filter(user_id=request.member.user_id).order_by("-created"),
        "made": made,
        "snippets": snippets(endpoint, made),
        "lifetimes": LIFETIMES,
    }
    return render(request, "account/settings/access.html", context)


def _made(request: Request) -> dict[str, str]:
    """What was just made; sessions lie in the database, so that it is encrypted there."""
    sealed = request.session.pop(SHOWN_ONCE, None)
    text = opened(sealed) if sealed else ""
    return json.loads(text) if text else {}


@reading_page
def make(request: Request) -> HttpResponse:
    """Make a key pair of the account, as an owner, or a token of one's own, which may do what its person may; it is shown on the next page and never again."""
    if request.method == "POST":
        what = chosen(request, "what", ("key", "token"))
        if what == "key":
            require_owner(request)
        days = chosen(request, "days", dict(LIFETIMES))
        lifetime = int(days) if days else None
        if what == "token":
            made = {"token": Token.issue(request.member.user, lifetime)}
        else:
            key = AccessKey.issue(request.account, lifetime)
            made = {"key_id": key.key_id, "secret": key.secret}
        request.session[SHOWN_ONCE] = seal(json.dumps(made))
    return HttpResponseRedirect(reverse("settings-access"))


@reading_page
def revoke(request: Request, what: str, pk: int) -> HttpResponse:
    """Take a key or a token away; what uses it is refused from then on."""
    if request.method == "POST":
        if what == "token":
            Token.objects.filter(user_id=request.member.user_id, pk=pk).delete()
        else:
            require_owner(request)
            AccessKey.objects.filter(account=request.account, pk=pk).delete()
        messages.success(request, gettext("Revoked the {what}.").format(what=what))
    return HttpResponseRedirect(reverse("settings-access"))


def snippets(endpoint: str, made: dict[str, str]) -> list[tuple[str, str]]:
    """Connect a program, with the fresh credentials filled in where there are some."""
    python = f"""import boto3

personalize = boto3.client(
    "personalize", endpoint_url="{endpoint}/aws", region_name="{arns.REGION}",
    aws_access_key_id="{made.get("key_id", "ACCESS_KEY_ID")}",
    aws_secret_access_key="{made.get("secret", "SECRET_ACCESS_KEY")}",
)
print(personalize.list_dataset_groups()["datasetGroups"])"""
    shell = f"""curl {endpoint}/api/v1/dataset-groups/ -H 'Authorization: Bearer {made.get("token", "TOKEN")}'"""
    environment = f"""export AWS_ENDPOINT_URL_PERSONALIZE={endpoint}/aws
export AWS_ENDPOINT_URL_PERSONALIZE_RUNTIME={endpoint}/aws
export AWS_ENDPOINT_URL_PERSONALIZE_EVENTS={endpoint}/aws
export AWS_DEFAULT_REGION={arns.REGION}
export AWS_ACCESS_KEY_ID={made.get("key_id", "ACCESS_KEY_ID")}
export AWS_SECRET_ACCESS_KEY={made.get("secret", "SECRET_ACCESS_KEY")}"""
    return [
        (gettext("Python with boto3"), python),
        (gettext("Existing programs: set the environment only"), environment),
        (gettext("REST with curl"), shell),
    ]


@page
def health(request: Request) -> HttpResponse:
    """The parts of the server and whether they answer, the queue, the workers, the disk, what waits and what runs, the versions."""
    waiting = []
    for label, model in sorted(JOBS.items()):
        rows = model.objects.for_account(request.account).filter(status__in=UNFINISHED)
        noun = KINDS[label].called() if label in KINDS else label
        waiting += [(noun, *row) for row in rows.order_by().values_list("status").annotate(count=Count("pk"))]
    parts, learnt = _parts()
    context = {
        "heading": gettext("Health"),
        "waiting": waiting,
        "running": running_jobs(request.account),
        "disk": (left := disk()),
        "disk_used": round(100 * (1 - left.free / left.total)),
        "parts": parts,
        "queued": learnt.get("broker", {}).get("queued"),
        "workers": learnt.get("worker", {}).get("workers"),
        "versions": _versions(),
    }
    return render(request, "account/settings/health.html", context)


def _parts() -> tuple[list[JSONDict], dict[str, JSONDict]]:
    """Every part with its state as it was found last, and what the checks have learnt besides; nothing is waited for."""
    HEALTH.is_fresh()  # asks for the checks, which run in threads of their own
    results, learnt = HEALTH.report()[1]["checks"], HEALTH.details()
    states = {"ok": ANSWERS, NOT_CHECKED: BEING_CHECKED}
    parts = [
        {
            "name": PARTS.get(name, name),
            "state": states.get(result, FAILS),
            "fault": "" if result in states else result,
            "program": learnt[name].get("program", ""),
        }
        for name, result in results.items()
    ]
    return parts, learnt


def _versions() -> list[tuple[str, str]]:
    """Programs that a report of a fault should name."""
    found = [("Python", platform.python_version())]
    for package, name in PACKAGES.items():
        with suppress(metadata.PackageNotFoundError):
            found.append((name, metadata.version(package)))
    return found


urlpatterns = [
    path("settings/access/", access, name="settings-access"),
    path("settings/access/make/", make, name="settings-access-make"),
    path("settings/access/<str:what>/<int:pk>/revoke/", revoke, name="settings-access-revoke"),
    path("settings/health/", health, name="settings-health"),
]
