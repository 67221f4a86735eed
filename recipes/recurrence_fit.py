"""Trains the recurrence for the relevance engine: sizes it, stops it early, and ends with the events held out before."""

from __future__ import annotations

import numpy as np

from recipes.blending import ndcg_at_10
from recipes.recurrence import RecurrenceTask, Shape
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.training import reproducible, train
from recipes.workshop import Workshop

QUERIES = 500  # validation queries asked after each epoch
EFFORT = {"fast": 0.5, "auto": 1.0, "full": 1.5}  # of the epochs the data's size suggests
SHARE = 0.6  # of the seconds left; mixing and fitting the chosen ridges again need the others


def fit_network(workshop: Workshop) -> RecurrenceScorer:
    """Train on the workshop's remaining histories, judged on what was held out."""
    settings, run, remaining = workshop.settings, workshop.run, workshop.remaining
    num_events = len(remaining.item_index)
    shape = Shape.of(settings.hidden_dimension, settings.window, num_events, workshop.num_items)
    most = 12 if num_events < 20_000 else 8 if num_events < 500_000 else 7
    epochs = EFFORT[settings.mode] * float(np.clip(10 * (1e6 / max(1, num_events)) ** 0.35, 2, most))
    event_types = int(workshop.histories.event_type.max(initial=-1)) + 1
    few = workshop.asked.first_queries(QUERIES)
    with reproducible(run.seed, small=shape.lanes * shape.bptt < 1000):
        task = RecurrenceTask(
            shape, remaining, workshop.num_items, workshop.features, event_types, run.seed, settings.cold
        )

        def validate() -> float:
            return ndcg_at_10(few, workshop.scores(task.scorer(), QUERIES))

        steps = max(1, int(epochs * task.steps_per_epoch))
        train(task, steps=steps, run=run.share(SHARE), validate=validate if len(few.row) else None)
        return task.scorer()
