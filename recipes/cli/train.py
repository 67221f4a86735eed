"""The commands `list` and `train`: fit, measure on held-out users, fit again on everything, publish."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

from recipes import artefact, catalogue
from recipes.base import Model, Recipe, RecipeError
from recipes.cli.tables import InputError, read_training
from recipes.data import TrainingData
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.evaluator import evaluate_model, split_for
from recipes.run import Progress, Run

QUIET_SECONDS = 1.0  # between two lines of progress within a stage
MEASURED_SHARE = 0.75  # of the time, for the fit that is measured; the one that serves takes over what it chose
FIT_SHARE = 0.95  # of the time that is left then, for that one; users' states and the files come after


def list_recipes(chosen: argparse.Namespace) -> None:  # noqa: ARG001  commands are called alike
    """Write each recipe's name and purpose."""
    for name in catalogue.RECIPES:
        recipe = catalogue.get(name)
        sys.stdout.write(f"{name:30} {recipe.summary}\n")


def train(chosen: argparse.Namespace) -> None:
    """Fit and publish; one JSON object on stdout says what came out."""
    began = chosen.began
    recipe = configure(chosen.recipe, chosen.set)
    for dataset, path in (("ITEMS", chosen.items), ("USERS", chosen.users)):
        if dataset in recipe.required and path is None:
            raise InputError(f"{recipe.name} needs --{dataset.lower()} FILE.")
    _check_out(chosen.out)
    data = read_training(chosen.interactions, chosen.items, chosen.users)
    run = Run(chosen.seed, chosen.max_seconds, Announcer(began), began)
    measured = _measure(recipe, data, run) if chosen.holdout == "amazon" else None
    evaluation = measured.evaluation if measured else None
    model, fit_seconds = _timed(recipe, data, measured, run)
    told: dict[str, Any] = {
        "recipe": recipe.name,
        "hyperparameters": recipe.settings(),
        "num_users": data.num_users,
        "num_items": data.num_items,
        "num_interactions": len(data.interactions),
        "fit_seconds": round(fit_seconds, 3),
    } | _judged(evaluation)
    try:
        model.prepare(data.histories(), run)
        artefact.save(chosen.out, model, data, {"told": told})
        if evaluation:
            evaluation.save(chosen.out)
    except OSError as error:
        raise InputError(f"The model cannot be written to {chosen.out}: {error.strerror}.") from None
    sys.stdout.write(json.dumps(told | {"out": str(chosen.out), "seconds": round(monotonic() - began, 3)}) + "\n")


def configure(name: str, settings: list[str]) -> Recipe:
    """The recipe called `name` with settings like "hidden_dimension=64".

    Raises:
        InputError: no such recipe or hyperparameter, or a value outside its range.
    """
    for setting in settings:
        if "=" not in setting:
            raise InputError(f"--set {setting}: KEY=VALUE is needed.")
    try:
        return catalogue.get(name).configured(dict(setting.split("=", 1) for setting in settings))
    except ValueError as error:
        raise InputError(str(error)) from None


@dataclass
class Announcer:
    """Writes progress to stderr: each new stage and epoch, and now and then in between."""

    began: float = field(default_factory=monotonic)
    said: float = -QUIET_SECONDS
    stage: str = ""

    def __call__(self, progress: Progress) -> None:
        """Say where the fit stands, unless that was said a moment ago."""
        now = monotonic() - self.began
        is_news = progress.stage != self.stage or progress.epoch is not None or bool(progress.message)
        if not is_news and now - self.said < QUIET_SECONDS:
            return
        self.stage, self.said = progress.stage, now
        parts = [progress.stage]
        if progress.epoch is not None:
            parts.append(f"epoch {progress.epoch}")
        if progress.fraction is not None:
            parts.append(f"{progress.fraction:.0%}")
        parts += [f"{name} {value:.4g}" for name, value in progress.metrics.items()]
        sys.stderr.write(f"{now:7.1f} s  {' · '.join([*parts, progress.message]).rstrip(' ·')}\n")


@dataclass(frozen=True)
class EvaluatedModel:
    """The model that was put to the test, and what came of it."""

    model: Model
    evaluation: Evaluation


def _measure(recipe: Recipe, data: TrainingData, run: Run) -> EvaluatedModel | None:
    try:
        split = split_for(recipe, data)
    except RecipeError as error:
        run.report("evaluating", message=f"not measured: {error}")
        return None
    model = recipe.fit(split.train, run.share(MEASURED_SHARE))
    return EvaluatedModel(model, evaluate_model(model, split, data, run=run))


def _check_out(folder: Path) -> None:
    """Publishing replaces the folder; refuse one that holds anything but a model."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file()):
        raise InputError(f"--out {folder} holds something that is not a model; choose a new folder.")


def _timed(recipe: Recipe, data: TrainingData, measured: EvaluatedModel | None, run: Run) -> tuple[Model, float]:
    began, rest = monotonic(), run.share(FIT_SHARE)
    model = recipe.refit(measured.model, data, rest) if measured else recipe.fit(data, rest)
    return model, monotonic() - began


def _judged(evaluation: Evaluation | None) -> dict[str, Any]:
    if evaluation is None:
        return {"metrics": {}}
    return {
        "metrics": _known(evaluation.figures),
        "intervals": evaluation.intervals,
        "baselines": {name: _known(figures) for name, figures in evaluation.baselines.items()},
        "num_queries": evaluation.num_queries,
        "fingerprint": evaluation.fingerprint,
        "evaluation_seconds": round(evaluation.seconds, 3),
    }


def _known(figures: dict[str, float]) -> dict[str, float | None]:
    """The figures as JSON has them: null where one is not defined."""
    return {name: value if isfinite(value) else None for name, value in figures.items()}
