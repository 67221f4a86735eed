"""Trains the recurrence for the relevance engine: sizes it, stops it early, and goes on with the events held out before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipes.data import Histories
from recipes.recurrent.network import RecurrenceTask, Shape
from recipes.recurrent.scorer import RecurrenceScorer
from recipes.recurrent.training import reproducible, train
from recipes.stacking.fit_context import Workshop
from recipes.stacking.holdout import ndcg_at_10

QUERIES = 500  # validation queries asked after each epoch
EFFORT = {"fast": 0.5, "auto": 1.0, "full": 1.5}  # of the epochs the data's size suggests
SHARE = 0.6  # of the seconds left; mixing and fitting the chosen parts again need the others
MORE_EPOCHS = 1.0  # with the events that were held out
MORE_SHARE = 0.6  # of the seconds left then; the chosen ridges come after
MORE_BEGIN = 0.6  # on the learning-rate schedule: not high enough to forget


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network as it answers, and as it can be trained on."""

    scorer: RecurrenceScorer
    shape: Shape
    snapshot: object


def fit_network(workshop: Workshop) -> TrainedNetwork:
    """Train on the workshop's remaining histories, judged on what was held out."""
    settings, run, remaining = workshop.settings, workshop.run.share(SHARE), workshop.remaining
    num_events = len(remaining.item_index)
    shape = Shape.of(settings.hidden_dimension, settings.window, num_events, workshop.num_items, run.seconds_left)
    most = 12 if num_events < 20_000 else 6 if num_events < 500_000 else 7
    epochs = EFFORT[settings.mode] * float(np.clip(10 * (1e6 / max(1, num_events)) ** 0.35, 2, most))
    few = workshop.asked.first_queries(QUERIES)
    with reproducible(run.seed, small=_is_small(shape)):
        task = _task(workshop, shape, remaining)

        def validate() -> float:
            return ndcg_at_10(few, workshop.scores(task.scorer(), QUERIES))

        steps = max(1, int(epochs * task.steps_per_epoch))
        train(task, steps=steps, run=run, validate=validate if len(few.row) else None)
        return TrainedNetwork(task.scorer(), shape, task.snapshot())


def continue_network(workshop: Workshop, before: TrainedNetwork) -> RecurrenceScorer:
    """Go on from a network of this catalogue with all histories: the newest events are those that tell most."""
    run = workshop.run
    with reproducible(run.seed, small=_is_small(before.shape)):
        task = _task(workshop, before.shape, workshop.histories, before.snapshot)
        steps = max(1, int(MORE_EPOCHS * task.steps_per_epoch))
        train(task, steps=steps, run=run.share(MORE_SHARE), begin=MORE_BEGIN)
        return task.scorer()


def _task(workshop: Workshop, shape: Shape, histories: Histories, before: object | None = None) -> RecurrenceTask:
    event_types = len(workshop.data.interactions.event_types)  # of the snapshot, not of the part trained on
    settings, seed = workshop.settings, workshop.run.seed
    return RecurrenceTask(
        shape, histories, workshop.num_items, workshop.features, event_types, seed, settings.cold, before
    )


def _is_small(shape: Shape) -> bool:
    return shape.lanes * shape.bptt < 1000
