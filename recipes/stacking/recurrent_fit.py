"""Trains the network of a stack: sizes it, stops it early, and continues with the events held out before."""

from __future__ import annotations

import numpy as np

from recipes.data import Histories
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import reproducible, train
from recipes.stacking.holdout import HeldOut, ndcg_at_10
from recipes.stacking.plan import TrainedNetwork

QUERIES = 500  # held-out queries scored after each epoch
EFFORT = {"fast": 0.5, "auto": 1.0, "full": 1.5}  # of the epochs the data's size suggests
SHARE = 0.6  # of the seconds left; the meta-model and fitting the chosen base models again need the others
MORE_EPOCHS = 1.0  # with the events that were held out
MORE_SHARE = 0.6  # of the seconds left then; the chosen ridges come after
MORE_BEGIN = 0.6  # on the learning-rate schedule: not high enough to forget


def fit_network(held_out: HeldOut) -> TrainedNetwork:
    """Train without the held-out events, on which it is evaluated after each epoch."""
    settings, run, training = held_out.context.settings, held_out.context.run.share(SHARE), held_out.training
    num_events = len(training.item_index)
    shape = Shape.of(
        settings.hidden_dimension, settings.window, num_events, held_out.context.num_items, run.seconds_left
    )
    most = 12 if num_events < 20_000 else 6 if num_events < 500_000 else 7
    epochs = EFFORT[settings.mode] * float(np.clip(10 * (1e6 / max(1, num_events)) ** 0.35, 2, most))
    few = held_out.queries.first_queries(QUERIES)
    with reproducible(run.seed, small=_is_small(shape)):
        task = _task(held_out, shape, training)

        def validate() -> float:
            return ndcg_at_10(few, held_out.scores(task.scorer(), QUERIES))

        steps = max(1, int(epochs * task.steps_per_epoch))
        train(task, steps=steps, run=run, validate=validate if len(few.row) else None)
        return TrainedNetwork(task.scorer(), shape, task.snapshot())


def continue_network(held_out: HeldOut, before: TrainedNetwork) -> RecurrentScorer:
    """Continue training with all histories: the newest events, held out before, matter most."""
    run = held_out.context.run
    with reproducible(run.seed, small=_is_small(before.shape)):
        task = _task(held_out, before.shape, held_out.histories, before.snapshot)
        steps = max(1, int(MORE_EPOCHS * task.steps_per_epoch))
        train(task, steps=steps, run=run.share(MORE_SHARE), begin=MORE_BEGIN)
        return task.scorer()


def _task(held_out: HeldOut, shape: Shape, histories: Histories, before: object | None = None) -> RecurrentTask:
    event_types = len(held_out.context.data.interactions.event_types)  # of the snapshot, not of the part trained on
    settings, seed = held_out.context.settings, held_out.context.run.seed
    return RecurrentTask(
        shape,
        histories,
        held_out.context.num_items,
        held_out.context.item_features,
        event_types,
        seed,
        settings.cold,
        before,
    )


def _is_small(shape: Shape) -> bool:
    return shape.lanes * shape.bptt < 1000
