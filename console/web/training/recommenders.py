"""Recommenders: the use cases of a domain group, several made at once, watched, measured, tested, stopped and started."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms import BoundField
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import DatasetGroup, Recommender
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.details import detail_context
from console.web.evaluation.report import report_context
from console.web.forms import OperationForm, StyledForm, name_field
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.model_kinds import RECOMMENDERS
from console.web.pages import call, chosen_group, find, last_group, render, service_error
from console.web.serving.campaign_forms import CUT_OFF, WEIGHT, RangeInput
from console.web.serving.panel import panel_context, panel_response
from console.web.training.choosing import choices_for, crumbs_of

BUTTONS = {
    "ACTIVE": [("stop", lazily("Stop"), "outline-secondary")],
    "INACTIVE": [("start", lazily("Start"), "primary")],
    "CREATE FAILED": [("retry", lazily("Retry"), "primary")],
}
ACTS = {"stop": "StopRecommender", "start": "StartRecommender", "retry": "RetryJob"}
DONE = {
    "stop": lazily("{0} is stopped; it answers no requests until it is started."),
    "start": lazily("{0} is started."),
    "retry": lazily("{0} is queued again."),
}


class RecommendersForm(StyledForm):
    """A tick and a name for each use case."""

    def __init__(self, group: DatasetGroup, cases: list[JSONDict], **kwargs: Any) -> None:
        """Offer the domain's use cases."""
        super().__init__(**kwargs)
        self.cases = cases
        for case in cases:
            label = case["title"]
            self.fields[f"use_{case['name']}"] = forms.BooleanField(
                label=label,
                required=False,
                disabled=not case["fits"],
                widget=forms.CheckboxInput({"class": "form-check-input"}),
            )
            short = case["name"].removeprefix("aws-ecomm-").removeprefix("aws-vod-")
            self.fields[f"name_{case['name']}"] = name_field(
                gettext("Name of {label}").format(label=label), initial=f"{group.name}-{short}"[:63], required=False
            )
            self.fields[f"name_{case['name']}"].widget.attrs["class"] = "form-control form-control-sm"

    @property
    def rows(self) -> list[tuple[JSONDict, BoundField, BoundField]]:
        """Each use case with its fields."""
        return [(case, self[f"use_{case['name']}"], self[f"name_{case['name']}"]) for case in self.cases]

    @property
    def ticked(self) -> list[JSONDict]:
        """The use cases to make."""
        return [case for case in self.cases if self.cleaned_data[f"use_{case['name']}"]]


class RecommenderForm(OperationForm):
    """UpdateRecommender."""

    operation = "UpdateRecommender"

    exploration_weight = forms.FloatField(
        min_value=0, max_value=1, required=False, widget=RangeInput({"class": "form-range", "step": "0.05"})
    )
    age_cut_off = forms.FloatField(
        label=gettext_lazy("Explore items up to this age, in days"), min_value=0, required=False
    )
    metadata = forms.BooleanField(label=gettext_lazy("Return metadata with recommendations"), required=False)

    def __init__(self, recommender: Recommender, explores: bool, **kwargs: Any) -> None:
        """Begin with what is in force; exploration only where the use case has it."""
        self.recommender = recommender
        exploration = recommender.config.get("itemExplorationConfig", {})
        initial = {
            "exploration_weight": exploration.get("explorationWeight", WEIGHT),
            "age_cut_off": exploration.get("explorationItemAgeCutOff", CUT_OFF),
            "metadata": recommender.config.get("enableMetadataWithRecommendations", False),
        }
        super().__init__(initial=initial, **kwargs)
        if not explores:
            del self.fields["exploration_weight"], self.fields["age_cut_off"]

    def members(self) -> JSONDict:
        """The request."""
        entered = self.cleaned_data
        config = dict(self.recommender.config) | {"enableMetadataWithRecommendations": entered["metadata"]}
        if entered.get("exploration_weight") is not None:
            config["itemExplorationConfig"] = {
                "explorationWeight": f"{entered['exploration_weight']:g}",
                "explorationItemAgeCutOff": f"{entered['age_cut_off'] or CUT_OFF:g}",
            }
        return {"recommenderArn": self.recommender.arn, "recommenderConfig": config}


@page
def recommender_view(request: Request, name: str) -> HttpResponse:
    """A recommender: progress while it trains, then metrics and its test panel."""
    recommender: Recommender = find(request, "Recommender", name)
    cases = _cases(request)
    recipe = cases.get(recommender.recipe, {})
    panel = panel_context(request, recommender, cases)
    if partial := panel_response(request, panel):
        return partial
    report = call(request, "GetSolutionVersionReport", {"solutionVersionArn": recommender.arn})
    facts: list[tuple[str, Any, str]] = [
        (gettext("Use case"), recipe.get("title", recommender.recipe), "text"),
        (gettext("Recipe"), recommender.recipe, "code"),
        (gettext("About"), recipe.get("summary"), "text"),
    ]
    context = detail_context(RECOMMENDERS, recommender) | report_context(report, {}) | panel | {"facts": facts}
    context["buttons"] = BUTTONS.get(recommender.status, [])
    return render(request, "training/recommenders/detail.html", context, group=recommender.dataset_group)


@page
def progress_view(request: Request, name: str) -> HttpResponse:
    """The live part alone; the whole page is loaded anew at the end."""
    recommender: Recommender = find(request, "Recommender", name)
    report = call(request, "GetSolutionVersionReport", {"solutionVersionArn": recommender.arn})
    context = report_context(report, {}) | {"object": recommender, "may_write": request.member.may_write}
    response = render_fragment(request, "training/recommenders/_progress.html", context)
    if not recommender.is_unfinished:
        response["HX-Refresh"] = "true"
    return response


@writing_page
def create_recommenders_view(request: Request) -> HttpResponse:
    """Tick use cases; all ticked ones are made, or none."""
    group = chosen_group(request) or last_group(request)
    if group is None:
        return HttpResponseRedirect(reverse("dataset-groups"))
    cases = choices_for(request, group)["useCases"]
    form = RecommendersForm(group, cases, data=request.POST or None)
    if request.method == "POST" and form.is_valid() and _create(request, group, form):
        messages.success(request, gettext("Training is queued."))
        return HttpResponseRedirect(f"{reverse('recommenders')}?group={group.name}")
    context = {
        "form": form,
        "crumbs": [*crumbs_of(group), (gettext("Recommenders"), f"{reverse('recommenders')}?group={group.name}")],
    }
    return render(
        request, "training/recommenders/create.html", context, group=group, status=400 if form.errors else 200
    )


@writing_page
def update_recommender_view(request: Request, name: str) -> HttpResponse:
    """Change what a recommender explores and returns."""
    recommender: Recommender = find(request, "Recommender", name)
    explores = bool(_cases(request).get(recommender.recipe, {}).get("explores"))
    form = RecommenderForm(recommender, explores, data=request.POST or None)
    if request.method == "POST" and form.submit(request.account):
        messages.success(request, gettext("{recommender} is updated.").format(recommender=recommender.name))
        return HttpResponseRedirect(page_url(recommender))
    context = {
        "form": form,
        "heading": gettext("Update {recommender}").format(recommender=recommender.name),
        "submit": gettext("Update recommender"),
        "cancel_url": page_url(recommender),
        "crumbs": [*detail_context(RECOMMENDERS, recommender)["crumbs"], (recommender.name, page_url(recommender))],
    }
    return render(
        request,
        "serving/campaigns/form.html",
        context,
        group=recommender.dataset_group,
        status=400 if form.errors else 200,
    )


@require_POST
@writing_page
def act_view(request: Request, name: str, action: str) -> HttpResponse:
    """Stop, start or retry."""
    recommender: Recommender = find(request, "Recommender", name)
    member = "resourceArn" if action == "retry" else "recommenderArn"
    try:
        call(request, ACTS[action], {member: recommender.arn})
        messages.success(request, DONE[action].format(recommender.name))
    except ServiceError as error:
        messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(recommender))


def _create(request: Request, group: DatasetGroup, form: RecommendersForm) -> bool:
    if not form.ticked:
        form.add_error(None, gettext("Choose one or more use cases."))
        return False
    try:
        with transaction.atomic():
            for case in form.ticked:
                name = form.cleaned_data[f"name_{case['name']}"]
                members = {"name": name, "datasetGroupArn": group.arn, "recipeArn": case["recipeArn"]}
                call(request, "CreateRecommender", members)
    except ServiceError as error:
        field = f"name_{case['name']}" if error.field == "name" else None
        form.add_error(field, service_error(error) if field else f"{case['title']}: {service_error(error)}")
        return False
    return True


def _cases(request: Request) -> dict[str, JSONDict]:
    return {case["name"]: case for case in choices_for(request, None)["useCases"]}
