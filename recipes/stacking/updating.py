"""UPDATE training of the relevance engine: new items, counts and what was done with items that were silent, in seconds."""

from __future__ import annotations

import numpy as np

from recipes.base import RecipeError
from recipes.components.content_knn import content_neighbours, item_features, speakers
from recipes.components.context import learn_circumstances
from recipes.components.sparse_ridge import RARE, RARE_RIDGE, Transitions, rare_transitions
from recipes.components.user_ridge import fit_audience, user_features
from recipes.data import Histories, TrainingData
from recipes.run import Run
from recipes.stacking.fit import described, make_priors, training_histories
from recipes.stacking.fit_context import Settings
from recipes.stacking.model import Components, RelevanceModel


def update_relevance(model: RelevanceModel, settings: Settings, data: TrainingData, run: Run) -> RelevanceModel:
    """The model over the catalogue and counts of `data` in seconds.

    What was learned from sequences stays as it is; items that it says nothing of are added with what went before and after
    them, which is how the feedback on explored items arrives.

    Args:
        model: an earlier model; its items and users are the first of `data`, in the same order.
        settings: as for fitting.
        data: the present data.
        run: the watcher.

    Raises:
        RecipeError: `data` have fewer items than the model.
    """
    run.report("updating", 0.0)
    if data.num_items < model.num_items:
        raise RecipeError(f"The data have {data.num_items} items, the model {model.num_items}; use FULL training.")
    features = item_features(data) if settings.metadata else np.zeros((data.num_items, 0), np.float32)
    known = speakers(data.item_counts[: model.num_items])
    neighbours = content_neighbours(features, known) if features.shape[1] else None
    parts = model.components.enlarged(data.num_items, neighbours)
    run.report("updating", 0.5)
    if parts.content is not None and neighbours is not None:
        parts.content = content_neighbours(features, known)
    histories = training_histories(data, settings)
    fresh = _feedback(parts, histories, data.num_items, run) if parts.reading else None
    parts.transitions = [*parts.transitions, fresh] if fresh else parts.transitions
    if parts.audience is not None:
        parts.audience = fit_audience(user_features(data), histories, data.num_items)
    if settings.metadata:
        parts.circumstances = learn_circumstances(data)
    run.report("updating", 1.0)
    priors = described(make_priors(data, settings), features, parts)
    return RelevanceModel(model.recipe, data.num_items, parts, priors, model.rates)


def _feedback(parts: Components, histories: Histories, num_items: int, run: Run) -> Transitions | None:
    """What events say of items that no part scores yet, as loud as the parts are for an event of the others."""
    counts = np.bincount(histories.item_index, minlength=num_items)
    spoken = parts.loudness(num_items)
    silent = (spoken == 0) & (counts > 0)
    if not silent.any() or silent.all():
        return None
    matrix = rare_transitions(RARE, histories, np.flatnonzero(~silent), num_items, RARE_RIDGE, run)
    own = np.bincount(matrix.indices, np.abs(matrix.data), minlength=num_items)
    heard = silent & (own > 0)
    if not heard.any():
        return None
    others = ~silent & (counts > 0)
    level = np.median(spoken[others] / counts[others]) / np.median(own[heard] / counts[heard])
    return Transitions(RARE, matrix * np.float32(level))
