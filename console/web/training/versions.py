"""Solutions and their versions: train again, watch, stop, retry; then the metrics with what they mean."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_fragment
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import Campaign, Solution, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.access import Request, page, writing_page
from console.web.details import detail_context
from console.web.evaluation.report import report_context
from console.web.glossary import translated
from console.web.kinds import page_url
from console.web.languages import localised
from console.web.model_kinds import SOLUTIONS, VERSIONS, recipe_title
from console.web.nouns import in_sentence
from console.web.pages import call, find, render, service_error
from console.web.serving.batch_forms import SEGMENTING
from console.web.training.choosing import recipes_by_name

NEWEST = 50  # versions on a solution's page; the list has all


@page
def solution_view(request: Request, name: str) -> HttpResponse:
    """A solution's settings, its versions and the campaigns that serve them."""
    solution: Solution = find(request, "Solution", name)
    every = solution.versions.select_related("account", "solution").defer("report", "hyperparameters", "traceback")
    versions = list(every[:NEWEST])
    campaigns = Campaign.objects.filter(solution_version__solution=solution).select_related(
        "account", "solution_version__solution", "solution_version__account"
    )
    recipe = recipes_by_name(request).get(solution.recipe or "")
    context = detail_context(SOLUTIONS, solution) | {
        "versions": versions,
        "others": solution.versions.count() - len(versions),
        "is_live": any(version.is_unfinished for version in versions),
        "comparable": sum(version.status == Status.ACTIVE for version in versions) > 1,
        "campaigns": campaigns,
        "recipe": recipe,
        "may_update": bool(recipe and recipe["updates"] and any(v.status == Status.ACTIVE for v in versions)),
        "facts": _facts(solution),
        "settings": _settings(solution.config),
        "days": solution.days_between_trainings,
    }
    return render(request, "training/solutions/detail.html", context, group=solution.dataset_group)


@require_POST
@writing_page
def train_view(request: Request, name: str) -> HttpResponse:
    """Train a solution again, in full or as an update."""
    solution: Solution = find(request, "Solution", name)
    mode = request.POST.get("mode", "FULL")
    try:
        made = call(request, "CreateSolutionVersion", {"solutionArn": solution.arn, "trainingMode": mode})
    except ServiceError as error:
        messages.error(request, service_error(error))
        return HttpResponseRedirect(page_url(solution))
    return HttpResponseRedirect(page_url(SolutionVersion.objects.by_arn(request.account, made["solutionVersionArn"])))


@require_POST
@writing_page
def schedule_view(request: Request, name: str) -> HttpResponse:
    """Turn automatic training on or off, and say how often."""
    solution: Solution = find(request, "Solution", name)
    wanted = request.POST.get("perform_auto_training") == "on"
    days = request.POST.get("days", "") or "7"
    members: JSONDict = {"solutionArn": solution.arn, "performAutoTraining": wanted}
    if wanted:
        rate = f"rate({days} day{'' if days == '1' else 's'})"
        members["solutionUpdateConfig"] = {"autoTrainingConfig": {"schedulingExpression": rate}}
    try:
        call(request, "UpdateSolution", members)
        messages.success(
            request,
            ngettext("Trains again every day.", "Trains again every {days} days.", int(days)).format(days=days)
            if wanted
            else gettext("Trains only when asked."),
        )
    except ServiceError as error:
        messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(solution))


@page
def version_view(request: Request, name: str) -> HttpResponse:
    """One training: its progress while it runs, its end if it failed, its metrics when it is done."""
    version: SolutionVersion = find(request, "SolutionVersion", name)
    report = call(request, "GetSolutionVersionReport", {"solutionVersionArn": version.arn})
    recipe = _recipe_of(request, version)
    if not report.get("hyperparameters"):
        report["hyperparameters"] = _wanted(recipe, version.solution.config)
    campaigns = version.campaigns.select_related("account")
    context = (
        detail_context(VERSIONS, version)
        | report_context(report, recipe)
        | {
            "campaigns": campaigns,
            "recipe_title": recipe_title(version.recipe),
            "crumbs": [
                *detail_context(SOLUTIONS, version.solution)["crumbs"],
                (version.solution.name, page_url(version.solution)),
            ],
            "next_step": _next_step(version),
        }
    )
    return render(request, "training/solution_versions/detail.html", context, group=version.solution.dataset_group)


@page
def progress_view(request: Request, name: str) -> HttpResponse:
    """The live part alone; once the training has ended the whole page is loaded anew, for its result."""
    version: SolutionVersion = find(request, "SolutionVersion", name)
    report = call(request, "GetSolutionVersionReport", {"solutionVersionArn": version.arn})
    context = report_context(report, _recipe_of(request, version)) | {
        "object": version,
        "may_write": request.member.may_write,
        "is_asked_for": True,
    }
    response = render_fragment(request, "training/solution_versions/_progress.html", context)
    if not version.is_unfinished:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@writing_page
def stop_view(request: Request, name: str) -> HttpResponse:
    """Ask a training to end."""
    version: SolutionVersion = find(request, "SolutionVersion", name)
    return _act(request, version, "StopSolutionVersionCreation", {"solutionVersionArn": version.arn})


@require_POST
@writing_page
def retry_view(request: Request, name: str) -> HttpResponse:
    """Put a failed or stopped training back into the queue as it was."""
    version: SolutionVersion = find(request, "SolutionVersion", name)
    return _act(request, version, "RetryJob", {"resourceArn": version.arn})


def _act(request: Request, version: SolutionVersion, operation: str, members: JSONDict) -> HttpResponse:
    try:
        call(request, operation, members)
    except ServiceError as error:
        messages.error(request, service_error(error))
    return HttpResponseRedirect(page_url(version))


def _next_step(version: SolutionVersion) -> tuple[str, str]:
    """What one does with a trained version, and where: versions that find users for items answer no requests."""
    if version.recipe in SEGMENTING:
        words, address = gettext("Create batch segment job"), reverse("batch-segment-jobs-create")
    else:
        words, address = gettext("Create campaign"), reverse("campaigns-create")
    return words, f"{address}?group={version.solution.dataset_group.name}&version={version.arn_name}"


def _recipe_of(request: Request, version: SolutionVersion) -> JSONDict:
    return recipes_by_name(request).get(version.recipe or "", {})


def _wanted(recipe: JSONDict, config: JSONDict) -> dict[str, str]:
    """The settings a training begins with, before it has written down those in force."""
    defaults = {known["name"]: known["default"] for known in recipe.get("hyperparameters", [])}
    given = config.get("algorithmHyperParameters", {}) | config.get("featureTransformationParameters", {})
    return defaults | {name.rpartition(".")[2]: text for name, text in given.items()}


def _facts(solution: Solution) -> list[tuple[str, object, str]]:
    tuning = gettext("Yes") if solution.perform_hpo else gettext("No")
    return [
        (gettext("Recipe"), solution.recipe or gettext("chosen by AutoML"), "code"),
        (gettext("Tuning"), tuning, "text"),
    ]


def _settings(config: JSONDict) -> list[tuple[str, str]]:
    """What was changed from the defaults, as words."""
    found = [
        (name, str(value))
        for kind in ("algorithmHyperParameters", "featureTransformationParameters")
        for name, value in config.get(kind, {}).items()
    ]
    for event in config.get("eventsConfig", {}).get("eventParametersList", []):
        least = (
            gettext(", value at least {least}").format(least=localised(f"{event['eventValueThreshold']:g}"))
            if "eventValueThreshold" in event
            else ""
        )
        weight = (
            gettext(", weight {weight}").format(weight=localised(f"{event['weight']:g}")) if "weight" in event else ""
        )
        found.append((gettext("Event"), f"{event['eventType']}{least}{weight}"))
    for member, word in (
        ("excludedDatasetColumns", gettext("Left out of {kind}")),
        ("includedDatasetColumns", gettext("Only of {kind}")),
    ):
        for kind, columns in config.get("trainingDataConfig", {}).get(member, {}).items():
            found.append((word.format(kind=in_sentence(kind)), ", ".join(columns)))
    if objective := config.get("optimizationObjective"):
        found.append(
            (
                gettext("Objective"),
                f"{objective.get('itemAttribute')}, {translated(objective.get('objectiveSensitivity', '').lower())}",
            )
        )
    return found
