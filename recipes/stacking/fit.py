"""Fits a stack: cross-predicts base models on held-out events, weights them by the meta-model, fits the chosen ones on everything.

1. Some users' newest events are held out (`recipes.stacking.holdout`).
2. The base models that time allows are fitted without them and score the held-out queries.
3. The meta-model finds the weights (`recipes.stacking.meta_model`); what gets none is left out. That is the `Plan`.
4. The plan's base models are fitted on all events and become components (`recipes.components`) with their weights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from recipes.base import Recipe, RecipeError
from recipes.components.content_knn import content_neighbours, neighbour_candidates
from recipes.components.context import count_context
from recipes.components.contract import Component
from recipes.components.cooccurrence_knn import inside
from recipes.components.fit_context import FitContext, Settings
from recipes.components.item_weights import DenseWeights, ItemWeights, SparseWeights
from recipes.components.popularity import Popularity, UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.components.repeats import Repeats
from recipes.components.user_ridge import UserRidge
from recipes.components.window_kernel import WindowKernel
from recipes.components.young_items import YoungItems
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.machine import suitable_threads
from recipes.recurrent.scorer import RecurrentScorer
from recipes.run import Run
from recipes.stacking.base_models import FAST_SECONDS, BaseModel, Fitted, affordable, fit_all
from recipes.stacking.cold_items import calibrated, withhold
from recipes.stacking.holdout import HeldOut
from recipes.stacking.meta_model import CrossPredictions, MetaModel, fit_meta_model, less_popular
from recipes.stacking.model import StackedModel
from recipes.stacking.plan import Plan, TrainedNetwork
from recipes.stacking.trial import Trial, fit_again, try_base_models, wants_network

MIN_QUERIES = 10  # held-out events needed to choose by
EVENTS_PER_SECOND = 20_000  # that a budget's second affords, from the first count to the last step of the network
MIN_SAMPLE = 200_000  # events that are learned from, however short the time
SMALL_SHARE = 0.03  # of the events held out, without which what was fitted for the trial may be kept
MORE_NETWORK_SECONDS = 1.0  # for which going on with it is
CALIBRATION_SECONDS = 4.0  # of the processor, that new items must leave
AFTER_SHARE = 0.2  # of the time left after the trial, for weights and for going on with the network on all events
MAX_AGAIN_SHARE = 0.25  # the same, at most, for fitting base models again
MORE_SHARE = 0.9  # of the time left at last, for going on with the network
MIN_NETWORK_WEIGHT = 0.3  # of the full mode's network, by spread
REFIT_SHARE = 0.5  # of the time left once weights are known, for fitting base models again; the others stay as tried
LEAD_USERS, LEAD_SCORES = 300, 2_000_000  # in which is measured how far ahead the best items seem
META_SHARE = 0.3  # of the time left, for one search for the weights
CONTENT_COST = 0.01  # share of the quality that content neighbours may cost: their value for new items is not measured
TASTE_GAIN = 0.005  # share of the quality that tastes must add to count for items that have events
PERSONAL = ("history", "content", "network", "taste")  # scores that depend on the user


def fit_stack(recipe: Recipe, settings: Settings, data: TrainingData, run: Run) -> StackedModel:
    """Choose, weight and fit base models on `data`.

    Raises:
        RecipeError: there are no interactions.
        StopRequested: passed on from the watcher.
    """
    max_events = _affordable_events(run)
    with suitable_threads(run):
        held_out = open_fit(settings, data, run, max_events)
        if len(held_out.validation.row) < MIN_QUERIES:
            return _without_choice(recipe, held_out)
        plan, fitted = _choose(held_out)
        plan = replace(plan, max_events=max_events)
        return build(recipe, held_out, plan, fitted)


def refit_stack(model: StackedModel, settings: Settings, data: TrainingData, run: Run) -> StackedModel:
    """Fit on all of `data` what was chosen for `model` on a part of it; choose anew if the model holds no plan.

    If the time budget is spent, return `model` unchanged; its catalogue is the same.

    Raises:
        RecipeError: there are no interactions.
        StopRequested: passed on from the watcher.
    """
    plan = model.plan
    if plan is None or model.num_items != data.num_items or (plan.network is None and plan.meta.weights.get("network")):
        return fit_stack(model.recipe, settings, data, run)
    try:
        _hold_to(run, plan.seconds)
        with suitable_threads(run):
            held_out = open_fit(settings, data, run, plan.max_events)
            models = fit_all(plan.base_models, held_out.histories, held_out.context, lambda _: _hold_to(run))
            return build(model.recipe, held_out, plan, models)
    except OutOfTimeError:
        run.report("fitting", message="No time to fit again with the events held out: the model measured will serve.")
        return model


class OutOfTimeError(Exception):
    """The time budget is spent before the base models are fitted again."""


def _hold_to(run: Run, seconds: float = 0.0) -> None:
    """See that so many seconds are left of the budget.

    Raises:
        OutOfTimeError: they are not.
    """
    if run.max_seconds is not None and run.seconds_left <= seconds:
        raise OutOfTimeError


def _affordable_events(run: Run) -> int | None:
    """How many events there is time to learn from as carefully as from few; None without a budget."""
    return None if run.max_seconds is None else max(MIN_SAMPLE, int(EVENTS_PER_SECOND * run.seconds_left))


def open_fit(settings: Settings, data: TrainingData, run: Run, max_events: int | None = None) -> HeldOut:
    """Prepare features and histories, and hold events out.

    Raises:
        RecipeError: there are no interactions.
    """
    run.report("preparing", 0.0)
    check_events(data)
    return opened(FitContext.of(settings, data, run), max_events)


def check_events(data: TrainingData) -> None:
    """See that there is something to learn from.

    Raises:
        RecipeError: there are no interactions.
    """
    if not len(data.interactions):
        raise RecipeError("There are no interactions to learn from.")


def opened(context: FitContext, max_events: int | None = None) -> HeldOut:
    """Prepare histories, and hold events out."""
    histories, run = context.training_histories(), context.run
    events = len(histories.item_index)
    if max_events is not None and events > max_events:
        histories = sampled_users(histories, max_events, run.seed)
        message = f"There is time to learn from {len(histories.item_index):,} of {events:,} events: those of users drawn at random."
        run.report("preparing", message=message)
    held_out = HeldOut.of(context, histories)
    run.report("preparing", 1.0)
    return held_out


def sampled_users(histories: Histories, max_events: int, seed: int) -> Histories:
    """Sample users at random until their events reach `max_events`; empty the histories of all others."""
    sizes = np.diff(histories.offsets)
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = np.zeros(len(sizes), bool)
    chosen[order[np.cumsum(sizes[order]) <= max_events]] = True
    return histories.keep(np.repeat(chosen, sizes))


def _choose(held_out: HeldOut) -> tuple[Plan, Iterable[tuple[str, Fitted]]]:
    """Try base models and weight them; also those of the plan fitted on all events, as far as there is time."""
    context, run = held_out.context, held_out.context.run
    models, estimate = affordable(context, held_out.histories) if context.settings.ridges else ({}, 0.0)
    is_near = context.settings.mode == "fast" and estimate > FAST_SECONDS / 2 and held_out.share < SMALL_SHARE
    trial = try_base_models(held_out, models, keeps=is_near or run.max_seconds is not None)
    network = _train_network(held_out, trial.total_seconds) if wants_network(held_out, trial.slowness) else None
    plan = _weighted(held_out, {name: models[name] for name in trial.scores}, trial, network)
    plan = replace(plan, seconds=trial.total_seconds)
    if is_near:
        return plan, trial.fitted.items()
    return plan, fit_again(plan.base_models, trial, held_out, run.share(REFIT_SHARE))


def _weighted(held_out: HeldOut, models: dict[str, BaseModel], trial: Trial, network: TrainedNetwork | None) -> Plan:
    """Fit the meta-model on all scores; then on the weighted sum of the base models against its content neighbours' sum."""
    scores, others = trial.scores, _other_scores(held_out, network)
    has_time = held_out.context.run.seconds_left > CALIBRATION_SECONDS * trial.slowness
    withheld = withhold(held_out) if models and has_time else None
    if withheld is not None and withheld.tastes.size:
        others["taste"] = withheld.tastes
    ridges = {name for name, model in models.items() if model.kind == "ridge"}
    meta, quality, shares = _meta_model(held_out, scores | others, ridges | {"network", "taste"})
    if "taste" in others:
        plain = {name: other for name, other in others.items() if name != "taste"}
        without = _meta_model(held_out, scores | plain, ridges | {"network"})
        if quality < (1 + TASTE_GAIN) * without[1]:
            (meta, quality, shares), others = without, plain
    weights = {name: meta.weights[name] for name in models if name in meta.weights}
    meta = replace(meta, weights={"history": 1.0} | {k: w for k, w in meta.weights.items() if k not in models})
    sums = (
        {"history": np.sum([np.float32(weights[name]) * scores[name] for name in weights], axis=0)} if weights else {}
    )
    if weights and held_out.context.item_features.shape[1]:
        content = np.asarray(sums["history"] @ _neighbours(held_out.context, held_out.columns), np.float32)
        richer, better, spreads = _meta_model(held_out, sums | {"content": content} | others, PERSONAL)
        if better > (1 - CONTENT_COST) * quality and richer.weights.get("history") and richer.weights.get("content"):
            meta, sums = richer, sums | {"content": content}
            shares = {name: share * spreads["history"] for name, share in shares.items() if name in weights} | spreads
    meta, quality = less_popular(meta, held_out.queries, _predictions(held_out, sums | others))
    named = {name: share for name, share in shares.items() if name != "history"}
    message = f"Chosen, at {quality:.4f}: {in_words(named, meta)}"
    held_out.context.run.report("blending", 1.0, message=message)
    calibration = None
    if withheld is not None:
        calibration = calibrated(held_out, withheld, meta.predict(_predictions(held_out, sums | others)))
    return Plan({name: models[name] for name in weights}, weights, meta, network, calibration=calibration)


def _meta_model(
    held_out: HeldOut, scores: Mapping[str, Floats], core: Collection[str]
) -> tuple[MetaModel, float, dict[str, float]]:
    settings, run = held_out.context.settings, held_out.context.run
    at_least = {"network": MIN_NETWORK_WEIGHT} if settings.mode == "full" or not settings.ridges else {}
    part = run.share(META_SHARE)

    def watch() -> bool:
        run.report("blending", 0.0)
        return part.seconds_left <= 0

    return fit_meta_model(held_out.queries, _predictions(held_out, scores), watch, at_least, core)


def _predictions(held_out: HeldOut, scores: Mapping[str, Floats]) -> CrossPredictions:
    seen = held_out.queries.seen
    return CrossPredictions(scores, seen, held_out.rates[seen.lag, seen.count])


def in_words(shares: Mapping[str, float], meta: MetaModel) -> str:
    """The weights for people who watch, heaviest first.

    >>> in_words({"next": 0.25, "network": 1.0}, MetaModel(seen=-12.0))
    'network 1, next 0.25; items do not repeat'
    """
    ordered = sorted(shares.items(), key=lambda share: -abs(share[1]))
    weights = ", ".join(f"{name} {share:.2g}" for name, share in ordered if abs(share) >= 0.005)
    return f"{weights}; items {'may' if meta.repeat else 'do not'} repeat"


def _other_scores(held_out: HeldOut, network: TrainedNetwork | None) -> dict[str, Floats]:
    """(Q, C) scores by what does not read events item by item; all of it is learned without the held-out events."""
    context, columns = held_out.context, held_out.columns
    shape = (len(held_out.queries.histories), len(columns))
    popularity = Popularity.fit(held_out.training, context)
    scores = {"popularity": np.broadcast_to(popularity.log_share[columns], shape)}
    if context.settings.recency:
        scores["trend"] = np.broadcast_to(popularity.log_rise[columns], shape)
    if context.settings.ridges and context.user_features.shape[1]:
        scores["user ridge"] = held_out.scores(UserRidge.fit(held_out.training, context))
    if network is not None:
        scores["network"] = held_out.scores(network.scorer)
    return scores


def build(
    recipe: Recipe,
    held_out: HeldOut,
    plan: Plan,
    fitted: Iterable[tuple[str, Fitted]] | None = None,
    before: StackedModel | None = None,
) -> StackedModel:
    """Fit the plan's components on all events, or take its base models from `fitted`.

    From a model `before` of the same plan, enlarged to today's catalogue, the network and the items' embedding are kept.
    """
    context, histories, weights = held_out.context, held_out.histories, plan.meta.weights
    models = fitted if fitted is not None else fit_all(plan.base_models, histories, context)
    components: list[Component] = [
        replace(
            Popularity.fit(context.data.interactions, context),
            weight=weights.get("popularity", 0.0),
            rise_weight=weights.get("trend", 0.0),
        )
    ]
    item_weights = _item_weights(context, plan, iter(models))
    components += [item_weights] if item_weights.parts else []
    if weights.get("user ridge"):
        components.append(replace(UserRidge.fit(histories, context), weight=weights["user ridge"]))
    if plan.network is not None and weights.get("network"):
        components.append(Recurrent(_continued(held_out, plan.network), weights["network"]))
    kept = before.component(Recurrent) if before else None
    components += [kept] if kept is not None else []
    components.append(Repeats(held_out.rates, plan.meta.seen, plan.meta.repeat))
    components += with_young(recipe, plan, histories, context, components, before)
    return StackedModel(recipe, context.num_items, completed(components, context), plan)


def with_young(
    recipe: Recipe,
    plan: Plan,
    histories: Histories,
    context: FitContext,
    others: Sequence[Component],
    before: StackedModel | None,
) -> list[Component]:
    """The component of young items beside the others, if the plan has one; it keeps its distance to them in updates."""
    known = before.component(YoungItems) if before else None
    repeats = next((part for part in others if isinstance(part, Repeats)), None)
    if plan.calibration is None or repeats is None:
        return []
    latent = known.cold.latent if known else None
    young = YoungItems.fit(histories, context, plan.calibration, repeats, latent)
    if young is None:
        return []
    users = np.random.default_rng(0).permutation(context.data.num_users)[: max(1, LEAD_SCORES // context.num_items)]
    asked = context.data.histories(np.sort(users[:LEAD_USERS]))
    lead = young.lead_in(StackedModel(recipe, context.num_items, others).score(asked), asked)
    return [young.following(lead, known).weighted(plan.meta.weights.get("taste", 0.0))]


def _without_choice(recipe: Recipe, held_out: HeldOut) -> StackedModel:
    """Too little data to hold any back: one ridge and a little popularity, or the network alone."""
    settings = held_out.context.settings
    if settings.ridges:
        only = {"next": BaseModel(WindowKernel(settings.window, 0.8, 1), ridge=1.0)}
        return build(recipe, held_out, Plan(only, {"next": 10.0}, MetaModel({"history": 1.0, "popularity": 0.1})))
    network = _train_network(held_out)
    components = [
        Popularity.fit(held_out.context.data.interactions, held_out.context),
        Recurrent(network.scorer, 1.0),
        Repeats(held_out.rates),
    ]
    return StackedModel(recipe, held_out.context.num_items, completed(components, held_out.context))


def completed(components: Sequence[Component], context: FitContext) -> list[Component]:
    """The components with those that are counted anew at every fit and update: unknown items, and the request's context."""
    unknown = UnknownItems.fit(context, components)
    counts = count_context(context.data) if context.settings.metadata else None
    return [unknown, *components, *([counts] if counts is not None else [])]


def _item_weights(context: FitContext, plan: Plan, fitted: Iterator[tuple[str, Fitted]]) -> ItemWeights:
    """The weighted sum of the plan's base models: matrices that read a history alike are added up."""
    dense: dict[tuple[int, float], DenseWeights] = {}
    sparse: dict[tuple[int, float], SparseWeights] = {}
    for name, part in fitted:
        if name not in plan.weights:
            continue
        weight, reading = np.float32(plan.weights[name]), plan.base_models[name].reading
        if isinstance(part, DenseWeights):
            before = dense[reading].weights if reading in dense else np.float32(0.0)
            dense[reading] = replace(part, weights=part.weights * weight + before)
        else:
            matrix = part.matrix * weight + (sparse[reading].matrix if reading in sparse else 0)
            sparse[reading] = replace(part, matrix=sp.csr_matrix(matrix, dtype=np.float32))
    for reading in dense.keys() & sparse.keys():
        within, rest = inside(sparse[reading].matrix, dense[reading].position)
        dense[reading] = replace(dense[reading], weights=dense[reading].weights + within)
        sparse[reading] = replace(sparse[reading], matrix=rest)
    weights = plan.meta.weights
    has_content = bool(weights.get("content"))
    return ItemWeights(
        context.num_items,
        tuple(dense.values()),
        tuple(part for part in sparse.values() if part.matrix.nnz),
        _neighbours(context, np.arange(context.num_items)) if has_content else None,
        weights.get("history", 0.0),
        weights.get("content", 0.0),
    )


def _neighbours(context: FitContext, columns: Indexes) -> sp.csr_matrix:
    """Content neighbours among these items."""
    return content_neighbours(context.item_features[columns], neighbour_candidates(context.data.item_counts[columns]))


def _train_network(held_out: HeldOut, seconds: float = 0.0) -> TrainedNetwork:
    """Train for all the time that is left but what comes after: weights, base models, which took `seconds`, and rounds on all events."""
    from recipes.stacking.recurrent_fit import fit_network  # noqa: PLC0415  torch is loaded only when a network is trained

    run = held_out.context.run
    again = min(MAX_AGAIN_SHARE, seconds / max(1e-9, run.seconds_left))
    return fit_network(held_out, run.share(1 - AFTER_SHARE - again))


def _continued(held_out: HeldOut, network: TrainedNetwork) -> RecurrentScorer:
    from recipes.stacking.recurrent_fit import continue_network  # noqa: PLC0415

    run = held_out.context.run.share(MORE_SHARE)
    return continue_network(held_out, network, run) if run.seconds_left > MORE_NETWORK_SECONDS else network.scorer
