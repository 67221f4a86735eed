"""Trains the network of a stack: sizes it, stops it early, and continues with the events held out before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from time import monotonic

import numpy as np

from recipes.data import Histories
from recipes.numerics.arrays import Floats
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import Trainable, reproducible, train
from recipes.run import Run
from recipes.stacking.holdout import HeldOut, ndcg_at_10
from recipes.stacking.plan import TrainedNetwork

QUERIES = 500  # held-out queries scored after each epoch
EFFORT = {"fast": 0.5, "auto": 1.0, "full": 1.5}  # of the epochs the data's size suggests
SHARE = 0.6  # of the seconds left; the meta-model and fitting the chosen base models again need the others
SPEED_STEPS = 12  # by which the machine's speed is measured
ROUND_SHARE = 0.5  # of the first training's steps and seconds that a further round takes
ROUND_BEGIN = 0.5  # on the learning-rate schedule
MORE_EPOCHS = 1.0  # with the events that were held out
MORE_SHARE = 0.6  # of the seconds left then; the chosen ridges come after
MORE_BEGIN = 0.6  # on the learning-rate schedule: not high enough to forget


def fit_network(held_out: HeldOut) -> TrainedNetwork:
    """Train without the held-out events, on which it is evaluated after each epoch."""
    settings, run, training = held_out.context.settings, held_out.context.run.share(SHARE), held_out.training
    num_events = len(training.item_index)
    shape = Shape.of(settings.hidden_dimension, settings.window, num_events, held_out.context.num_items)
    most = 12 if num_events < 20_000 else 6 if num_events < 500_000 else 7
    epochs = EFFORT[settings.mode] * float(np.clip(10 * (1e6 / max(1, num_events)) ** 0.35, 2, most))
    few = held_out.queries.first_queries(QUERIES)
    with reproducible(run.seed, small=_is_small(shape)):
        task = _sized_task(held_out, shape, run)

        def validate() -> float:
            return ndcg_at_10(few, held_out.scores(task.scorer(), QUERIES))

        steps = max(1, int(epochs * task.steps_per_epoch))
        began = monotonic()
        best = train(task, steps=steps, run=run, validate=validate if len(few.row) else None)
        if run.max_seconds is not None and len(few.row):
            train_while_better(task, best, steps, run, validate, monotonic() - began)
        return TrainedNetwork(task.scorer(), task.shape, task.snapshot())


def train_while_better(
    task: Trainable, best: float, steps: int, run: Run, validate: Callable[[], float], seconds: float
) -> float:
    """Train further from a medium learning rate, again and again, while time is left and validation gains; the best state is kept.

    Args:
        task: trained once.
        best: its validation quality.
        steps: of the first training.
        run: the budget that all of it shares.
        validate: the quality after an epoch.
        seconds: that the first training took; a round is not begun with less than half of that left.

    Returns:
        The quality of the state that is kept.
    """
    while run.seconds_left > ROUND_SHARE * seconds:
        before = task.snapshot()
        quality = train(task, steps=max(1, int(ROUND_SHARE * steps)), run=run, validate=validate, begin=ROUND_BEGIN)
        if quality <= best:
            task.restore(before)
            break
        best = quality
    return best


def _sized_task(held_out: HeldOut, shape: Shape, run: Run) -> RecurrentTask:
    """The network that this machine, beside what else it does, trains far enough in the time there is."""
    task = _task(held_out, shape, held_out.training)
    if run.max_seconds is None:
        return task
    num_events = len(held_out.training.item_index)
    smaller = shape.within(run.seconds_left, num_events, _events_per_second(task))
    return task if smaller == shape else _task(held_out, smaller, held_out.training, first_table=task.first_table)


def _events_per_second(task: RecurrentTask) -> float:
    """Events that the task is trained on in a second, measured on steps that are taken back."""
    before, began, seen = task.snapshot(), monotonic(), 0
    for step in islice(task.epoch(0), SPEED_STEPS):
        step(0.0)
        seen += task.shape.lanes * task.shape.bptt
    task.restore(before)
    return seen / max(1e-9, monotonic() - began)


def continue_network(held_out: HeldOut, before: TrainedNetwork) -> RecurrentScorer:
    """Continue training with all histories: the newest events, held out before, matter most."""
    run = held_out.context.run
    with reproducible(run.seed, small=_is_small(before.shape)):
        task = _task(held_out, before.shape, held_out.histories, before.snapshot)
        steps = max(1, int(MORE_EPOCHS * task.steps_per_epoch))
        train(task, steps=steps, run=run.share(MORE_SHARE), begin=MORE_BEGIN)
        return task.scorer()


def _task(
    held_out: HeldOut,
    shape: Shape,
    histories: Histories,
    before: object | None = None,
    first_table: Floats | None = None,
) -> RecurrentTask:
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
        first_table,
    )


def _is_small(shape: Shape) -> bool:
    return shape.lanes * shape.bptt < 1000
