"""Metric attribution: which outcomes are counted, and the sums so far by what brought them about."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Sum
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from console.models import DatasetGroup, MetricAttribution
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.data_kinds import ATTRIBUTIONS
from console.web.details import crumbs, detail_context
from console.web.forms import OperationForm, StyledForm, group_choices, group_field, name_field
from console.web.job_forms import role_of
from console.web.kinds import page_url
from console.web.lists import list_urls
from console.web.pages import find, groups_for, render

MAX_METRICS = 10
SHOWN = 3


class MetricForm(StyledForm):
    """One metric."""

    eventType = forms.CharField(label="Event type", max_length=256, required=False)  # noqa: N815  the member's name
    metricName = forms.CharField(label="Metric name", max_length=256, required=False)  # noqa: N815
    expression = forms.CharField(
        label="Expression", max_length=256, required=False,
        widget=forms.TextInput(attrs={"placeholder": "SAMPLECOUNT() or SUM(Items.PRICE)"}),
    )  # fmt: skip


MetricFormSet = forms.formset_factory(MetricForm, extra=SHOWN, max_num=MAX_METRICS, absolute_max=MAX_METRICS)


class AttributionForm(OperationForm):
    """CreateMetricAttribution."""

    operation: ClassVar[str] = "CreateMetricAttribution"
    fields_of: ClassVar[dict[str, str]] = {"metricsOutputConfig": "path"}

    dataset_group_arn = group_field()
    name = name_field()
    path = forms.CharField(
        label="Folder for reports",
        required=False,
        max_length=256,
        help_text="s3://BUCKET/FOLDER/; only for bulk imports.",
    )

    def __init__(self, *args: Any, groups: list[DatasetGroup], **kwargs: Any) -> None:
        """Offer `groups`."""
        super().__init__(*args, **kwargs)
        group_choices(self, groups)
        self.metrics: list[JSONDict] = []
        self.role = ""

    def members(self) -> JSONDict:
        """The request by wire names."""
        data = self.cleaned_data
        output: JSONDict = {"roleArn": self.role}
        if data["path"]:
            output["s3DataDestination"] = {"path": data["path"]}
        return {
            "name": data["name"],
            "datasetGroupArn": data["dataset_group_arn"],
            "metrics": self.metrics,
            "metricsOutputConfig": output,
        }


@writing_page
def create(request: Request) -> HttpResponse:
    """Make a metric attribution."""
    group, groups = groups_for(request)
    form = AttributionForm(request.POST or None, groups=groups)
    initial = [{"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"}]
    metrics = MetricFormSet(request.POST or None, initial=None if request.POST else initial)
    form.role = role_of(request.account)
    if request.method == "POST" and metrics.is_valid():
        form.metrics = [{**one.cleaned_data} for one in metrics.forms if any(one.cleaned_data.values())]
        if (made := form.submit(request.account)) is not None:
            row = MetricAttribution.objects.by_arn(request.account, made["metricAttributionArn"])
            return HttpResponseRedirect(page_url(row))
    context = {
        "form": form,
        "metrics": metrics,
        "heading": "Create metric attribution",
        "lead": ATTRIBUTIONS.purpose,
        "submit": "Create metric attribution",
        "crumbs": crumbs(ATTRIBUTIONS, group),
        "cancel_url": reverse("metric-attributions"),
    }
    return render(request, "metric_attributions/form.html", context, group=group)


@page
def detail(request: Request, name: str) -> HttpResponse:
    """The metrics and their sums by source."""
    row: MetricAttribution = find(request, "MetricAttribution", name)
    sums = row.sums.values("metric_name", "event_type", "source").annotate(total=Sum("value")).order_by("-total")
    folder = row.output.get("s3DataDestination", {}).get("path")
    context = detail_context(ATTRIBUTIONS, row) | {
        "facts": [("Dataset group", row.dataset_group, "resource"), ("Folder for reports", folder, "code")],
        "sums": sums[:200],
    }
    return render(request, "metric_attributions/detail.html", context, group=row.dataset_group)


urlpatterns = [
    path("create/metric-attributions/", create, name="metric-attributions-create"),
    *list_urls(ATTRIBUTIONS),
    path("metric-attributions/<str:name>/", detail, name="metric-attributions-detail"),
]
