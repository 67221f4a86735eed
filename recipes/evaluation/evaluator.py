"""How each kind of recipe is put to the test: its split, its metrics, and for trends a look into the newest window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, Recipe, RecipeType
from recipes.data import TrainingData
from recipes.evaluation import metrics, splits
from recipes.evaluation.actions import evaluate_actions
from recipes.evaluation.evaluate import Evaluation, evaluate
from recipes.evaluation.item_cold import with_item_cold
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.methods.next_best_action import ActionModel
from recipes.methods.popularity import distinct_users
from recipes.methods.trending import SECONDS, TrendingNow
from recipes.numerics.topk import top_k
from recipes.run import Run

TREND = "trend_prediction_accuracy"
TREND_DEPTH = 25


def split_for(recipe: Recipe | type[Recipe], data: TrainingData) -> Split | SegmentSplit:
    """The frozen test that AWS's protocol makes of `data` for recipes of this type.

    Raises:
        RecipeError: the data are too few to test on.
    """
    is_segment = recipe.type is RecipeType.USER_SEGMENTATION
    return splits.segmentation(data) if is_segment else splits.amazon(data)


def evaluate_model(
    model: Model,
    split: Split | SegmentSplit,
    data: TrainingData,
    *,
    run: Run | None = None,
    event_weights: Mapping[str, float] | None = None,
    rewards: NDArray[np.float64] | None = None,
    fitted: Model | None = None,
) -> Evaluation:
    """Evaluate `model`, fitted on `split.train`, with the metrics of its kind.

    Args:
        model: the fitted model.
        split: the frozen test.
        data: what the split was made of; trends are evaluated on its newest window.
        run: seed, and who watches.
        event_weights: weight of each event type, where they were configured.
        rewards: (N,) value of each item, where an objective was configured.
        fitted: what the recipe fitted, where `model` only stands around it.
    """
    if isinstance(model, ActionModel) and isinstance(split, Split):
        return evaluate_actions(model, split, run=run)
    evaluation = evaluate(model, split, run=run, event_weights=event_weights, rewards=rewards)
    if isinstance(split, Split):
        evaluation = with_item_cold(evaluation, fitted or model, split.train, run or Run())
    if not isinstance(model.recipe, TrendingNow):
        return evaluation
    return replace(evaluation, figures=evaluation.figures | {TREND: trend_accuracy(model.recipe, data)})


def trend_accuracy(recipe: TrendingNow, data: TrainingData) -> float:
    """How much of the rise in the newest window the recipe predicts from what was known before it; 0 if nothing rose."""
    seconds = SECONDS[recipe.trend_discovery_frequency]
    before, after = splits.newest_window(data, seconds)
    start = int(data.interactions.timestamp.max(initial=0)) - seconds
    previous = before.keep(before.interactions.timestamp > start - seconds)
    predicted = top_k(recipe.rises(before, start)[None, :], TREND_DEPTH).items[0]
    return metrics.trend_prediction_accuracy(predicted, distinct_users(previous), distinct_users(after), TREND_DEPTH)
