"""Datasets: the list, what one holds, and creating one the AWS way, with a schema."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path

from console.models import Dataset
from console.web import uploads
from console.web.access import Request, page
from console.web.data_kinds import DATASETS
from console.web.details import detail_context
from console.web.facts import dataset_facts, timeline
from console.web.lists import list_urls
from console.web.pages import find, render


@page
def dataset(request: Request, name: str) -> HttpResponse:
    """What a dataset holds, column by column, and its jobs."""
    row: Dataset = find(request, "Dataset", name)
    context = detail_context(DATASETS, row) | {
        "data_facts": dataset_facts(row),
        "chart": timeline(row),
        "columns": (row.statistics or {}).get("columns", {}),
        "facts": [("Type", row.type, "text"), ("Schema", row.schema, "resource"), ("Rows", row.rows, "number")],
        "import_jobs": row.import_jobs.select_related("account")[:10],
        "export_jobs": row.export_jobs.select_related("account")[:10],
    }
    return render(request, "datasets/detail.html", context, group=row.dataset_group)


urlpatterns = [
    path("create/datasets/", uploads.upload, name="datasets-upload"),
    path("create/datasets/preview/", uploads.upload, name="datasets-preview"),
    path("create/datasets/schema/", uploads.upload, name="datasets-create"),
    *list_urls(DATASETS),
    path("datasets/<path:name>/", dataset, name="datasets-detail"),
]
