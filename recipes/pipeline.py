"""From data to a saved model: fit on the training part, evaluate on the rest, fit again on everything, save. Once, for the shell and the console."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes import artefact
from recipes.base import Model, Recipe
from recipes.data import TrainingData
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.evaluator import evaluate_model
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.memory import give_back_memory
from recipes.run import Run


class Stage(StrEnum):
    """The stages of a training, in order."""

    EVALUATED = "evaluated"  # fitting the model that is evaluated
    EVALUATING = "evaluating"
    SERVED = "served"  # fitting the model that is served


@dataclass(frozen=True)
class Training:
    """What a training leads to.

    Attributes:
        model: fitted on all data; the one that is served.
        evaluation: of a model that was fitted on the training part alone; None without a split.
        seconds: how long each stage took.
    """

    model: Model
    evaluation: Evaluation | None
    seconds: Mapping[Stage, float]


def unchanged(model: Model) -> Model:
    """The model itself."""
    return model


def train(
    recipe: Recipe,
    data: TrainingData,
    split: Split | SegmentSplit | None,
    begin: Callable[[Stage], Run],
    *,
    as_served: Callable[[Model], Model] = unchanged,
    event_weights: Mapping[str, float] | None = None,
    rewards: NDArray[np.float64] | None = None,
) -> Training:
    """Fit and evaluate on a split, then fit on everything, taking over what the first fit has chosen.

    Args:
        recipe: the recipe with its hyperparameters.
        data: what the model learns from.
        split: of `data`; None to do without an evaluation.
        begin: called as each stage begins; returns the stage's seed, time budget and watcher.
        as_served: gives what serving puts around a model, so that the evaluation sees what people will get.
        event_weights: weight of each event type, where they are configured.
        rewards: (N,) value of each item, where an objective is configured.
    """
    times = {}
    if split is None:
        evaluation, fit = None, recipe.fit
    else:
        began = monotonic()
        first = recipe.fit(split.train, begin(Stage.EVALUATED))
        times[Stage.EVALUATED] = monotonic() - began
        run = begin(Stage.EVALUATING)
        evaluation = evaluate_model(
            as_served(first), split, data, run=run, event_weights=event_weights, rewards=rewards, fitted=first
        )  # fmt: skip
        times[Stage.EVALUATING] = monotonic() - began - times[Stage.EVALUATED]
        fit = partial(recipe.refit, first)
        del split  # with the training part, of which nothing is needed beside all data
        give_back_memory()
    run, began = begin(Stage.SERVED), monotonic()
    model = fit(data, run)
    return Training(model, evaluation, times | {Stage.SERVED: monotonic() - began})


def save(
    folder: Path,
    model: Model,
    learned: TrainingData,
    run: Run,
    *,
    snapshot: TrainingData | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Work out what serving needs at once, and write model and snapshot to a folder.

    Args:
        folder: where to; what was there is replaced.
        model: the fitted model.
        learned: the data it was fitted on.
        run: seed, and who watches.
        snapshot: all events and columns that serving shows and filters by, with the same indexes; `learned` by default.
        details: further JSON values for the manifest.
    """
    model.prepare(learned.histories(), run)
    artefact.save(folder, model, snapshot or learned, details)
