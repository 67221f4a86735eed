"""Trains the recurrence for the relevance engine: sizes it, stops it early, and ends with the events held out before."""

from __future__ import annotations

import numpy as np

from recipes.base import Floats, Run
from recipes.blending import Validation, quality
from recipes.data import Histories
from recipes.recurrence import RecurrenceTask, Shape
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.selection import Settings
from recipes.training import reproducible, train

QUERIES = 600  # validation queries asked after each epoch


def fit_network(
    settings: Settings,
    remaining: Histories,
    histories: Histories,
    validation: Validation,
    features: Floats,
    run: Run,
) -> RecurrenceScorer:
    """Train on `remaining`, judged on `validation`.

    Args:
        settings: hidden_dimension and window (bptt).
        remaining: sequences without the held-out events.
        histories: with them.
        validation: the held-out events.
        features: (N, F) of the items.
        run: seed, budget, watcher.
    """
    num_events, num_items = len(remaining.item_index), len(features)
    shape = Shape.of(settings.hidden_dimension, settings.window, num_events, num_items)
    epochs = float(np.clip(10 * (1e6 / max(1, num_events)) ** 0.35, 2, 12))
    event_types = int(histories.event_type.max(initial=-1)) + 1
    few = validation.first_queries(QUERIES)
    with reproducible(run.seed):
        task = RecurrenceTask(shape, remaining, num_items, features, event_types, run.seed, settings.cold)

        def validate() -> float:
            return quality(few, task.scorer().score(few.histories))

        train(task, steps=max(1, int(epochs * task.steps_per_epoch)), run=run.share(0.85), validate=validate)
        return task.scorer()
