"""What a shared evaluation does: find a test that none of the versions has seen, put each to it, keep what came of each.

docs/decisions/0003-shared-test.md says why there are two ways.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from console import storage
from console.errors import JobError
from console.jobs import Claim
from console.models import SharedEvaluation, SharedResult, SolutionVersion
from console.runners import fitting
from console.runners.training_selection import Choice
from console.scratch import scratch_folder
from console.serving import loader
from console.serving.objective import with_objective
from console.shapes import JSONDict
from recipes import catalogue
from recipes.artefact import Artefact
from recipes.base import Model, Recipe, RecipeError
from recipes.data import TrainingData
from recipes.evaluation import shared as shared_evaluation
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.shared import SharedTest, Translated
from recipes.run import Progress, Run

Method = SharedEvaluation.Method
NOTES = {
    Method.NEWER_EVENTS: "The served models were asked what {users:,} users did after the newest event that any of them had seen.",
    Method.REFIT: "Each version's recipe and settings learned anew from today's data without {users:,} users, who were then asked for.",
}


@dataclass(frozen=True)
class Entrant:
    """A version with what it may look at: its settings leave the (E,) `own` events in."""

    result: SharedResult
    choice: Choice
    own: shared_evaluation.Mask

    @property
    def version(self) -> SolutionVersion:
        """The version."""
        return self.result.solution_version


def run(held: Claim) -> None:
    """Evaluate the versions together."""
    row = cast("SharedEvaluation", held.row)
    results = row.results.select_related("solution_version__solution", "solution_version__account")
    held.report("reading data", 0.0)
    try:
        data = fitting.read(row.dataset_group, Choice(), catalogue.get("aws-popularity-count")).everything
        entrants = [_entrant(result, data) for result in results]
        if len(entrants) < 2:
            raise JobError("Fewer than two of the versions are left; the others were deleted meanwhile.")
        report = _evaluate_all(held, row.method, data, entrants)
    except RecipeError as error:
        raise JobError(str(error)) from error
    held.finish(**report)


def _entrant(result: SharedResult, data: TrainingData) -> Entrant:
    solution = result.solution_version.solution
    choice = Choice.of(solution.config, solution.event_type)
    return Entrant(result, choice, choice.events(data.interactions))


def _evaluate_all(held: Claim, method: str, data: TrainingData, entrants: list[Entrant]) -> JSONDict:
    served = {} if method == Method.REFIT else {e.version.pk: _artefact(e.version) for e in entrants}
    seen_until = max((int(a.data.interactions.timestamp.max(initial=0)) for a in served.values()), default=0)
    own = [entrant.own for entrant in entrants]
    test = shared_evaluation.newer(data, own, seen_until) if served else None
    if test is None and method == Method.NEWER_EVENTS:
        raise JobError(
            f"Fewer than {shared_evaluation.MIN_USERS} users have done something since the newest event that the versions "
            "know; bring in newer interactions, or use the method REFIT."
        )
    used = Method.NEWER_EVENTS if test else Method.REFIT
    test = test or shared_evaluation.refit(data, own)
    for place, entrant in enumerate(entrants):
        watch = _Watch(held, entrant.version.arn_name, place, len(entrants))
        model = (
            _translated(served[entrant.version.pk], data)
            if used == Method.NEWER_EVENTS
            else _refit(entrant, test, watch)
        )
        _keep(entrant, test.evaluate(model, entrant.own))
    users = len(test.split.users)
    report: JSONDict = {
        "num_queries": users,
        "fingerprint": test.split.fingerprint,
        "note": NOTES[used].format(users=users),
    }
    if used == Method.NEWER_EVENTS:
        report["seen_until"] = seen_until
    return {"method": used, "report": report}


@dataclass(frozen=True)
class _Watch:
    """One version's share of the bar."""

    held: Claim
    name: str
    place: int
    count: int

    def __call__(self, progress: Progress) -> None:
        """Report; raises `jobs.Stopped`, which passes through the fit."""
        fraction = (self.place + 0.95 * min(1.0, progress.fraction or 0.0)) / self.count
        self.held.report(f"{self.name}: {progress.stage}", fraction, message=progress.message)


def _refit(entrant: Entrant, test: SharedTest, watch: _Watch) -> Model:
    """The version's recipe with the settings in force, learned from what nobody is asked for."""
    version = entrant.version
    recipe: Recipe = catalogue.get(version.recipe or "").configured(version.hyperparameters)
    data = entrant.choice.weighed(entrant.choice.columns(test.training(entrant.own)))
    model = recipe.fit(data, Run(on_progress=watch))
    return with_objective(model, data, version.solution.config.get("optimizationObjective"))


def _artefact(version: SolutionVersion) -> Artefact:
    return loader.read(version.artefact)


def _translated(served: Artefact, data: TrainingData) -> Model:
    model = with_objective(served.model, served.data, served.manifest.get("objective"))
    return Translated(model, served.data, data)


def _keep(entrant: Entrant, evaluation: Evaluation) -> None:
    """Put the per-query results into the store, in place of what an earlier attempt left."""
    old, key = entrant.result.evaluation, f"evaluations/{uuid.uuid4().hex}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "evaluation"
        evaluation.save(folder)
        storage.publish_folder(folder, key)
    kept = SharedResult.objects.filter(pk=entrant.result.pk).update(evaluation=key)
    for gone in [old if kept else key]:
        if gone:
            storage.delete(storage.store(f"{gone}/"))
