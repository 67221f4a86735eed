"""Metric attribution: which outcomes are counted, the sums so far by what brought them about, and the reports of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy

from console import storage
from console.errors import ServiceError
from console.models import DatasetGroup, MetricAttribution
from console.shapes import JSONDict
from console.sheets import SheetWriter
from console.web.access import Request, page, writing_page
from console.web.data_kinds import ATTRIBUTIONS
from console.web.details import crumbs, detail_context
from console.web.evaluation.attribution_chart import SPANS, over_time
from console.web.forms import OperationForm, StyledForm, group_choices, group_field, name_field
from console.web.job_forms import role_of
from console.web.kinds import page_url
from console.web.languages import localised
from console.web.lists import Echo, csv_cell, list_urls
from console.web.pages import call, find, groups_for, render, service_error

MAX_METRICS = 10
MORE, SHOWN_SUMS, SHOWN_REPORTS = 3, 200, 20
SUM_COLUMNS = ("window", "metric_name", "event_type", "function", "source", "method", "value")


class MetricForm(StyledForm):
    """One metric."""

    eventType = forms.CharField(label=gettext_lazy("Event type"), max_length=256, required=False)  # noqa: N815  the member's name
    metricName = forms.CharField(label=gettext_lazy("Metric name"), max_length=256, required=False)  # noqa: N815
    expression = forms.CharField(
        label=gettext_lazy("Expression"), max_length=256, required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("SAMPLECOUNT() or SUM(Items.PRICE)")}),
    )  # fmt: skip


MetricFormSet = forms.formset_factory(MetricForm, extra=MORE, max_num=MAX_METRICS, absolute_max=MAX_METRICS)


class _OutputForm(OperationForm):
    """What both forms share: the metrics, which have a form each, and the folder."""

    fields_of: ClassVar[dict[str, str]] = {"metricsOutputConfig": "path"}

    path = forms.CharField(
        label=gettext_lazy("Folder for reports"),
        required=False,
        max_length=256,
        help_text=gettext_lazy(
            "s3://BUCKET/FOLDER/. Sums of live events are written there once a day, those of an"
            " import if it asks for it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Have no metrics yet; the view puts in what their forms hold."""
        super().__init__(*args, **kwargs)
        self.metrics: list[JSONDict] = []
        self.role = ""

    def output(self) -> JSONDict:
        """The request's metricsOutputConfig."""
        folder = self.cleaned_data["path"]
        return {"roleArn": self.role} | ({"s3DataDestination": {"path": folder}} if folder else {})


class AttributionForm(_OutputForm):
    """CreateMetricAttribution."""

    operation: ClassVar[str] = "CreateMetricAttribution"

    dataset_group_arn = group_field()
    name = name_field()
    field_order = ["dataset_group_arn", "name", "path"]

    def __init__(self, *args: Any, groups: list[DatasetGroup], **kwargs: Any) -> None:
        """Offer `groups`."""
        super().__init__(*args, **kwargs)
        group_choices(self, groups)

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "datasetGroupArn": data["dataset_group_arn"],
            "metrics": self.metrics,
            "metricsOutputConfig": self.output(),
        }


class UpdateForm(_OutputForm):
    """UpdateMetricAttribution: what the form no longer holds is removed, what it holds anew or changed is added."""

    operation: ClassVar[str] = "UpdateMetricAttribution"

    def __init__(self, *args: Any, row: MetricAttribution, **kwargs: Any) -> None:
        """Change `row`."""
        super().__init__(*args, initial={"path": _folder(row)}, **kwargs)
        self.row = row

    def members(self) -> JSONDict:
        """The request by wire names."""
        kept = [metric for metric in self.row.metrics if metric in self.metrics]
        return {
            "metricAttributionArn": self.row.arn,
            "removeMetrics": [metric["metricName"] for metric in self.row.metrics if metric not in kept],
            "addMetrics": [metric for metric in self.metrics if metric not in kept],
            "metricsOutputConfig": self.output(),
        }


@writing_page
def create(request: Request) -> HttpResponse:
    """Make a metric attribution."""
    group, groups = groups_for(request)
    form = AttributionForm(request.POST or None, groups=groups)
    first = [{"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}]
    context = {
        "heading": gettext("Create metric attribution"),
        "lead": gettext(ATTRIBUTIONS.purpose),
        "submit": gettext("Create metric attribution"),
        "crumbs": crumbs(ATTRIBUTIONS, group),
        "cancel_url": reverse("metric-attributions"),
    }
    return _edit(request, form, first, context, group)


@writing_page
def update(request: Request, name: str) -> HttpResponse:
    """Change the metrics or the folder."""
    row: MetricAttribution = find(request, "MetricAttribution", name)
    form = UpdateForm(request.POST or None, row=row)
    context = {
        "heading": gettext("Edit metric attribution"),
        "lead": gettext("Sums of a metric that is removed stay; a metric that is changed counts on under its name."),
        "submit": gettext("Save"),
        "crumbs": [*crumbs(ATTRIBUTIONS, row.dataset_group), (row.name, page_url(row))],
        "cancel_url": page_url(row),
    }
    return _edit(request, form, row.metrics, context, row.dataset_group)


def _edit(
    request: Request, form: _OutputForm, metrics: list[JSONDict], context: JSONDict, group: DatasetGroup | None
) -> HttpResponse:
    entries = MetricFormSet(request.POST or None, initial=None if request.POST else metrics)
    form.role = role_of(request.account)
    if request.method == "POST" and entries.is_valid():
        form.metrics = [{**one.cleaned_data} for one in entries.forms if any(one.cleaned_data.values())]
        if (made := form.submit(request.account)) is not None:
            row = MetricAttribution.objects.by_arn(request.account, made["metricAttributionArn"])
            return HttpResponseRedirect(page_url(row))
    shown = {"form": form, "metrics": entries} | context
    return render(request, "evaluation/metric_attributions/form.html", shown, group=group)


@page
def detail(request: Request, name: str) -> HttpResponseBase:
    """The metrics, their sums by source, how these came about, and the reports."""
    row: MetricAttribution = find(request, "MetricAttribution", name)
    if request.GET.get("format") == "csv":
        return _csv(row)
    metrics = [metric["metricName"] for metric in row.metrics]
    names = list(dict.fromkeys([*metrics, *row.sums.values_list("metric_name", flat=True).distinct()[:MAX_METRICS]]))
    chosen = request.GET.get("metric", "")
    chosen = chosen if chosen in names else names[0]
    span = request.GET.get("span", "")
    sums = row.sums.values("metric_name", "event_type", "source").annotate(total=Sum("value"))
    context = detail_context(ATTRIBUTIONS, row) | {
        "facts": [
            (gettext("Dataset group"), row.dataset_group, "resource"),
            (gettext("Folder for reports"), _folder(row), "code"),
        ],
        "sums": sums.order_by("metric_name", "-total")[:SHOWN_SUMS],
        "chart": over_time(row, chosen, span),
        "names": names,
        "chosen": chosen,
        "spans": SPANS,
        "span": span,
        "reports": row.reports.all()[:SHOWN_REPORTS],
        "has_folder": bool(_folder(row)),
    }
    return render(request, "evaluation/metric_attributions/detail.html", context, group=row.dataset_group)


@writing_page
def write_report(request: Request, name: str) -> HttpResponse:
    """Write what stands in no report yet."""
    row: MetricAttribution = find(request, "MetricAttribution", name)
    if request.method == "POST":
        try:
            made = call(request, "CreateAttributionReport", {"metricAttributionArn": row.arn})
            messages.success(
                request,
                gettext("{rows} sums are on their way to {location}.").format(
                    rows=localised(f"{made['report']['rows']:,}"), location=made["report"]["location"]
                ),
            )
        except ServiceError as error:
            messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(row))


@page
def report(request: Request, name: str, pk: int) -> StreamingHttpResponse:
    """A report as a file."""
    row: MetricAttribution = find(request, "MetricAttribution", name)
    found = row.reports.filter(pk=pk).first()
    if found is None:
        raise Http404(gettext("The metric attribution {name} has no such report.").format(name=name))
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"'}
    return StreamingHttpResponse(_harmless(storage.store(found.draft)), content_type="text/csv", headers=headers)


def _harmless(report: storage.Location) -> Iterator[str]:
    """A report for a spreadsheet; what is written to the attribution's folder is for programs."""
    writer = SheetWriter(Echo())
    with storage.open_read(report) as file, TextIOWrapper(file, "utf-8", newline="") as text:
        yield from map(writer.writerow, csv.reader(text))


def _folder(row: MetricAttribution) -> str:
    return str(row.output.get("s3DataDestination", {}).get("path") or "")


def _csv(row: MetricAttribution) -> StreamingHttpResponse:
    """All sums, window by window."""
    writer = SheetWriter(Echo())
    sums = row.sums.order_by("-window", "metric_name", "source").values_list(*SUM_COLUMNS)

    def lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
        yield writer.writerow(
            [
                "Window",
                "Metric",
                "Event type",
                "Function",
                "Source",
                "Import method",
                "Sum",
            ]
        )
        for window, *others in rows:
            yield writer.writerow([datetime.fromtimestamp(window, UTC).isoformat(), *map(csv_cell, others)])

    headers = {"Content-Disposition": f'attachment; filename="{row.name}.csv"'}
    return StreamingHttpResponse(lines(sums.iterator(chunk_size=2000)), content_type="text/csv", headers=headers)


urlpatterns = [
    path("create/metric-attributions/", create, name="metric-attributions-create"),
    *list_urls(ATTRIBUTIONS),
    path("metric-attributions/<str:name>/", detail, name="metric-attributions-detail"),
    path("metric-attributions/<str:name>/update/", update, name="metric-attributions-update"),
    path("metric-attributions/<str:name>/report/", write_report, name="metric-attributions-report"),
    path("metric-attributions/<str:name>/reports/<int:pk>/", report, name="metric-attributions-file"),
]
