"""A job's progress as a piece of page that asks for itself every two seconds while the job goes on."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import JOBS, Account, Job, Status
from console.models.base import ENDED_BADLY
from console.operations.stopping import STOPPABLE
from console.web.access import Request, page
from console.web.kinds import page_url
from console.web.pages import call, service_error

LOG_TAIL = 12
MOST_RUNNING = 20  # of a kind
ACTIONS = {"stop": "StopJob", "retry": "RetryJob"}


def progress_of(job: Job) -> dict[str, Any]:
    """What generic/progress.html reads: stage, percent, seconds gone and left, the end of the log."""
    progress = job.progress or {}
    fraction = progress.get("fraction")
    return {
        "job": job,
        "label": type(job).__name__,
        "stage": progress.get("stage") or (gettext("waiting for a worker") if job.status == job.waiting else ""),
        "percent": round(100 * fraction) if fraction is not None else None,
        "seconds": job.seconds,
        "left": job.seconds_left,
        "is_overdue": job.is_overdue,
        "ahead": running_jobs(job.account) if job.status == job.waiting else [],
        "log": progress.get("log", [])[-LOG_TAIL:],
        "can_stop": job.is_unfinished and job.status != Status.CREATE_STOPPING and type(job).__name__ in STOPPABLE,
        "can_retry": job.status in ENDED_BADLY,
    }


def running_jobs(account: Account) -> list[Job]:
    """What the workers do for an account now."""
    rows = (model.objects.for_account(account).select_related("account").exclude(claim="") for model in JOBS.values())
    return [job for found in rows for job in found[:MOST_RUNNING]]


def find_job(request: Request, label: str, pk: int) -> Job:
    """The account's job, or a 404 page."""
    model = JOBS.get(label)
    rows = model.objects.for_account(request.account).select_related("account").filter(pk=pk) if model else []
    row: Job | None = next(iter(rows), None)
    if row is None:
        raise Http404(gettext("There is no such job in this account."))
    return row


@page
def progress_view(request: Request, label: str, pk: int) -> HttpResponse:
    """The piece alone, for htmx; once the job has ended the whole page is loaded anew, for its result."""
    job = find_job(request, label, pk)
    context = {"progress": progress_of(job), "may_write": request.member.may_write, "is_asked_for": True}
    context["is_other"] = "other" in request.GET
    response = render_fragment(request, "generic/progress.html", context)
    if not job.is_unfinished:
        response["HX-Refresh"] = "true"
    return response


@page
def act_view(request: Request, label: str, pk: int, action: str) -> HttpResponse:
    """Stop or retry a job, then show its page."""
    job = find_job(request, label, pk)
    if request.method == "POST" and action in ACTIONS:
        try:
            call(request, ACTIONS[action], {"resourceArn": job.arn})
        except ServiceError as error:
            messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(job))
