"""Evaluate Next-Best-Action on held-out exposures: how well the chance tells takings from refusals, and ranks takings first.

AWS names precision and recall (means over actions), AUC and NDCG without defining them; the definitions here are the usual ones.
"""

from __future__ import annotations

from time import monotonic

import numpy as np
from numpy.typing import NDArray

from recipes.evaluation import metrics
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.intervals import bootstrap
from recipes.evaluation.splits import Split
from recipes.methods.next_best_action import ActionModel
from recipes.numerics.arrays import Floats
from recipes.run import Run

LIKELY = 0.5  # chance from which an action counts as predicted
ROWS = 256  # queries scored at a time


def evaluate_actions(model: ActionModel, split: Split, *, run: Run | None = None) -> Evaluation:
    """Evaluate `model`, fitted on `split.train`, by what the split's users took and declined next.

    The chances are those before the first held-out event of each user. "popularity" beside them says of each action the share
    of its training events that were takings.

    Returns:
        `action_auc`, `action_precision`, `action_recall` over all exposures and `action_ndcg` with a value for each query,
        NaN where nothing was taken.
    """
    run, began = run or Run(), monotonic()
    chances = np.concatenate(
        [model.chances(split.queries.rows(start, start + ROWS)) for start in range(0, len(split.queries), ROWS)]
    )
    run.report("evaluating", 0.5)
    ndcg = {"action_ndcg": _ndcg(chances, model, split)}
    popular = np.broadcast_to(_rates(model, split), chances.shape)
    return Evaluation(
        split.fingerprint,
        split.protocol,
        len(split.queries),
        ndcg,
        _figures(chances, model, split),
        bootstrap(ndcg, seed=run.seed),
        {"popularity": _figures(popular, model, split)},
        monotonic() - began,
    )


def area_under_curve(scores: Floats, taken: NDArray[np.bool_]) -> float:
    """The share of pairs of a taking and a refusal in which the taking scores higher; ties count half, NaN without pairs.

    Takings 0.9 and 0.4, refusals 0.4 and 0.1: higher in three of four pairs, equal in one: 3.5 / 4.

    >>> area_under_curve(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    low = np.sort(scores[~taken])
    if not len(low) or not taken.any():
        return float("nan")
    below, upto = (np.searchsorted(low, scores[taken], side) for side in ("left", "right"))
    return float((below + upto).mean() / 2 / len(low))


def precision_and_recall(
    action: NDArray[np.int64], scores: Floats, taken: NDArray[np.bool_], num_actions: int
) -> tuple[float, float]:
    """Takings among the predicted, and predicted among the takings; for each action, then the means over actions that have any.

    Action 0: two predicted, one taken; action 1: one of two takings predicted.

    >>> precision_and_recall(np.array([0, 0, 1, 1]), np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, True]), 2)
    (0.75, 0.75)
    """
    predicted = scores >= LIKELY
    right, said, real = (
        np.bincount(action[chosen], minlength=num_actions) for chosen in (predicted & taken, predicted, taken)
    )
    precision, recall = (right[total > 0] / total[total > 0] for total in (said, real))
    return tuple(float(each.mean()) if len(each) else 0.0 for each in (precision, recall))  # type: ignore[return-value]


def _figures(chances: Floats, model: ActionModel, split: Split) -> dict[str, float]:
    taken, declined = _outcomes(model, split)
    shown = taken | declined
    action = split.truth.item_index[shown]
    scores = chances[split.truth.row[shown], action]
    precision, recall = precision_and_recall(action, scores, taken[shown], model.num_items)
    area = area_under_curve(scores, taken[shown])
    gains = _ndcg(chances, model, split)
    figures = {
        "action_auc": area,
        "action_precision": precision,
        "action_recall": recall,
        "action_ndcg": float(np.nanmean(gains)) if np.isfinite(gains).any() else float("nan"),
    }
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _outcomes(model: ActionModel, split: Split) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which held-out events are takings and refusals; an exposure whose taking is held out too is no refusal."""
    truth = split.truth
    taken, declined = model.kinds.taken(truth.event_type), model.kinds.declined(truth.event_type)
    pair = truth.row * model.num_items + truth.item_index
    return taken, declined & ~np.isin(pair, pair[taken])


def _ndcg(chances: Floats, model: ActionModel, split: Split) -> Floats:
    """(Q,) strict NDCG of all actions with the taken ones relevant; NaN where none was."""
    relevant = np.zeros(chances.shape, bool)
    taken, _ = _outcomes(model, split)
    relevant[split.truth.row[taken], split.truth.item_index[taken]] = True
    order = np.argsort(-chances, axis=1, kind="stable")
    hits, counts = np.take_along_axis(relevant, order, axis=1), relevant.sum(axis=1)
    return np.where(counts > 0, metrics.ndcg(hits, counts, model.num_items), np.nan).astype(np.float32)


def _rates(model: ActionModel, split: Split) -> Floats:
    """(A,) the share of each action's training events that were takings."""
    events = split.train.interactions
    taken, all_events = (
        np.bincount(events.item_index[chosen], minlength=model.num_items)
        for chosen in (model.kinds.taken(events.event_type), slice(None))
    )
    return np.asarray(taken / np.maximum(all_events, 1), np.float32)
