"""The two-hourly refresh of what is served: new items, counts and trends are taken up without a training, under the same version.

Only models that can do so in moments take part. The row's artefact is exchanged by compare-and-set, so that two workers
cannot both do it, and requests follow the row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone

from console.errors import JobError, ServiceError
from console.models import Campaign, DatasetGroup, Experiment, Recommender, SolutionVersion, Status
from console.runners import fitting
from console.runners.training_selection import Choice, EventRule
from console.serving import loader
from console.trainings import drop_artefacts, is_refresh_due
from recipes import catalogue, use_cases
from recipes.base import Recipe, RecipeError
from recipes.run import Run

logger = logging.getLogger(__name__)
Row = SolutionVersion | Recommender


def refresh_due() -> int:
    """Refresh everything served whose data have changed for two hours; returns how many were."""
    count = 0
    for row, group, choice in _served():
        if not is_refresh_due(row, group.pk):
            continue
        try:
            count += refresh(row, group, choice)
        except (RecipeError, JobError, ServiceError) as error:
            logger.warning("%s was not refreshed: %s", row.arn, error)
    return count


def refresh(row: Row, group: DatasetGroup, choice: Choice) -> bool:
    """Exchange the row's artefact for one that knows the group's present data; False if somebody else was faster."""
    old = row.artefact
    before = loader.read(old)
    recipe = before.model.recipe
    snapshot = fitting.read(group, choice, type(recipe), before.data)
    model = recipe.update(before.model, snapshot.learned, Run())
    fields = fitting.publish(model, snapshot, objective=before.manifest.get("objective"), before=before)
    report = row.report | {"data_state": snapshot.state, "refreshed": timezone.now().isoformat()}
    taken = type(row).objects.filter(pk=row.pk, artefact=old).update(report=report, **fields)
    row.artefact = old if taken else fields["artefact"]
    row.evaluation = ""  # stays with the row
    drop_artefacts([row])
    return bool(taken)


def _served() -> Iterator[tuple[Row, DatasetGroup, Choice]]:
    """What answers requests and can be refreshed, with its data and what it may look at."""
    served = Campaign.objects.filter(status=Status.ACTIVE).values("solution_version")
    tried = Experiment.objects.filter(status=Experiment.State.RUNNING).values("treatment")
    versions = SolutionVersion.objects.filter(Q(pk__in=served) | Q(pk__in=tried))
    for version in versions.select_related("account", "solution__dataset_group"):
        solution = version.solution
        if _can(catalogue.get(version.recipe or "")):
            yield version, solution.dataset_group, Choice.of(solution.config, solution.event_type)
    for row in Recommender.objects.filter(status=Status.ACTIVE).select_related("account", "dataset_group"):
        case = use_cases.get(row.recipe)
        if case.refresh_hours and _can(type(case.recipe())):
            rules = (EventRule(case.event_type),) if case.event_type else ()
            yield row, row.dataset_group, Choice.of(row.config, None).following(rules)


def _can(recipe: type[Recipe]) -> bool:
    return recipe.update is not Recipe.update
