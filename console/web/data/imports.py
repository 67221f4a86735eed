"""From an uploaded file to an import: the preview with every guess open to change, then the job with its report."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.html import escape

from console.errors import JobError, ServiceError
from console.ingest.schema import Field, dataset_type, text_of
from console.models import Dataset, DatasetGroup, DatasetImportJob
from console.operations.data.files import rejects_location
from console.shapes import JSONDict
from console.web.access import Request, page, reading_page, writing_page
from console.web.data.column_forms import ColumnFormSet, ImportForm, earlier_columns, initial_column, known_names
from console.web.data.uploads import chunks
from console.web.data_kinds import IMPORT_JOBS, MODES
from console.web.details import detail_context
from console.web.jobs import progress_of
from console.web.kinds import page_url
from console.web.lists import list_urls
from console.web.pages import call, chosen_group, find, render, service_error

SHOWN_ROWS = 50
DELIMITERS = ((",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar"))
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252", "latin-1")


@writing_page
def preview(request: Request) -> HttpResponse:
    """Show what was recognised in a file; on POST make the dataset and start the import."""
    group, location = chosen_group(request), request.GET.get("location", "")
    kind = dataset_type(request.GET.get("type", "")) or "INTERACTIONS"
    if group is None or not location:
        return HttpResponseRedirect(reverse("datasets-upload"))
    try:
        found = call(request, "PreviewData", _question(request, group, kind, location))
    except (ServiceError, JobError) as error:
        messages.error(request, str(error))
        query = urlencode({"group": group.name, "type": kind.title()})
        return HttpResponseRedirect(f"{reverse('datasets-upload')}?{query}")
    dataset = Dataset.objects.filter(dataset_group=group, type=kind).first()
    earlier = (
        earlier_columns(find(request, "DatasetImportJob", request.GET["retry"])) if "retry" in request.GET else None
    )
    columns = ColumnFormSet(
        request.POST or None, initial=[initial_column(guess, earlier) for guess in found["columns"]]
    )
    form = ImportForm(
        request.POST or None, group=group, kind=kind, location=location, has_rows=bool(dataset and dataset.parts)
    )
    if request.method == "POST":
        job = _start(request, form, columns, found)
        if job:
            return HttpResponseRedirect(page_url(job))
    context = _context(group, kind, location, found) | {"form": form, "columns": columns, "dataset": dataset}
    context["pairs"] = [
        (one, guess | {"span": _span(guess)}) for one, guess in zip(columns.forms, found["columns"], strict=False)
    ]
    return render(request, "data/imports/preview.html", context, group=group)


def _span(guess: JSONDict) -> str:
    """From where to where a column of numbers or times goes; of texts it would say nothing."""
    if guess.get("type") in {"string", "boolean"} or not guess.get("min"):
        return ""
    low, high = (guess[end].partition(" ")[0].partition("T")[0] for end in ("min", "max"))
    return f"{low} to {high}"


def _question(request: Request, group: DatasetGroup, kind: str, location: str) -> JSONDict:
    """PreviewData's members: the layout only where the person has set it."""
    layout: JSONDict = {
        name: request.GET[name] for name in ("delimiter", "encoding", "decimal") if request.GET.get(name)
    }
    if request.GET.get("header"):
        layout["header"] = request.GET["header"] == "yes"
    members: JSONDict = {"dataLocation": location, "datasetType": kind}
    return members | ({"domain": group.domain} if group.domain else {}) | ({"format": layout} if layout else {})


def _start(request: Request, form: ImportForm, columns: Any, found: JSONDict) -> DatasetImportJob | None:
    if not columns.is_valid():
        return None
    form.columns = [column for column in (one.members() for one in columns.forms) if column]
    form.layout = {name: value for name, value in found.get("format", {}).items() if value != ""}
    made = form.submit(request.account)
    if made is None:
        return None
    job: DatasetImportJob = DatasetImportJob.objects.by_arn(request.account, made["datasetImportJobArn"])
    return job


def _context(group: DatasetGroup, kind: str, location: str, found: JSONDict) -> JSONDict:
    return {
        "heading": f"Import {location.rpartition('/')[2]}",
        "crumbs": [
            (group.name, reverse("dataset-groups-detail", args=[group.name])),
            ("Import a file", f"{reverse('datasets-upload')}?{urlencode({'group': group.name, 'type': kind.title()})}"),
        ],
        "type": kind,
        "location": location,
        "found": found,
        "rows": found.get("rows", [])[:SHOWN_ROWS],
        "schema": schema_of(kind, found["columns"]),
        "names": known_names(kind, group.domain),
        "delimiters": DELIMITERS,
        "encodings": ENCODINGS,
        "earlier": [
            {"name": entry["datasetImportJobArn"].rpartition("/")[2], "created": entry["creationDateTime"]}
            for entry in found.get("previousImports", [])
        ],
    }


@reading_page
def schema_preview(request: Request) -> HttpResponse:
    """The schema that the columns lead to as they stand in the form; asked for by htmx while one edits."""
    kind = request.POST.get("type", "INTERACTIONS").upper()
    columns = ColumnFormSet(request.POST)
    wrong = [str(error) for form in columns.forms if not form.is_valid() for error in form.errors.get("name", [])]
    if wrong:
        return HttpResponse(escape("\n".join(wrong)))
    chosen = [column | {"include": True} for form in columns.forms if form.is_valid() and (column := form.members())]
    return HttpResponse(escape(schema_of(kind, chosen)))


def schema_of(kind: str, guesses: list[JSONDict]) -> str:
    """The schema that the guesses lead to, laid out for reading."""
    fields = [
        Field(
            guess["name"],
            guess.get("type", "string"),
            guess.get("nullable", False),
            guess.get("categorical", False),
            guess.get("textual", False),
        )
        for guess in guesses
        if guess.get("include") and guess.get("name")
    ]
    return json.dumps(json.loads(text_of(kind, fields)), indent=2)


@page
def import_job(request: Request, name: str) -> HttpResponse:
    """An import: its progress, then what came in and what could not."""
    job: DatasetImportJob = find(request, "DatasetImportJob", name)
    report: JSONDict = {}
    if not job.is_unfinished:
        try:
            report = call(request, "GetDatasetImportReport", {"datasetImportJobArn": job.arn})
        except ServiceError as error:
            messages.error(request, service_error(error))
    context = detail_context(IMPORT_JOBS, job) | {
        "progress": progress_of(job),
        "report": report,
        "retry_url": _retry_url(job),
        "facts": [
            ("Dataset", job.dataset, "resource"),
            ("Location", job.data_location, "code"),
            ("Mode", MODES[job.import_mode], "text"),
            *_event_metrics(job),
        ],
    }
    return render(request, "data/imports/detail.html", context, group=job.dataset.dataset_group)


def _event_metrics(job: DatasetImportJob) -> list[tuple[str, str, str]]:
    """Whether metrics of the imported events were published; other datasets have no events."""
    if job.dataset.type.upper() != "INTERACTIONS":
        return []
    return [("Event metrics", "Published to Amazon S3" if job.publish_attribution_metrics else "Not published", "text")]


def _retry_url(job: DatasetImportJob) -> str:
    """The preview of the same file with the columns as this job had them."""
    dataset = job.dataset
    members = {"group": dataset.dataset_group.name, "type": dataset.type, "location": job.data_location}
    layout = {name: job.options.get("format", {}).get(name, "") for name in ("delimiter", "encoding", "decimal")}
    chosen = members | {name: value for name, value in layout.items() if value} | {"retry": job.name}
    return f"{reverse('datasets-preview')}?{urlencode(chosen)}"


@page
def rejects(request: Request, name: str) -> StreamingHttpResponse:
    """The rows that could not be imported, as CSV with the rule that each breaks."""
    job: DatasetImportJob = find(request, "DatasetImportJob", name)
    location = rejects_location(request.account, job.arn)
    if location is None:
        raise Http404(f"Import job {name} has left no row out.")
    headers = {"Content-Disposition": f'attachment; filename="{name}-rejects.csv"'}
    return StreamingHttpResponse(chunks(location), content_type="text/csv", headers=headers)


urlpatterns = [
    path("create/datasets/preview/schema/", schema_preview, name="datasets-preview-schema"),
    path("create/datasets/preview/", preview, name="datasets-preview"),
    *list_urls(IMPORT_JOBS),
    path("dataset-import-jobs/<str:name>/rejects.csv", rejects, name="dataset-import-jobs-rejects"),
    path("dataset-import-jobs/<str:name>/", import_job, name="dataset-import-jobs-detail"),
]
