"""Datasets: the list, and what one holds, column by column."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext

from console.ingest.schema import parse
from console.models import Dataset
from console.shapes import JSONDict
from console.web.access import Request, page
from console.web.data import uploads
from console.web.data.facts import day, mean, measured, timeline
from console.web.data_kinds import DATASET_TYPES, DATASETS
from console.web.details import detail_context
from console.web.lists import list_urls
from console.web.pages import call, find, render
from console.web.templatetags.display import number

SHOWN_JOBS = 10
SHOWN_VALUES = 3


@page
def dataset(request: Request, name: str) -> HttpResponse:
    """What a dataset holds, and its jobs."""
    row: Dataset = find(request, "Dataset", name)
    profile = call(request, "ProfileDataset", {"datasetArn": row.arn})
    context = (
        detail_context(DATASETS, row)
        | {
            "profile": profile,
            "num_items": profile.get("items"),  # a template's `.items` would be the dict's method where there are none
            "span": gettext("{first} to {last}").format(first=day(profile["first"]), last=day(profile["last"]))
            if profile.get("first") is not None
            else "",
            "chart": timeline(row),
            "columns": [_column(column) for column in profile["columns"] or _declared(row)],
            "facts": [
                (gettext("Type"), DATASET_TYPES[row.type], "text"),
                (gettext("Dataset group"), row.dataset_group, "resource"),
            ],
            "import_jobs": row.import_jobs.select_related("account")[:SHOWN_JOBS],
            "export_jobs": row.export_jobs.select_related("account")[:SHOWN_JOBS],
        }
    )
    return render(request, "data/datasets/detail.html", context, group=row.dataset_group)


def _declared(dataset: Dataset) -> list[JSONDict]:
    """The columns as the schema has them, while nothing is known of their values."""
    return [
        {"name": field.name, "type": field.type} for field in parse(dataset.schema.text, dataset.schema.domain).fields
    ]


def _column(column: JSONDict) -> JSONDict:
    """A column as the page shows it."""
    top = column.get("top", [])
    return column | {
        "values": _values(column),
        "bins": [{"label": one["value"], "count": one["count"]} for one in top],
        "frequent": ", ".join(f"{one['value']} ({number(one['count'])})" for one in top[:SHOWN_VALUES]),
    }


def _values(column: JSONDict) -> Any:
    """How many values, or from where to where."""
    if column.get("min") is not None:
        low, high = column["min"], column["max"]
        if column["name"].endswith("TIMESTAMP"):
            return gettext("{low} to {high}").format(low=day(low), high=day(high))
        return gettext("{low} to {high}, mean {value}").format(
            low=measured(low), high=measured(high), value=mean(column.get("mean"))
        )
    if column.get("distinct") is None:
        return "–"
    at_least = gettext("at least ") if column.get("distinctIsLowerBound") else ""
    return gettext("{at_least}{distinct} distinct").format(at_least=at_least, distinct=number(column["distinct"]))


urlpatterns = [
    path("create/datasets/", uploads.upload, name="datasets-upload"),
    *list_urls(DATASETS),
    path("datasets/<path:name>/", dataset, name="datasets-detail"),
]
