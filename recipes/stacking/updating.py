"""UPDATE training of the stack: what events say, learned anew in seconds as the full training chose it.

What a full training takes its time for is kept: which base models there are, their weights, the network, and the embedding
of items. Nothing is built on an earlier update, so that many small ones know what one large one does.
"""

from __future__ import annotations

from dataclasses import replace

from recipes.base import RecipeError
from recipes.components.content_knn import content_neighbours, neighbour_candidates
from recipes.components.context import Context
from recipes.components.fit_context import MAX_DENSE_ITEMS, FitContext, Settings
from recipes.components.popularity import UnknownItems
from recipes.components.repeats import Repeats
from recipes.components.young_items import YoungItems
from recipes.data import TrainingData
from recipes.numerics.machine import FLOPS_PER_SECOND, SOLVE_COST
from recipes.run import Run
from recipes.stacking.fit import build, completed, open_fit, with_young
from recipes.stacking.model import StackedModel
from recipes.stacking.plan import Plan

MAX_EVENTS = 1_000_000  # with which the plan's base models are fitted again
MAX_SECONDS = 5.0  # that solving its ridges may take a machine at rest


def update_stack(model: StackedModel, settings: Settings, data: TrainingData, run: Run) -> StackedModel:
    """The stack over the catalogue and events of `data` in seconds.

    Where fitting the base models of the plan takes seconds, they are fitted on all of today's events. In larger data the
    weights that the full training learned stay, and items that they say nothing of are added from the events around them.

    Args:
        model: what a full training made; its items and users are the first of `data`, in the same order.
        settings: as for fitting.
        data: the present data.
        run: the watcher.

    Raises:
        RecipeError: `data` have fewer items than the model.
    """
    run.report("updating", 0.0)
    if data.num_items < model.num_items:
        raise RecipeError(f"The data have {data.num_items} items, the model {model.num_items}; use FULL training.")
    context = FitContext.of(settings, data, run)
    features, plan = context.item_features, model.plan
    candidates = neighbour_candidates(data.item_counts[: model.num_items])
    neighbours = content_neighbours(features, candidates) if features.shape[1] else None
    kept = [component.enlarged(data.num_items, neighbours) for component in model.components]
    enlarged = StackedModel(model.recipe, data.num_items, kept, plan)
    run.report("updating", 0.3)
    if plan is not None and plan.weights and settings.ridges and _is_quick(plan, data):
        held_out = open_fit(settings, data, replace(run, max_seconds=None), plan.max_events)
        updated = build(model.recipe, held_out, replace(plan, network=None), before=enlarged)
    else:
        updated = _refreshed(enlarged, context)
    run.report("updating", 1.0)
    return updated


def relearn_stack(model: StackedModel, settings: Settings, data: TrainingData, run: Run) -> StackedModel | None:
    """The plan of `model` without its network, fitted on other `data`; None where that takes more than seconds."""
    plan = model.plan
    if plan is None or not plan.weights or not settings.ridges or not len(data.interactions):
        return None
    if not _is_quick(plan, data) or run.seconds_left < MAX_SECONDS:
        return None
    unwatched = Run(seed=run.seed)
    held_out = open_fit(settings, data, unwatched, plan.max_events)
    return build(model.recipe, held_out, replace(plan, network=None))


def _is_quick(plan: Plan, data: TrainingData) -> bool:
    """Whether the plan's base models can be fitted within seconds."""
    members = min(MAX_DENSE_ITEMS, int((data.item_counts > 0).sum()))
    ridges = {model.weights for model in plan.base_models.values() if model.kind == "ridge"}
    seconds = len(ridges) * SOLVE_COST * members**3 / FLOPS_PER_SECOND
    return len(data.interactions) <= MAX_EVENTS and seconds <= MAX_SECONDS


def _refreshed(model: StackedModel, context: FitContext) -> StackedModel:
    """The components as they were learned, with today's counts."""
    histories, plan = context.training_histories(), model.plan
    anew = (Context, UnknownItems, YoungItems)
    components = [part.refreshed(histories, context) for part in model.components if not isinstance(part, anew)]
    repeats = next((part for part in components if isinstance(part, Repeats)), None)
    if plan is not None:
        components += with_young(plan, histories, context, repeats, model)
    return StackedModel(model.recipe, context.num_items, completed(components, context), plan)
