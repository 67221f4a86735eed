"""From an uploaded file to an import: the preview with every guess open to change, then the job with its report."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext

from console.errors import JobError, ServiceError
from console.models import DatasetGroup, DatasetImportJob
from console.operations.data.files import rejects_location
from console.shapes import OURS, SERVICES, JSONDict
from console.web.access import Request, page, reading_page, writing_page
from console.web.data.schemas import TYPES
from console.web.data.uploads import MAX_FILES, chunks
from console.web.data.walk import IncomingFile, read_file, retry_url, start_all
from console.web.data_kinds import IMPORT_JOBS, MODES
from console.web.details import detail_context
from console.web.glossary import given_name
from console.web.jobs import progress_of
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.lists import list_urls
from console.web.pages import call, chosen_group, find, render, service_error

DELIMITERS = (
    (",", lazily("Comma")),
    (";", lazily("Semicolon")),
    ("\t", lazily("Tab")),
    ("|", lazily("Bar")),
)


@writing_page
def preview(request: Request) -> HttpResponse:
    """Show what was recognised in one file or several; on POST make the datasets and start the imports."""
    group, locations = chosen_group(request), request.GET.getlist("location")[:MAX_FILES]
    if group is None or not any(locations):
        return HttpResponseRedirect(reverse("datasets-upload"))
    try:
        files = _files(request, group, locations)
    except (ServiceError, JobError) as error:
        messages.error(request, service_error(error))
        query = urlencode({"group": group.name, "type": request.GET.get("type", "")})
        return HttpResponseRedirect(f"{reverse('datasets-upload')}?{query}")
    if request.method == "POST":
        jobs = start_all(request, files)
        if jobs:
            return HttpResponseRedirect(_started_url(jobs))
    return render(request, "data/imports/preview.html", _context(group, files), group=group)


def _started_url(jobs: list[DatasetImportJob]) -> str:
    """The page of the job that brings the interactions, if one does, which shows the others too."""
    first = next((job for job in jobs if job.dataset.type == "INTERACTIONS"), jobs[0])
    others = [("with", job.name) for job in jobs if job is not first]
    return page_url(first) + (f"?{urlencode(others)}" if others else "")


def _files(request: Request, group: DatasetGroup, locations: list[str]) -> list[IncomingFile]:
    """The files of the walk; what one of several is for, its content says."""
    return [
        read_file(request, group, number, location, _kind(request, number)) for number, location in enumerate(locations)
    ]


def _kind(request: Request, number: int) -> str:
    """The dataset's type that was chosen for a file."""
    return request.GET.get(f"type{number or ''}", "")


def _context(group: DatasetGroup, files: list[IncomingFile]) -> JSONDict:
    first = files[0]
    named = [("type", file.kind.title()) for file in files]
    return {
        "heading": gettext("Import {files}").format(files=", ".join(file.name for file in files)),
        "crumbs": [
            (group.name, reverse("dataset-groups-detail", args=[group.name])),
            (
                gettext("Import a file"),
                f"{reverse('datasets-upload')}?{urlencode([('group', group.name), *named[:1]])}",
            ),
        ],
        "files": files,
        "columns": first.columns,
        "form": first.form,
        "found": first.found,
        "types": TYPES,
        "delimiters": DELIMITERS,
        "encodings": SERVICES[OURS].shape_for("FileEncoding").enum,
        "is_blocked": any(file.gaps for file in files),
    }


@reading_page
def check(request: Request) -> HttpResponse:
    """One file's part of the preview as its form stands; asked for by htmx while one chooses."""
    group, given, locations = chosen_group(request), request.GET.get("file", "0"), request.GET.getlist("location")
    number = int(given[:9]) if given.isdecimal() else len(locations)
    if group is None or number >= len(locations):
        raise Http404(gettext("There is no such file."))
    file = read_file(request, group, number, locations[number], _kind(request, number))
    return TemplateResponse(
        request, "data/imports/_file.html", {"file": file, "group": group, "types": TYPES, "is_live": True}
    )


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
    others = [find(request, "DatasetImportJob", other) for other in request.GET.getlist("with")[:MAX_FILES]]
    context = detail_context(IMPORT_JOBS, job) | {
        "progress": progress_of(job),
        "others": [{"job": other, "progress": progress_of(other)} for other in others],
        "all_done": all(one.status == one.done for one in (job, *others)),
        "report": report,
        "retry_url": retry_url(job),
        "facts": [
            (gettext("Dataset"), job.dataset, "resource"),
            (gettext("Location"), given_name(job.data_location), "code"),
            (gettext("Mode"), MODES[job.import_mode], "text"),
            *_event_metrics(job),
        ],
    }
    return render(request, "data/imports/detail.html", context, group=job.dataset.dataset_group)


def _event_metrics(job: DatasetImportJob) -> list[tuple[str, str, str]]:
    """Whether metrics of the imported events were published; other datasets have no events."""
    if job.dataset.type.upper() != "INTERACTIONS":
        return []
    return [
        (
            gettext("Event metrics"),
            gettext("Published to Amazon S3") if job.publish_attribution_metrics else gettext("Not published"),
            "text",
        )
    ]


@page
def rejects(request: Request, name: str) -> StreamingHttpResponse:
    """The rows that could not be imported, as CSV with the rule that each breaks."""
    job: DatasetImportJob = find(request, "DatasetImportJob", name)
    location = rejects_location(request.account, job.arn)
    if location is None:
        raise Http404(gettext("Import job {name} has left no row out.").format(name=name))
    headers = {"Content-Disposition": f'attachment; filename="{name}-rejects.csv"'}
    return StreamingHttpResponse(chunks(location), content_type="text/csv", headers=headers)


urlpatterns = [
    path("create/datasets/preview/check/", check, name="datasets-preview-check"),
    path("create/datasets/preview/", preview, name="datasets-preview"),
    *list_urls(IMPORT_JOBS),
    path("dataset-import-jobs/<str:name>/rejects.csv", rejects, name="dataset-import-jobs-rejects"),
    path("dataset-import-jobs/<str:name>/", import_job, name="dataset-import-jobs-detail"),
]
