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
from recipes.components.item_weights import ItemWeights
from recipes.components.popularity import UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.components.young_items import YoungItems
from recipes.data import TrainingData
from recipes.numerics.machine import FLOPS_PER_SECOND, SOLVE_COST, idle_threads
from recipes.run import Run
from recipes.stacking.fit import build, check_events, completed, open_fit, opened, with_young
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
        RecipeError: `data` have fewer items than the model, or no interactions.
    """
    with idle_threads():
        return _updated(model, settings, data, run)


def _updated(model: StackedModel, settings: Settings, data: TrainingData, run: Run) -> StackedModel:
    run.report("updating", 0.0)
    check_events(data)
    if data.num_items < model.num_items:
        raise RecipeError(f"The data have {data.num_items} items, the model {model.num_items}; use FULL training.")
    plan = model.plan
    is_quick = plan is not None and bool(plan.weights) and settings.ridges and _is_quick(plan, data)
    context = FitContext.of(settings, data, replace(run, max_seconds=None) if is_quick else run)
    enlarged = _enlarged(model, context, is_quick)
    run.report("updating", 0.3)
    if plan is not None and is_quick:
        updated = build(model.recipe, opened(context, plan.max_events), replace(plan, network=None), before=enlarged)
    else:
        updated = _refreshed(enlarged, context)
    run.report("updating", 1.0)
    return updated


def _enlarged(model: StackedModel, context: FitContext, is_quick: bool) -> StackedModel:
    """The same components over today's catalogue; of what is fitted anew, nothing is looked for in metadata."""
    neighbours, features = None, context.item_features
    reaching = (Recurrent,) if is_quick else (Recurrent, ItemWeights)
    if features.shape[1] and any(isinstance(part, reaching) for part in model.components):
        neighbours = content_neighbours(features, neighbour_candidates(context.data.item_counts[: model.num_items]))
    kept = [component.enlarged(context.num_items, neighbours) for component in model.components]
    return StackedModel(model.recipe, context.num_items, kept, model.plan)


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
    if plan is not None:
        components += with_young(model.recipe, plan, histories, context, components, model)
    return StackedModel(model.recipe, context.num_items, completed(components, context), plan)
