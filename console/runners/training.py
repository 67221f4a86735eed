"""Train a solution version: FULL or UPDATE, tuned or not, chosen by AutoML or given; then hand it to the campaigns that follow."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from django.utils import timezone

from console import storage
from console.errors import JobError
from console.jobs import Claim
from console.models import Campaign, Solution, SolutionVersion, Status
from console.models.base import update_summary
from console.runners import fitting
from console.runners.fitting import TrainingSnapshot, Watch
from console.runners.training_selection import Choice
from console.runners.tuning import chosen, tuned
from console.scratch import scratch_folder
from console.serving import loader
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import Recipe, RecipeError, Scalar


def run(held: Claim) -> None:
    """Train the version that the claim is on."""
    version: SolutionVersion = SolutionVersion.objects.select_related(
        "account", "solution__account", "solution__dataset_group__account"
    ).get(pk=held.row.pk)  # fmt: skip
    watch = Watch(held)
    watch.begin("reading")
    try:
        fields = _update(watch, version) if version.training_mode == "UPDATE" else _full(watch, version)
    except RecipeError as error:
        raise JobError(str(error)) from error
    hours = (timezone.now() - (held.row.started or timezone.now())).total_seconds() / 3600
    if held.finish(training_hours=round(hours, 4), **fields):
        _name_recipe(version.solution, fields["recipe"])
        follow(version)


def _full(watch: Watch, version: SolutionVersion) -> JSONDict:
    solution = version.solution
    choice = Choice.of(solution.config, solution.event_type)
    if solution.perform_auto_ml:
        snapshot = fitting.read(solution.dataset_group, choice, catalogue.get("aws-user-personalization"))
        recipe, report = chosen(solution.config, snapshot, watch)
    else:
        recipe, report = _configured(solution), {}
        snapshot = fitting.read(solution.dataset_group, choice, type(recipe))
    settings = None
    if solution.perform_hpo and any(parameter.tunable for parameter in recipe.hyperparameters()):
        recipe, settings, trials = tuned(recipe, solution.config.get("hpoConfig", {}), snapshot, watch, version.pk)
        report |= trials
    fields = fitting.fit_all(recipe, snapshot, watch, _objective(solution))
    fields["report"] |= report
    texts = None if settings is None else {name: _text(value) for name, value in settings.items()}
    return fields | {"recipe": recipe.name, "hyperparameters": recipe.settings(), "tuned": texts}


def _text(value: Scalar) -> str:
    """A hyperparameter as AWS writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _update(watch: Watch, version: SolutionVersion) -> JSONDict:
    """Take up items and events since the newest full model, always from that one; its evaluation still holds."""
    solution = version.solution
    done = solution.versions.filter(status=Status.ACTIVE).exclude(artefact="")
    base = done.filter(training_mode="FULL").first()
    if base is None:
        raise JobError("There is no ACTIVE version made with FULL to update.")
    before = loader.read(base.artefact)
    recipe = before.model.recipe
    choice = Choice.of(solution.config, solution.event_type)
    snapshot = fitting.read(solution.dataset_group, choice, type(recipe), before.data)
    if type(recipe).update is Recipe.update:  # no short way: learn anew, which also knows the new items and counts
        model = recipe.fit(snapshot.learned, watch.begin("served"))
    else:
        model = recipe.update(before.model, snapshot.learned, watch.begin("served"))
    watch.begin("publishing")
    fields = fitting.publish(model, snapshot, objective=_objective(solution), before=before) | _copied(base)
    return fields | {
        "recipe": recipe.name, "hyperparameters": recipe.settings(), "metrics": base.metrics,
        "report": base.report | _note(snapshot, base),
    }  # fmt: skip


def _note(snapshot: TrainingSnapshot, base: SolutionVersion) -> JSONDict:
    note = f"An update of {base.arn_name}, whose metrics these are; items known: {snapshot.everything.num_items}."
    return {"counts": snapshot.counts, "data_state": snapshot.state, "notes": [note]}


def _copied(base: SolutionVersion) -> JSONDict:
    """The evaluation of another version under a key of its own, so that each may be deleted alone."""
    if not base.evaluation:
        return {}
    key = f"{base.evaluation}-{uuid.uuid4().hex[:8]}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "evaluation"
        shutil.copytree(storage.local_folder(base.evaluation), folder, copy_function=shutil.copyfile)
        storage.publish_folder(folder, key)
    return {"evaluation": key}


def _configured(solution: Solution) -> Recipe:
    config = solution.config
    given = config.get("algorithmHyperParameters", {}) | config.get("featureTransformationParameters", {})
    recipe = catalogue.get(solution.recipe or "")
    return recipe.configured({name.rpartition(".")[2]: text for name, text in given.items()})


def _objective(solution: Solution) -> JSONDict | None:
    """What is to be favoured; with the sensitivity OFF it is measured only."""
    return solution.config.get("optimizationObjective") or None


def _name_recipe(solution: Solution, recipe: str) -> None:
    if solution.perform_auto_ml:
        Solution.objects.filter(pk=solution.pk).update(recipe=recipe)


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
