"""Trains the network of a stack: beside the held-out events, and then on with them."""

from __future__ import annotations

import math

import numpy as np

from recipes.data import Histories
from recipes.numerics.machine import is_busy
from recipes.recurrent.anytime import Best, epoch_seconds, improved, train_anytime
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.spread import SpreadTask, spread
from recipes.recurrent.training import reproducible, train
from recipes.run import Run
from recipes.stacking.holdout import HeldOut, Scorer, ndcg_at_10, without_newest
from recipes.stacking.plan import TrainedNetwork

QUERIES = 500  # held-out queries scored after each epoch
FEW_EVENTS, MANY_EVENTS = 200_000, 500_000  # by which epochs are planned; of many is learned in rounds in any case
EFFORT = {"fast": 0.5, "auto": 1.0, "full": 1.5}  # of the epochs the data's size suggests
MORE_EPOCHS, MOST_EPOCHS = 1.0, 2.0  # of a round with the events that were held out, and with few events and ample time
AMPLE_EPOCHS = 25.0  # epochs for which there is time then
MORE_BEGIN, SHORT_BEGIN = 0.3, 0.6  # on its learning-rate schedule: later, not to forget, where it will be cut short
TOLERANCE = (
    0.1  # share of the quality on the newest events that learning from the others may cost: about two standard errors
)
CHECK_SHARE = 0.5  # of the seconds, for the check of what is then done with all events
MANY_SHARE = 0.05  # of the users, whose newest events a network should not miss
MIN_NEWEST = 30  # events that tell whether it does
NEWEST_SHARE = 0.01  # of all events, at most


def fit_network(held_out: HeldOut, run: Run) -> TrainedNetwork:
    """Train without the held-out events, on which it is evaluated after each epoch, within the budget of `run`."""
    settings, training = held_out.context.settings, held_out.training
    num_events = len(training.item_index)
    shape = Shape.of(settings.hidden_dimension, settings.window, num_events, held_out.context.num_items)
    epochs = EFFORT[settings.mode] * planned_epochs(num_events)
    few = held_out.queries.first_queries(QUERIES)
    with reproducible(run.seed, small=_is_small(shape, run)):
        task = _task(held_out, run, shape, training)
        if len(few.row):

            def quality(network: RecurrentTask | SpreadTask) -> float:
                return ndcg_at_10(few, held_out.scores(network.scorer(), QUERIES))

            task = train_anytime(
                task, epochs=epochs, run=run, validate=quality, is_large=num_events >= MANY_EVENTS
            ).network
        else:
            task = task.deeper()
            train(task, steps=max(1, int(epochs * task.steps_per_epoch)), run=run)
        return TrainedNetwork(task.scorer(), task.shape, task.snapshot(), np.diff(training.offsets))


def planned_epochs(num_events: int) -> float:
    """After how many epochs a network has learned most of what it can from so many events.

    >>> [round(planned_epochs(10**digits), 1) for digits in (4, 5, 6, 7)]
    [12.0, 4.0, 7.0, 4.5]
    """
    if num_events < FEW_EVENTS:
        return float(np.clip(4 * (80_000 / max(1, num_events)) ** 0.8, 4, 12))
    return 5.0 if num_events < MANY_EVENTS else float(np.clip(10 * (1e6 / num_events) ** 0.35, 2, 7))


def continue_network(held_out: HeldOut, before: TrainedNetwork, run: Run) -> RecurrentScorer:
    """Continue training with the events held out before, which are the newest, for as long as the budget of `run` lasts.

    The very newest event of some users is left out at first, to see whether that does harm; where it does, the network stays as it
    was. Where these users are many, what did no harm is done again with all events.
    """
    newest = without_unread(held_out, before)
    with reproducible(run.seed, small=_is_small(before.shape, run)):
        if newest is None:
            return _trained_on(held_out, before, run)
        task = _task(held_out, run, before.shape, newest.training, before.snapshot)

        def quality(scorer: Scorer) -> float:
            return ndcg_at_10(newest.queries, newest.scores(scorer))

        begun = Best(task, quality(before.scorer), 0.0)
        is_many = _takes_many(newest)
        part = run.share(CHECK_SHARE) if is_many else run
        epochs, begin = _round(epoch_seconds(task, part), part, len(held_out.histories.item_index))
        best = improved(
            begun,
            epochs=epochs,
            run=part,
            validate=lambda network: quality(network.scorer()),
            begin=begin,
            tolerance=TOLERANCE,
            rounds=1 if is_many else math.inf,
        )
        if best is begun:
            return before.scorer
        return _trained_on(held_out, before, run, best.epoch_seconds) if is_many else best.network.scorer()


def _trained_on(held_out: HeldOut, before: TrainedNetwork, run: Run, seconds: float | None = None) -> RecurrentScorer:
    """The network trained on for a round with all events, of which an epoch takes about so many seconds; measured by default."""
    task = _task(held_out, run, before.shape, held_out.histories, before.snapshot)
    seconds = epoch_seconds(task, run) if seconds is None else seconds
    epochs, begin = _round(seconds, run, len(held_out.histories.item_index))
    train(task, steps=max(1, int(epochs * task.steps_per_epoch)), run=run, begin=begin)
    return task.scorer()


def _round(seconds: float, run: Run, num_events: int) -> tuple[float, float]:
    """Epochs of a round on so many events, if one takes so many seconds, and where on the learning-rate schedule it begins.

    >>> [_round(10.0, Run(max_seconds=seconds), 100_000) for seconds in (1000.0, 100.0, 5.0)]
    [(2.0, 0.3), (1.0, 0.3), (1.0, 0.6)]
    """
    is_ample = AMPLE_EPOCHS * seconds <= run.seconds_left and num_events < MANY_EVENTS
    epochs = MOST_EPOCHS if is_ample else MORE_EPOCHS
    return epochs, MORE_BEGIN if epochs * seconds <= run.seconds_left else SHORT_BEGIN


def _takes_many(newest: HeldOut) -> bool:
    """Whether so many users lose their newest event that a network trained without these is worse for it."""
    sizes, kept = np.diff(newest.histories.offsets), np.diff(newest.training.offsets)
    return int((kept < sizes).sum()) > MANY_SHARE * int((sizes > 0).sum())


def without_unread(held_out: HeldOut, network: TrainedNetwork) -> HeldOut | None:
    """The newest event held out of some users, where the network was trained on none of them; None if these are too few."""
    sizes = np.diff(held_out.histories.offsets)
    if len(network.sizes) != len(sizes):
        return None
    eligible = np.flatnonzero((sizes > network.sizes) & (sizes >= 2))
    wanted = min(QUERIES, int(NEWEST_SHARE * len(held_out.histories.item_index)))
    chosen = np.sort(np.random.default_rng(held_out.context.run.seed).permutation(eligible)[:wanted])
    return without_newest(held_out, chosen) if len(chosen) >= MIN_NEWEST else None


def _task(
    held_out: HeldOut,
    run: Run,
    shape: Shape,
    histories: Histories,
    before: object | None = None,
) -> RecurrentTask | SpreadTask:
    """A network on some histories, in this process or on the workers of a cluster."""
    event_types = len(held_out.context.data.interactions.event_types)  # of the snapshot, not of the part trained on
    settings, seed = held_out.context.settings, held_out.context.run.seed
    task = RecurrentTask(
        shape,
        histories,
        held_out.context.num_items,
        held_out.context.item_features,
        event_types,
        seed,
        settings.cold,
        before,
    )
    return spread(task, run)


def _is_small(shape: Shape, run: Run) -> bool:
    """Whether one thread computes a step faster than several, which also depends on what else runs."""
    return shape.lanes * shape.bptt < 1000 or (run.max_seconds is not None and is_busy())
