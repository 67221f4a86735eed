"""From a group's data to a published model: read, judge on the frozen test, learn from everything, publish.

The model that is judged learns from the training part of the split only; the one that is served is fitted anew on all data.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np

from console import storage
from console.engines.trainings import data_state
from console.ingest.snapshot import training_tables
from console.jobs import Claim
from console.models import DatasetGroup
from console.runners.choosing import Choice, check_enough
from console.shapes import JSONDict
from recipes import artefact, splits
from recipes.base import Model, Progress, Recipe, RecipeType, Run
from recipes.data import Numeric, TrainingData
from recipes.evaluation import Evaluation, evaluate

SHARES = {"reading": (0.0, 0.04), "judged": (0.04, 0.46), "evaluating": (0.46, 0.56), "served": (0.56, 0.97)}


@dataclass(frozen=True)
class Snapshot:
    """A group's data at one moment.

    Attributes:
        everything: all events and columns; filters and histories see these.
        learned: what the configuration leaves in, with the same users and items.
        choice: that configuration.
        state: tells whether the group has changed since.
    """

    everything: TrainingData
    learned: TrainingData
    choice: Choice
    state: dict[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Sizes for people."""
        data = self.learned
        return {
            "interactions": len(data.interactions),
            "users": int(np.count_nonzero(np.diff(data.offsets))),
            "items": data.num_items,
            "items_without_interactions": int(np.count_nonzero(data.item_counts == 0)),
            "events_left_out": len(self.everything.interactions) - len(data.interactions),
        }


@dataclass
class Watch:
    """Passes a fit's progress on to the job's row as one bar over all stages, and its ending back."""

    held: Claim
    part: str = "reading"
    best: dict[str, float] = field(default_factory=dict)

    def run(self, part: str) -> Run:
        """The circumstances of the next part."""
        self.part = part
        self.held.report(NAMES[part], SHARES[part][0])
        return Run(on_progress=self)

    def __call__(self, progress: Progress) -> None:
        """Report; raises `jobs.Stopped`, which passes through the fit."""
        low, high = SHARES[self.part]
        fraction = None if progress.fraction is None else low + (high - low) * min(1.0, max(0.0, progress.fraction))
        judged = self.part == "judged"  # one curve: that of the model whose validation counts
        self.held.report(
            f"{NAMES[self.part]}: {progress.stage}",
            fraction,
            epoch=progress.epoch if judged else None,
            message=progress.message,
            **(progress.metrics if judged else {}),
        )


NAMES = {
    "reading": "reading data",
    "judged": "training the model that is judged",
    "evaluating": "evaluating",
    "served": "training on all data",
}


def read(group: DatasetGroup, choice: Choice, recipe: type[Recipe]) -> Snapshot:
    """Take a snapshot of a group's data.

    Raises:
        JobError: there is too little to learn from.
    """
    state = data_state(group.pk)
    tables = training_tables(group)
    everything = TrainingData.from_tables(tables.interactions, tables.items, tables.users, tables.kinds)
    learned = choice.columns(everything.keep(choice.events(everything.interactions)))
    if "INTERACTIONS" in recipe.required:
        check_enough(learned, choice)
    return Snapshot(everything, learned, choice, state)


def judge(recipe: Recipe, snapshot: Snapshot, watch: Watch, rewards: str | None = None) -> Evaluation:
    """Fit on the training part of the split and judge on the rest."""
    split = split_for(recipe, snapshot.learned)
    model = recipe.fit(split.train, watch.run("judged"))
    values = _rewards(snapshot.learned, rewards)
    return evaluate(model, split, run=watch.run("evaluating"), event_weights=snapshot.choice.weights, rewards=values)


def split_for(recipe: Recipe | type[Recipe], data: TrainingData) -> splits.Split | splits.SegmentSplit:
    """The frozen test that AWS describes for the recipe's type."""
    if recipe.type is RecipeType.USER_SEGMENTATION:
        return splits.segmentation(data)
    return splits.amazon(data)


def publish(model: Model, snapshot: Snapshot, evaluation: Evaluation | None) -> JSONDict:
    """Put model and evaluation into the store; the fields that point there."""
    name = uuid.uuid4().hex
    keys = {"artefact": f"artefacts/{name}", "evaluation": f"evaluations/{name}" if evaluation else ""}
    details = {"newest_event": snapshot.state["newest_event"], "event_types_learned": snapshot.choice.types}
    with storage.scratch_folder() as scratch:
        folder = storage.Path(scratch)
        artefact.save(folder / "model", model, snapshot.everything, details)
        storage.publish_folder(folder / "model", keys["artefact"])
        if evaluation:
            evaluation.save(folder / "evaluation")
            storage.publish_folder(folder / "evaluation", keys["evaluation"])
    return keys


def fit_all(recipe: Recipe, snapshot: Snapshot, watch: Watch, rewards: str | None = None) -> JSONDict:
    """Judge, learn from everything, publish: the fields of the row."""
    began = monotonic()
    evaluation = judge(recipe, snapshot, watch, rewards)
    judged = monotonic()
    model = recipe.fit(snapshot.learned, watch.run("served"))
    fitted = monotonic()
    watch.held.report("publishing", 0.98)
    fields = publish(model, snapshot, evaluation)
    seconds = {"judged": judged - began, "evaluation": evaluation.seconds, "served": fitted - judged}
    report = evaluation.summary() | {"counts": snapshot.counts, "data_state": snapshot.state, "seconds": seconds}
    return fields | {"metrics": evaluation.aws_metrics(), "report": report}


def _rewards(data: TrainingData, column: str | None) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    found = data.items.get(column) if column else None
    return found.values if isinstance(found, Numeric) else None
