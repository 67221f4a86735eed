"""Train a recommender: its use case chooses recipe and events; the model before it answers until the new one is there."""

from __future__ import annotations

from console.errors import JobError
from console.jobs import Claim
from console.models import Recommender, Status
from console.models.base import update_summary
from console.runners import fitting
from console.runners.training_selection import Choice, EventRule
from console.trainings import drop_artefacts
from recipes import use_cases
from recipes.base import RecipeError


def run(held: Claim) -> None:
    """Train the recommender that the claim is on."""
    row: Recommender = Recommender.objects.select_related("account", "dataset_group__account").get(pk=held.row.pk)
    case = use_cases.get(row.recipe)
    rules = (EventRule(case.event_type),) if case.event_type else ()
    choice = Choice.of(row.config, None).following(rules)
    recipe = case.recipe()
    watch = fitting.Watch(held)
    watch.begin("reading")
    try:
        snapshot = fitting.read(row.dataset_group, choice, type(recipe))
        case.select(snapshot.learned)
        fields = fitting.fit_all(recipe, snapshot, watch)
    except (RecipeError, JobError) as error:
        if not row.artefact:
            raise JobError(str(error)) from error
        _go_on(held, row, str(error))
        return
    if held.finish(**fields):
        drop_artefacts([row])  # the old ones: the row was read before


def _go_on(held: Claim, row: Recommender, reason: str) -> None:
    """Serve with the model that there is: a training that failed must not take a recommender down."""
    update = update_summary(Status.CREATE_FAILED, recommenderConfig=row.config, failureReason=reason)
    held.report("keeping the earlier model", None, message=reason)
    held.finish(latest_update=update)
