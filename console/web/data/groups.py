"""Home and the dataset groups: the list or the welcome, creating one, and the overview with its steps."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy

from console.errors import ServiceError
from console.models import JOBS, Dataset, DatasetGroup, Job, SampleLoad
from console.web.access import Request, page, writing_page
from console.web.data.cockpit import cockpit, main_campaign
from console.web.data.facts import dataset_facts, timeline
from console.web.data_kinds import DOMAINS, GROUPS, SAMPLE_LOADS
from console.web.details import detail_context
from console.web.forms import OperationForm, name_field
from console.web.jobs import progress_of
from console.web.kinds import KINDS, page_url
from console.web.languages import lazily
from console.web.lists import list_urls, list_view
from console.web.pages import call, find, render, service_error
from console.web.serving.testing import someones_list

SAMPLES = (
    ("movielens-100k", "MovieLens 100K", lazily("100,000 ratings of 1,682 films by 943 people")),
    (
        "streaming-demo",
        lazily("Streaming demo"),
        lazily("A made-up film catalogue, a tenth of it brand new, with known tastes"),
    ),
)
DATASET_TYPES = (
    ("Interactions", lazily("Who did what with which item, and when. Training needs it.")),
    ("Items", lazily("What there is: titles, categories, prices. Lets new items be recommended.")),
    ("Users", lazily("Who is there: age, country, tier. Sharpens the first recommendations.")),
)
LATEST_JOBS = 6
SERVING = 10


class GroupForm(OperationForm):
    """CreateDatasetGroup."""

    operation: ClassVar[str] = "CreateDatasetGroup"

    name = name_field()
    domain = forms.ChoiceField(
        label=gettext_lazy("Domain"),
        required=False,
        choices=[
            ("", gettext_lazy("Custom: any application")),
            ("ECOMMERCE", "E-commerce"),
            ("VIDEO_ON_DEMAND", gettext_lazy("Video on demand")),
        ],
        help_text=gettext_lazy(
            "A domain brings recommenders made for it and asks for some columns; it cannot be changed later."
        ),
    )


@writing_page
def create(request: Request) -> HttpResponse:
    """Make a dataset group."""
    form = GroupForm(request.POST or None)
    if request.method == "POST" and form.submit(request.account) is not None:
        return HttpResponseRedirect(reverse("dataset-groups-detail", args=[form.cleaned_data["name"]]))
    context = {
        "form": form,
        "heading": gettext("Create dataset group"),
        "lead": gettext(GROUPS.purpose),
        "submit": gettext("Create dataset group"),
        "crumbs": [(gettext("Dataset groups"), reverse("dataset-groups"))],
        "cancel_url": reverse("home"),
    }
    return render(request, "generic/form.html", context)


@writing_page
def load_sample(request: Request) -> HttpResponse:
    """Load a sample data set and go to its dataset group."""
    if request.method == "POST":
        try:
            made = call(request, "LoadSample", {"sampleName": request.POST.get("name", SAMPLES[0][0])})
        except ServiceError as error:
            messages.error(request, service_error(error))
        else:
            return HttpResponseRedirect(page_url(SampleLoad.objects.by_arn(request.account, made["sampleArn"])))
    return HttpResponseRedirect(reverse("home"))


@page
def sample(request: Request, name: str) -> HttpResponse:
    """How far a sample has come, and the dataset group it fills."""
    load: SampleLoad = find(request, "SampleLoad", name)
    context = detail_context(SAMPLE_LOADS, load) | {
        "progress": progress_of(load),
        "campaign": main_campaign(load.dataset_group) if load.dataset_group else None,
        "facts": [(gettext("Dataset group"), load.dataset_group, "resource")],
    }
    return render(request, "data/dataset_groups/sample.html", context, group=load.dataset_group)


@page
def overview(request: Request, name: str) -> HttpResponse:
    """A dataset group: what it holds, what runs, and what to do next."""
    group = find(request, "DatasetGroup", name)
    rows = Dataset.objects.filter(dataset_group=group).select_related("account", "dataset_group")
    datasets = {row.type.lower(): row for row in rows}
    every = list(datasets.values())
    jobs = latest_jobs(group)
    interactions = datasets.get("interactions")
    context = detail_context(GROUPS, group) | {
        "chart": timeline(interactions),
        "domain": DOMAINS[group.domain],
        "cards": [
            *(_card(kind, purpose, datasets.pop(kind.lower(), None)) for kind, purpose in DATASET_TYPES),
            *(_card(row.type.replace("_", " ").capitalize(), "", row) for row in datasets.values()),
        ],
        "serving": serving(group),
        "cockpit": cockpit(group, every),
        "jobs": jobs,
        "is_live": any(job.is_unfinished for job in jobs),
    }
    return render(request, "data/dataset_groups/detail.html", context, group=group)


@page
def strip(request: Request, name: str) -> HttpResponse:
    """Ten recommendations for a random user by the campaign that people look at first; a part of the overview."""
    group = find(request, "DatasetGroup", name)
    campaign = main_campaign(group)
    context: dict[str, Any] = {"object": group, "campaign": campaign}
    if campaign is not None:
        context |= someones_list(request, campaign)
    if request.htmx:
        return render_fragment(request, "data/dataset_groups/_strip.html", context)
    return render(
        request, "data/dataset_groups/strip.html", context | {"heading": gettext("Recommendations")}, group=group
    )


def _card(kind: str, purpose: str, dataset: Dataset | None) -> dict[str, Any]:
    return {"type": kind, "purpose": purpose, "dataset": dataset, "facts": dataset_facts(dataset) if dataset else []}


def serving(group: DatasetGroup) -> list[Any]:
    """What answers requests in a group: campaigns and recommenders, newest first."""
    campaigns = KINDS["Campaign"].rows(group.account).filter(solution_version__solution__dataset_group=group)
    recommenders = KINDS["Recommender"].rows(group.account).filter(dataset_group=group)
    return sorted([*campaigns[:SERVING], *recommenders[:SERVING]], key=lambda row: row.created, reverse=True)


def latest_jobs(group: DatasetGroup) -> list[Job]:
    """The newest jobs of a group, of all kinds."""
    found: list[Job] = []
    for label in JOBS.keys() & KINDS.keys():
        kind = KINDS[label]
        found += kind.rows(group.account).filter(**{kind.group_path: group})[:LATEST_JOBS]
    return sorted(found, key=lambda job: job.created, reverse=True)[:LATEST_JOBS]


urlpatterns = [
    path("", functools.partial(list_view, kind=GROUPS, samples=SAMPLES), name="home"),
    path("create/dataset-groups/", create, name="dataset-groups-create"),
    path("samples/", load_sample, name="samples"),
    path("samples/<str:name>/", sample, name="samples-detail"),
    *list_urls(GROUPS, samples=SAMPLES),
    path("dataset-groups/<str:name>/", overview, name="dataset-groups-detail"),
    path("dataset-groups/<str:name>/strip/", strip, name="dataset-groups-strip"),
]
