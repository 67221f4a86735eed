"""The pages of batch inference, segment, export and deletion jobs: starting one, its progress, its results."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from console import storage
from console.errors import JobError, ServiceError
from console.models import BatchInferenceJob, BatchSegmentJob, DatasetExportJob, Job
from console.tenancy import location_for
from console.web.access import Request, page, writing_page
from console.web.data.uploads import chunks
from console.web.data_kinds import BATCH_JOBS, DELETION_JOBS, EXPORT_JOBS, SEGMENT_JOBS
from console.web.details import Fact, crumbs, detail_context
from console.web.glossary import given_name
from console.web.job_forms import EXPORTED, DeletionForm, ExportForm, JobForm
from console.web.jobs import progress_of
from console.web.kinds import Kind, page_url
from console.web.lists import list_urls
from console.web.pages import chosen_group, find, render
from console.web.serving.batch_forms import BatchForm, BatchInferenceForm, BatchSegmentForm
from console.web.serving.batch_tables import csv_view, table_of

SHOWN_LINES = 5
BATCH_FORM = "serving/batch/form.html"
ERRORS = ".errors"  # stands beside what a batch job has answered


@dataclass(frozen=True)
class JobPages:
    """One kind of job: its form, its facts and where its results are."""

    kind: Kind
    form: type[JobForm]
    facts: Callable[[Any], list[Fact]]
    output: Callable[[Any], str] | None = None
    template: str = "generic/form.html"

    @property
    def heading(self) -> str:
        """Of the page that starts one."""
        return gettext("Create {noun}").format(noun=self.kind.called())


def _batch_facts(job: Any) -> list[Fact]:
    return [
        (gettext("Solution version"), job.solution_version, "resource"),
        (gettext("Filter"), job.filter, "resource"),
        (gettext("Results for each line"), job.num_results, "number"),
        (gettext("Lines answered"), job.report.get("lines"), "number"),
        (gettext("Lines with an error"), job.report.get("errors"), "number"),
        (gettext("Input"), given_name(job.job_input["s3DataSource"]["path"]), "code"),
        (gettext("Output"), job.job_output["s3DataDestination"]["path"], "code"),
    ]


def _inference_facts(job: Any) -> list[Fact]:
    theme = (job.theme_generation_config or {}).get("fieldsForThemeGeneration", {}).get("itemName")
    exploration = (job.config or {}).get("itemExplorationConfig", {})
    settings = [f"{name} {value}" for name, value in exploration.items()]
    return [
        *_batch_facts(job),
        (gettext("Themes by"), theme, "code"),
        (gettext("Exploration"), ", ".join(settings), "text"),
    ]


def _export_facts(job: Any) -> list[Fact]:
    return [
        (gettext("Dataset"), job.dataset, "resource"),
        (gettext("Rows to export"), EXPORTED[job.ingestion_mode], "text"),
        (gettext("Output"), job.job_output["s3DataDestination"]["path"], "code"),
    ]


def _deletion_facts(job: Any) -> list[Fact]:
    return [
        (gettext("Dataset group"), job.dataset_group, "resource"),
        (gettext("Users deleted"), job.num_deleted, "number"),
        (gettext("Location"), given_name(job.data_location), "code"),
    ]


def _output(job: Any) -> str:
    return str(job.job_output["s3DataDestination"]["path"])


@writing_page
def create(request: Request, pages: JobPages) -> HttpResponse:
    """Start a job."""
    group = chosen_group(request)
    more = {"version": request.GET.get("version", "")} if issubclass(pages.form, BatchForm) else {}
    like = find(request, pages.kind.model.__name__, request.GET["like"]) if "like" in request.GET else None
    initial = pages.form.entered_for(like) if like else {}
    form = pages.form(
        request.POST or None, request.FILES or None, account=request.account, group=group, initial=initial, **more
    )
    if request.method == "POST" and (made := form.submit(request.account)) is not None:
        arn = made[pages.kind.arn_member]
        return HttpResponseRedirect(page_url(pages.kind.model.objects.by_arn(request.account, arn)))
    context = {
        "form": form,
        "heading": pages.heading,
        "lead": gettext(pages.kind.purpose),
        "submit": gettext("Start {noun}").format(noun=pages.kind.called()),
        "crumbs": crumbs(pages.kind, group),
        "cancel_url": reverse(pages.kind.slug) + (f"?group={group.name}" if group else ""),
    }
    return render(request, pages.template, context, group=group)


@page
def detail(request: Request, name: str, pages: JobPages) -> HttpResponse:
    """A job's progress, then the first lines and the files of its results."""
    job: Job = find(request, pages.kind.model.__name__, name)
    files = results(request, job, pages) if job.status == job.done else []
    context = detail_context(pages.kind, job) | {
        "progress": progress_of(job),
        "facts": pages.facts(job),
        "files": [(file.name, storage.size_bytes(file)) for file in files],
        "sample": _first_lines(next((file for file in files if not file.key.endswith(ERRORS)), files[0]))
        if files
        else "",
        "result_url": f"{pages.kind.slug}-result",
        "again_url": _again_url(pages, job),
    }
    if files and isinstance(job, BatchInferenceJob | BatchSegmentJob):
        context |= table_of(request, job) | {"csv_url": reverse(f"{pages.kind.slug}-csv", args=[job.name])}
    return render(request, "serving/batch/detail.html", context, group=pages.kind.group_of(job))


def _again_url(pages: JobPages, job: Job) -> str:
    """The form as it was filled for this job."""
    group = pages.kind.group_of(job)
    query = ({"group": group.name} if group else {}) | {"like": job.name}
    return f"{reverse(f'{pages.kind.slug}-create')}?{urlencode(query)}"


def results(request: Request, job: Job, pages: JobPages) -> list[storage.Location]:
    """The files a job has written."""
    if pages.output is None:
        return []
    try:
        folder = location_for(request.account, pages.output(job).rstrip("/") + "/")
        return [file for file in storage.list_objects(folder) if _wrote(job, file.name)]
    except (JobError, ServiceError):
        return []


def _wrote(job: Job, name: str) -> bool:
    """Whether a job has written a file of that name: others may lie in its folder."""
    if isinstance(job, DatasetExportJob):
        return re.fullmatch(rf"{re.escape(job.name)}-\d{{5,}}\.csv", name) is not None
    if not isinstance(job, BatchInferenceJob | BatchSegmentJob):
        return False
    inputs = [file.rpartition("/")[2] for file in job.report.get("files", [])]
    return name in {f"{input_name}{end}" for input_name in inputs for end in (".out", ERRORS)}


def _first_lines(file: storage.Location) -> str:
    with storage.open_read(file) as stream:
        return b"".join(stream.readline(2000) for _ in range(SHOWN_LINES)).decode("utf-8", "replace")


@page
def result(request: Request, name: str, file: str, pages: JobPages) -> StreamingHttpResponse:
    """One of the files a job has written."""
    job: Job = find(request, pages.kind.model.__name__, name)
    found = next((one for one in results(request, job, pages) if one.name == file), None)
    if found is None:
        raise Http404(gettext("Job {name} has written no file {file}.").format(name=name, file=file))
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingHttpResponse(chunks(found), content_type="application/octet-stream", headers=headers)


ALL = (
    JobPages(BATCH_JOBS, BatchInferenceForm, _inference_facts, _output, BATCH_FORM),
    JobPages(SEGMENT_JOBS, BatchSegmentForm, _batch_facts, _output, BATCH_FORM),
    JobPages(EXPORT_JOBS, ExportForm, _export_facts, _output),
    JobPages(DELETION_JOBS, DeletionForm, _deletion_facts),
)


def _urls(pages: JobPages) -> list[URLPattern]:
    slug = pages.kind.slug
    return [
        path(f"create/{slug}/", functools.partial(create, pages=pages), name=f"{slug}-create"),
        *list_urls(pages.kind),
        path(f"{slug}/<str:name>/", functools.partial(detail, pages=pages), name=f"{slug}-detail"),
        *(
            [path(f"{slug}/<str:name>/results.csv", functools.partial(csv_view, kind=pages.kind), name=f"{slug}-csv")]
            if pages.template == BATCH_FORM
            else []
        ),
        path(f"{slug}/<str:name>/results/<str:file>", functools.partial(result, pages=pages), name=f"{slug}-result"),
    ]


urlpatterns = [url for pages in ALL for url in _urls(pages)]
