"""UPDATE training of the stack: new items, counts, and events with items that no component scores yet, in seconds."""

from __future__ import annotations

from recipes.base import RecipeError
from recipes.components.content_knn import content_neighbours, neighbour_candidates
from recipes.components.context import Context
from recipes.components.fit_context import FitContext, Settings
from recipes.components.popularity import UnknownItems
from recipes.data import TrainingData
from recipes.run import Run
from recipes.stacking.fit import completed
from recipes.stacking.model import StackedModel


def update_stack(model: StackedModel, settings: Settings, data: TrainingData, run: Run) -> StackedModel:
    """Enlarge and refresh every component for the catalogue and counts of `data`.

    What was learned from sequences stays; weights on items that have none are added from the events around them, which is
    how the feedback on explored items arrives.

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
    context = FitContext.of(settings, data, run)
    features = context.item_features
    candidates = neighbour_candidates(data.item_counts[: model.num_items])
    neighbours = content_neighbours(features, candidates) if features.shape[1] else None
    run.report("updating", 0.5)
    histories = context.training_histories()
    learned = [component for component in model.components if not isinstance(component, Context | UnknownItems)]
    components = [component.enlarged(data.num_items, neighbours).refreshed(histories, context) for component in learned]
    run.report("updating", 1.0)
    return StackedModel(model.recipe, data.num_items, completed(components, context))
