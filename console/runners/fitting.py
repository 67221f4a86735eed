"""From a group's data to a published model: read, evaluate on the frozen test, learn from everything, publish.

The model that is evaluated learns from the training part of the split only; the one that is served is fitted anew on all data.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from console import storage
from console.errors import JobError
from console.ingest.snapshot import Tables, training_tables
from console.jobs import Claim
from console.models import DatasetGroup
from console.runners.append_update import grown
from console.runners.training_selection import Choice, check_enough
from console.scratch import scratch_folder
from console.serving import seen_lists
from console.serving.impressions import join_late
from console.serving.objective import with_objective
from console.shapes import JSONDict
from console.trainings import data_state
from recipes import artefact, pipeline
from recipes.base import Model, Recipe, RecipeError, RecipeType
from recipes.columns import Numeric
from recipes.data import TrainingData
from recipes.evaluation import evaluator
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.memory import give_back_memory
from recipes.pipeline import Stage
from recipes.run import Progress, Run

STAGES = {  # what people read, and where on the bar it begins and ends
    "reading": ("reading data", 0.0, 0.04),
    "searching": ("searching hyperparameters", 0.04, 0.5),
    "evaluated": ("training the model that is evaluated", 0.04, 0.46),
    "evaluating": ("evaluating", 0.46, 0.56),
    "served": ("training on all data", 0.56, 0.97),
    "publishing": ("publishing", 0.97, 1.0),
}


@dataclass(frozen=True)
class TrainingSnapshot:
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
    state: dict[str, Any]

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
    """Passes a fit's progress on to the job's row as one bar over all stages."""

    held: Claim
    part: str = "reading"

    def begin(self, part: str) -> Run:
        """The seed, the budget and the watcher of the next part."""
        self.part = part
        stage, low, _ = STAGES[part]
        self.held.report(stage, low)
        return Run(on_progress=self)

    def __call__(self, progress: Progress) -> None:
        """Report; raises `jobs.Stopped`, which passes through the fit."""
        stage, low, high = STAGES[self.part]
        fraction = None if progress.fraction is None else low + (high - low) * min(1.0, max(0.0, progress.fraction))
        is_evaluated = self.part == "evaluated"  # one curve: that of the model whose validation counts
        self.held.report(
            f"{stage}: {progress.stage}",
            fraction,
            epoch=progress.epoch if is_evaluated else None,
            message=progress.message,
            **(progress.metrics if is_evaluated else {}),
        )


def read(
    group: DatasetGroup, choice: Choice, recipe: type[Recipe], before: TrainingData | None = None
) -> TrainingSnapshot:
    """Take a snapshot of a group's data, with the ids of the one `before` first where there is one.

    Raises:
        JobError: there is too little to learn from.
    """
    state = data_state(group.pk)
    join_late(group)
    seen_lists.collect(group)
    tables = seen_lists.joined(group, training_tables(group))
    if recipe.type is RecipeType.PERSONALIZED_ACTIONS:
        tables = _actions(tables)
    if before is None:
        everything = TrainingData.from_tables(
            tables.take_interactions(), tables.items, tables.users, tables.kinds, tables.seen
        )
    else:
        everything = grown(tables, before, tables.kinds)
    with scratch_folder() as scratch:
        everything = artefact.mapped(everything, Path(scratch))
    give_back_memory()  # of the arrays, which are mapped from now on: only those of the part before the test are held, too
    learned = choice.weighed(choice.columns(everything.keep(choice.events(everything.interactions))))
    if "INTERACTIONS" in recipe.required and recipe.type is not RecipeType.PERSONALIZED_ACTIONS:
        check_enough(learned, choice)
    return TrainingSnapshot(everything, learned, choice, state)


def fit_all(recipe: Recipe, snapshot: TrainingSnapshot, watch: Watch, objective: JSONDict | None = None) -> JSONDict:
    """Evaluate, learn from everything, publish: the fields of the row."""
    data = snapshot.learned
    trained = pipeline.train(
        recipe, data, _split(recipe, data), watch.begin, as_served=lambda model: with_objective(model, data, objective),
        event_weights=snapshot.choice.weights, rewards=_rewards(data, objective),
    )  # fmt: skip
    watch.begin("publishing")
    evaluation, seconds = trained.evaluation, trained.seconds
    fields = publish(trained.model, snapshot, evaluation, objective)
    report: JSONDict = {
        "counts": snapshot.counts,
        "data_state": snapshot.state,
        "seconds": {"served": seconds[Stage.SERVED]},
    }
    if evaluation is None:
        notes = ["Nobody has two interactions or more, so that nothing could be held out and no metrics are given."]
        return fields | {"metrics": {}, "report": report | {"notes": notes}}
    report["seconds"] |= {"judged": seconds[Stage.EVALUATED], "evaluation": evaluation.seconds}
    metrics = {name: value for name, value in evaluation.aws_metrics().items() if isfinite(value)}
    return fields | {"metrics": metrics, "report": _finite(evaluation.summary()) | report}


def publish(
    model: Model,
    snapshot: TrainingSnapshot,
    evaluation: Evaluation | None = None,
    objective: JSONDict | None = None,
    before: artefact.Artefact | None = None,
) -> JSONDict:
    """Put model and evaluation into the store; the fields that point there.

    What grew out of an artefact `before` keeps the places of the users whom it was made to forget, empty.
    """
    name = uuid.uuid4().hex
    fields = {"artefact": f"artefacts/{name}"}
    details = {
        "newest_event": snapshot.state["newest_event"],
        "event_types_learned": snapshot.choice.types,
        "objective": objective,
    }
    if before is not None and "forgotten_users" in before.manifest:
        details["forgotten_users"] = before.manifest["forgotten_users"]
    with scratch_folder() as scratch:
        folder = Path(scratch)
        everything = snapshot.everything
        pipeline.save(folder / "model", model, snapshot.learned, Run(), snapshot=everything, details=details)
        storage.publish_folder(folder / "model", fields["artefact"])
        if evaluation:
            fields["evaluation"] = f"evaluations/{name}"
            evaluation.save(folder / "evaluation")
            storage.publish_folder(folder / "evaluation", fields["evaluation"])
    return fields


def _split(recipe: Recipe, data: TrainingData) -> Split | SegmentSplit | None:
    """The frozen test; None where there are too few data for one, and the recipe can do without."""
    try:
        return evaluator.split_for(recipe, data)
    except RecipeError:
        if "INTERACTIONS" in recipe.required and recipe.type is not RecipeType.PERSONALIZED_ACTIONS:
            raise
        return None


def _finite(figures: Any) -> Any:
    """The same with null where a figure is not defined: databases refuse NaN in JSON."""
    match figures:
        case dict():
            return {name: _finite(value) for name, value in figures.items()}
        case list() | tuple():
            return [_finite(value) for value in figures]
        case float():
            return figures if isfinite(figures) else None
        case _:
            return figures


def _rewards(data: TrainingData, objective: JSONDict | None) -> NDArray[np.float64] | None:
    found = data.items.get((objective or {}).get("itemAttribute", ""))
    return found.values if isinstance(found, Numeric) else None


def _actions(tables: Tables) -> Tables:
    """Actions in the place of items, and what was done with them in that of the interactions.

    Raises:
        JobError: there are no actions.
    """
    if tables.actions is None or tables.actions.num_rows == 0:
        raise JobError("There are no actions; import an Actions dataset first.")
    events = tables.action_interactions
    if events is None:
        names = {"USER_ID": pa.string(), "ACTION_ID": pa.string(), "TIMESTAMP": pa.int64(), "EVENT_TYPE": pa.string()}
        events = pa.schema(list(names.items())).empty_table()
    kinds = {"INTERACTIONS": tables.kinds.get("ACTION_INTERACTIONS", {}), "ITEMS": tables.kinds.get("ACTIONS", {})}
    if "USERS" in tables.kinds:
        kinds["USERS"] = tables.kinds["USERS"]
    return Tables(_renamed(events), _renamed(tables.actions), tables.users, kinds)


def _renamed(table: pa.Table) -> pa.Table:
    return table.rename_columns(["ITEM_ID" if name == "ACTION_ID" else name for name in table.column_names])
