"""Train a solution version: FULL or UPDATE, tuned or not, and hand it to the campaigns that follow."""

from __future__ import annotations

from django.utils import timezone

from console.errors import JobError
from console.jobs import Claim
from console.models import Campaign, Solution, SolutionVersion
from console.models.base import update_summary
from console.runners import fitting
from console.runners.choosing import Choice
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import Recipe, RecipeError


def run(held: Claim) -> None:
    """Train the version that the claim is on."""
    version: SolutionVersion = SolutionVersion.objects.select_related(
        "account", "solution__account", "solution__dataset_group__account"
    ).get(pk=held.row.pk)  # fmt: skip
    try:
        fields = _full(held, version)
    except RecipeError as error:
        raise JobError(str(error)) from error
    began = held.row.started or timezone.now()
    hours = (timezone.now() - began).total_seconds() / 3600
    if held.finish(training_hours=round(hours, 4), **fields):
        follow(version)


def _full(held: Claim, version: SolutionVersion) -> JSONDict:
    solution = version.solution
    watch = fitting.Watch(held)
    recipe = _configured(solution, version)
    held.report(fitting.NAMES["reading"], 0.0)
    snapshot = fitting.read(solution.dataset_group, Choice.of(solution.config, solution.event_type), type(recipe))
    fields = fitting.fit_all(recipe, snapshot, watch, _rewarded(solution))
    return fields | {"recipe": recipe.name, "hyperparameters": recipe.settings()}


def _configured(solution: Solution, version: SolutionVersion) -> Recipe:
    given = solution.config.get("algorithmHyperParameters", {}) | solution.config.get(
        "featureTransformationParameters", {}
    )
    return catalogue.get(version.recipe or "").configured(
        {name.rpartition(".")[2]: text for name, text in given.items()}
    )


def _rewarded(solution: Solution) -> str | None:
    objective = solution.config.get("optimizationObjective") or {}
    return objective.get("itemAttribute") if objective.get("objectiveSensitivity") != "OFF" else None


def follow(version: SolutionVersion) -> None:
    """Give a finished version to the campaigns that take over each new one; each in one step."""
    rows = Campaign.objects.filter(solution_version__solution=version.solution, solution_version__pk__lt=version.pk)
    for row in rows:
        if not row.follows_latest:
            continue
        taken = Campaign.objects.filter(pk=row.pk, solution_version=row.solution_version)
        taken.update(
            solution_version=version, previous_version=row.solution_version, updated=timezone.now(),
            latest_update=update_summary(
                solutionVersionArn=version.arn, minProvisionedTPS=row.min_provisioned_tps, campaignConfig=row.config
            ),
        )  # fmt: skip
