"""Tuning and AutoML as a training's first stage: both look at the training part of the split only."""

from __future__ import annotations

import os

from django.conf import settings as django_settings

from console.runners.fitting import TrainingSnapshot, Watch
from console.shapes import JSONDict
from recipes import catalogue, tuning
from recipes.base import Recipe, Scalar
from recipes.evaluation.evaluator import split_for
from recipes.executor import current

TRIALS = 8  # where nothing is said; each is a fit
CANDIDATES = ("aws-popularity-count", "aws-user-personalization", "aws-hrnn")
METRICS = {  # AWS's words to ours; what is not known is the default
    "precision_at_25": "precision_at_25",
    "normalized_discounted_cumulative_gain_at_25": "normalized_discounted_cumulative_gain_at_25",
    "mean_reciprocal_rank_at_25": "mean_reciprocal_rank_at_25",
    "coverage": "coverage",
}


def tuned(
    recipe: Recipe, config: JSONDict, snapshot: TrainingSnapshot, watch: Watch, key: int
) -> tuple[Recipe, dict[str, Scalar], JSONDict]:
    """The recipe with the hyperparameters that did best, these, and the trials for people.

    Trials are kept in a file by the version's row, so that a search whose worker died goes on.
    """
    run = watch.begin("searching")
    folder = django_settings.DATA_DIR / "scratch" / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}.sqlite3"
    resources = config.get("hpoResourceConfig", {})
    trials = int(resources.get("maxNumberOfTrainingJobs", TRIALS))
    parallel = min(int(resources.get("maxParallelTrainingJobs", 1)), max(os.cpu_count() or 1, current().parallelism))
    ranges = _ranges(config.get("algorithmHyperParameterRanges", {}))
    train = split_for(recipe, snapshot.learned).train
    found = tuning.tune(recipe, train, run, ranges=ranges or None, max_trials=trials, storage=path, parallel=parallel)
    path.unlink(missing_ok=True)
    attempts = [
        {"number": one.number, "parameters": {name: str(value) for name, value in one.settings.items()},
         "value": one.value, "seconds": one.seconds, "isBest": one.settings == found.settings and one.value == found.value}
        for one in found.attempts
    ]  # fmt: skip
    return found.recipe, found.settings, {"trials": attempts, "objective": found.metric}


def chosen(config: JSONDict, snapshot: TrainingSnapshot, watch: Watch) -> tuple[Recipe, JSONDict]:
    """The recipe that AutoML takes, and how the candidates did."""
    listed = config.get("autoMLConfig", {})
    names = [arn.rpartition("/")[2] for arn in listed.get("recipeList", [])] or list(CANDIDATES)
    recipes = [catalogue.get(name)() for name in names]
    run = watch.begin("searching")
    train = split_for(recipes[0], snapshot.learned).train
    found = tuning.choose(recipes, train, run, METRICS.get(listed.get("metricName", "")))
    trials = [
        {"number": place, "parameters": {"recipe": one.recipe.name}, "value": one.value, "seconds": one.seconds,
         "isBest": place == 0}
        for place, one in enumerate(found)
    ]  # fmt: skip
    return found[0].recipe, {"trials": trials}


def _ranges(config: JSONDict) -> list[tuning.Range]:
    numbers = [
        tuning.Range(entry["name"].rpartition(".")[2], entry.get("minValue"), entry.get("maxValue"))
        for kind in ("integerHyperParameterRanges", "continuousHyperParameterRanges")
        for entry in config.get(kind, [])
    ]
    categories = [
        tuning.Range(entry["name"].rpartition(".")[2], values=tuple(entry.get("values", [])))
        for entry in config.get("categoricalHyperParameterRanges", [])
    ]
    return numbers + categories
