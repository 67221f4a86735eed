"""Data insights: run an analysis of a group's data and read what it found, dataset by dataset, column by column."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import DataInsightsJob, DatasetGroup
from console.shapes import JSONDict
from console.web.access import Request, analysis_page, page
from console.web.charts import counts
from console.web.data.facts import day, mean, measured
from console.web.data_kinds import DATASET_TYPES, INSIGHTS_JOBS
from console.web.details import detail_context
from console.web.jobs import progress_of
from console.web.kinds import page_url
from console.web.languages import localised
from console.web.lists import list_urls
from console.web.pages import call, chosen_group, find, render, service_error
from console.web.templatetags.display import number

SHOWN_VALUES = 3
DATASETS_OF_KEYS = ("USER_ID", "ITEM_ID", "ACTION_ID")


@page
def latest(request: Request) -> HttpResponse:
    """The newest analysis of a group, or the way to the first."""
    group = chosen_group(request)
    if group is None:
        return HttpResponseRedirect(reverse("data-insights-jobs"))
    job = group.insights_jobs.select_related("account").first()
    if job is not None:
        return _shown(request, job, group)
    has_rows = any(dataset.parts or _is_streamed_to(dataset.type, group) for dataset in group.datasets.all())
    context = {"group": group, "has_rows": has_rows, "heading": gettext("Data insights"), "crumbs": _crumbs(group)}
    return render(request, "data/data_insights/first.html", context, group=group)


@analysis_page
def run(request: Request) -> HttpResponse:
    """Start an analysis."""
    group = chosen_group(request)
    if request.method == "POST" and group is not None:
        try:
            call(request, "CreateDataInsightsJob", {"datasetGroupArn": group.arn})
        except ServiceError as error:
            messages.error(request, service_error(error))
    return HttpResponseRedirect(reverse("data-insights") + (f"?group={group.name}" if group else ""))


@page
def detail(request: Request, name: str) -> HttpResponse:
    """One analysis."""
    job: DataInsightsJob = find(request, "DataInsightsJob", name)
    return _shown(request, job, job.dataset_group)


def _shown(request: Request, job: DataInsightsJob, group: DatasetGroup) -> HttpResponse:
    context = detail_context(INSIGHTS_JOBS, job) | {
        "progress": progress_of(job),
        "facts": [(gettext("Dataset group"), group, "resource")],
        "is_latest": job.pk == group.insights_jobs.values_list("pk", flat=True).first(),
    }
    if job.status == job.done:
        context |= _described(call(request, "GetDataInsights", {"dataInsightsJobArn": job.arn}), group)
    return render(request, "data/data_insights/detail.html", context, group=group)


def _described(answer: JSONDict, group: DatasetGroup) -> JSONDict:
    """What GetDataInsights tells, as the page shows it."""
    addresses = {
        dataset.type: page_url(dataset) for dataset in group.datasets.select_related("account", "dataset_group")
    }
    numbers = answer.get("interactions")
    types = (numbers or {}).get("eventTypes", [])
    return {
        "insights": [
            insight | {"dataset": DATASET_TYPES[insight["datasetType"]], "url": addresses.get(insight["datasetType"])}
            for insight in answer["insights"]
        ],
        "numbers": numbers,
        "span": gettext("{first} to {last}").format(first=day(numbers["first"]), last=day(numbers["last"]))
        if numbers and "first" in numbers
        else "",
        "event_types": counts(
            "event-types",
            gettext("Events by type"),
            [one["value"] for one in types],
            [one["count"] for one in types],
            gettext("Event type"),
        )
        if len(types) > 1
        else None,
        "datasets": [
            {
                "title": DATASET_TYPES[dataset["datasetType"]],
                "url": addresses.get(dataset["datasetType"]),
                "rows": dataset["rows"],
                "incomplete": dataset["incompleteRows"],
                "columns": [_column(column) for column in dataset["columns"]],
            }
            for dataset in answer["datasets"]
        ],
    }


def _column(column: JSONDict) -> JSONDict:
    """A column's line: its values in words, and the bars of their distribution."""
    is_time = column["name"].endswith("TIMESTAMP")
    drawn = [] if column["name"] in DATASETS_OF_KEYS else column.get("distribution", [])
    return column | {
        "values": _values(column, is_time=is_time),
        "bins": [{"label": _label(bar, is_time=is_time), "count": bar["count"]} for bar in drawn],
        "frequent": ", ".join(
            f"{bar['label']} ({number(bar['count'])})" for bar in drawn[:SHOWN_VALUES] if bar.get("label")
        ),
    }


def _values(column: JSONDict, *, is_time: bool) -> str:
    if column.get("minimum") is None:
        return gettext("{unique} distinct").format(unique=number(column["unique"]))
    if is_time:
        return gettext("{minimum} to {maximum}").format(minimum=day(column["minimum"]), maximum=day(column["maximum"]))
    return gettext("{minimum} to {maximum}, median {median}, mean {mean}").format(
        minimum=measured(column["minimum"]),
        maximum=measured(column["maximum"]),
        median=measured(column["median"]),
        mean=mean(column["mean"]),
    )


def _label(bar: JSONDict, *, is_time: bool) -> str:
    if "low" not in bar:
        return str(bar.get("label", ""))
    return (
        gettext("{low} to {high}").format(low=day(bar["low"]), high=day(bar["high"]))
        if is_time
        else gettext("{low} to {high}").format(low=localised(f"{bar['low']:g}"), high=localised(f"{bar['high']:g}"))
    )


def _is_streamed_to(kind: str, group: DatasetGroup) -> bool:
    return kind == "INTERACTIONS" and group.events.filter(is_action=False).exists()


def _crumbs(group: DatasetGroup) -> list[tuple[str, Any]]:
    return [(group.name, reverse("dataset-groups-detail", args=[group.name]))]


urlpatterns = [
    path("data-insights/", latest, name="data-insights"),
    path("create/data-insights-jobs/", run, name="data-insights-jobs-create"),
    *list_urls(INSIGHTS_JOBS),
    path("data-insights-jobs/<str:name>/", detail, name="data-insights-jobs-detail"),
]
