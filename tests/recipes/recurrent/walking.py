"""Users who walk in a circle of items, mostly, and a small network that learns from them."""

from __future__ import annotations

import numpy as np

from recipes.data import Histories
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.spread import spread
from recipes.recurrent.training import reproducible, train
from recipes.run import Run

ITEMS = 12
SHAPE = Shape(hidden=24, width=16, bptt=4, lanes=3, negatives=8)


def walks(users: int = 80, seed: int = 0) -> Histories:
    """Most steps go on to the next item of the circle, some to any."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random((users, 12)) < 0.8, 1, rng.integers(0, ITEMS, (users, 12)))
    return Histories.of((steps.cumsum(axis=1) % ITEMS).tolist())


def task_on(histories: Histories) -> RecurrentTask:
    """An untrained network."""
    return RecurrentTask(SHAPE, histories, ITEMS, np.zeros((ITEMS, 0), np.float32), 0, 0)


def trained(epochs: int) -> RecurrentScorer:
    """The network trained on walks by the executor in force."""
    with reproducible(0, small=True):
        task = spread(task_on(walks()), Run())
        train(task, steps=epochs * task.steps_per_epoch, run=Run())
    return task.scorer()


def share_right(scorer: RecurrentScorer) -> float:
    """Of walks that were not learned from, how many go on as the scores say."""
    histories = walks(400, seed=1)
    ends = histories.offsets[1:] - 1
    known = histories.keep(~np.isin(np.arange(len(histories.item_index)), ends))
    return float((scorer.score(known).argmax(axis=1) == histories.item_index[ends]).mean())
