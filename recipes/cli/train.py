"""The commands `list` and `train`: fit, measure on held-out users, fit again on everything, publish."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from recipes import artefact, catalogue, pipeline
from recipes.base import Recipe, RecipeError
from recipes.cli.tables import InputError, read_training
from recipes.data import TrainingData
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.evaluator import split_for
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.memory import give_back_memory
from recipes.pipeline import Stage
from recipes.run import Progress, Run

QUIET_SECONDS = 1.0  # between two lines of progress within a stage
EVALUATED_SHARE = 0.75  # of the time, for the fit that is evaluated; the one that serves takes over what it chose
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
    is_evaluated = chosen.holdout == "amazon"
    data = read_training(chosen.interactions, chosen.items, chosen.users)
    if is_evaluated:  # the part before the test is held beside it
        data = _mapped(data, chosen.out)
        give_back_memory()
    run = Run(chosen.seed, chosen.max_seconds, Announcer(began), began)
    split = _split(recipe, data, run) if is_evaluated else None
    trained = pipeline.train(recipe, data, split, partial(_budget, run))
    summary: dict[str, Any] = {
        "recipe": recipe.name,
        "hyperparameters": recipe.settings(),
        "num_users": data.num_users,
        "num_items": data.num_items,
        "num_interactions": len(data.interactions),
        "fit_seconds": round(trained.seconds[Stage.SERVED], 3),
    } | _evaluated(trained.evaluation)
    try:
        pipeline.save(chosen.out, trained.model, data, run, details={"told": summary})
        if trained.evaluation:
            trained.evaluation.save(chosen.out)
    except OSError as error:
        raise _unwritable(chosen.out, error) from None
    sys.stdout.write(json.dumps(summary | {"out": str(chosen.out), "seconds": round(monotonic() - began, 3)}) + "\n")


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


def _split(recipe: Recipe, data: TrainingData, run: Run) -> Split | SegmentSplit | None:
    """The held-out users; None, and a line that says why, where the data are too few."""
    try:
        return split_for(recipe, data)
    except RecipeError as error:
        run.report("evaluating", message=f"not evaluated: {error}")
        return None


def _budget(run: Run, stage: Stage) -> Run:
    """A stage's share of the time that is left."""
    return run if stage is Stage.EVALUATING else run.share(EVALUATED_SHARE if stage is Stage.EVALUATED else FIT_SHARE)


def _check_out(folder: Path) -> None:
    """Publishing replaces the folder; refuse one that holds anything but a model."""
    if any(each.is_file() for each in (folder, *folder.parents)) or (
        folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file()
    ):
        raise InputError(f"--out {folder} is or holds something that is not a model; choose a new folder.")


def _mapped(data: TrainingData, out: Path) -> TrainingData:
    """The same data as maps of files where the model will be, whose pages the system can take back."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
            return artefact.mapped(data, Path(scratch))
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(f"The model cannot be written to {out}: {error.strerror}.")


def _evaluated(evaluation: Evaluation | None) -> dict[str, Any]:
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
