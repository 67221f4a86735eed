"""The relevance engine's fitting side: prepares sequences and holds some events out, has components fitted, chosen and mixed
on those (`recipes.stacking.selection`), and makes the model that answers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recipes.base import Recipe, RecipeError
from recipes.components.context import learn_circumstances
from recipes.components.popularity import Priors
from recipes.components.repeats import COUNTS, LAGS, repeat_rates
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats
from recipes.run import Run
from recipes.stacking.fit_context import Settings, Workshop
from recipes.stacking.holdout import Validation, hold_out
from recipes.stacking.model import Components, RelevanceModel
from recipes.stacking.selection import choose, follow, without_choice

LONGEST = 500  # newest events of a user that are trained on, at most
FEWEST = 10  # held-out events needed to choose by
ASKED = 1500  # users of whom events are held out
QUICKLY_ASKED = 500  # in the fast mode, where there are many events
MANY = 500_000  # events
EVENTS_A_SECOND = 20_000  # that a budget's second affords, from the first count to the last step of the network
FEWEST_SAMPLED = 200_000  # events that are learned from, however short the time
RATE_USERS = 3000  # whose histories tell the repeat rates


def fit_relevance(recipe: Recipe, settings: Settings, data: TrainingData, run: Run) -> RelevanceModel:
    """Fit the whole engine on `data`.

    Raises:
        RecipeError: there are no interactions.
        StopRequested: passed on from the watcher.
    """
    most = _affordable(run)
    workshop = _open(settings, data, run, most)
    chosen = choose(workshop) if len(workshop.validation.row) >= FEWEST else without_choice(workshop)
    if chosen.plan is not None:
        chosen.plan = replace(chosen.plan, events=most)
    return _model(recipe, workshop, chosen)


def refit_relevance(model: RelevanceModel, settings: Settings, data: TrainingData, run: Run) -> RelevanceModel:
    """Fit on all of `data` what was chosen for `model` on a part of it; from nothing if it remembers no plan.

    Where there is no time left to fit it, `model` itself, which knows the same catalogue, is the answer.

    Raises:
        RecipeError: there are no interactions.
        StopRequested: passed on from the watcher.
    """
    plan = model.components.plan
    if plan is None or model.num_items != data.num_items:
        return fit_relevance(model.recipe, settings, data, run)
    if run.seconds_left < plan.seconds:
        run.report("fitting", message="No time to fit again with the events held out: the model measured will serve.")
        return model
    workshop = _open(settings, data, run, plan.events)
    return _model(model.recipe, workshop, follow(workshop, plan))


def _affordable(run: Run) -> int | None:
    """How many events there is time to learn from as carefully as from few; None without a budget."""
    return None if run.max_seconds is None else max(FEWEST_SAMPLED, int(EVENTS_A_SECOND * run.seconds_left))


def _open(settings: Settings, data: TrainingData, run: Run, most: int | None = None) -> Workshop:
    run.report("preparing", 0.0)
    if not len(data.interactions):
        raise RecipeError("There are no interactions to learn from.")
    histories = training_histories(data, settings)
    events = len(histories.item_index)
    if most is not None and events > most:
        histories = some_users(histories, most, run.seed)
        told = f"There is time to learn from {len(histories.item_index):,} of {events:,} events: those of users drawn at random."
        run.report("preparing", message=told)
    hurried = settings.mode == "fast" and len(histories.item_index) > MANY
    validation = hold_out(histories, data.num_items, run.seed, QUICKLY_ASKED if hurried else ASKED)
    rates = learn_rates(histories, validation, data.num_items)
    workshop = Workshop.of(settings, data, histories, validation, make_priors(data, settings), rates, run)
    run.report("preparing", 1.0)
    return workshop


def _model(recipe: Recipe, workshop: Workshop, chosen: Components) -> RelevanceModel:
    if workshop.settings.metadata:
        chosen.circumstances = learn_circumstances(workshop.data)
    priors = described(workshop.priors, workshop.features, chosen)
    return RelevanceModel(recipe, workshop.num_items, chosen, priors, workshop.rates)


def described(priors: Priors, features: Floats, components: Components) -> Priors:
    """The priors, items without events not unknown where a component reads their metadata."""
    reads = components.content is not None or components.network is not None
    return priors.with_described(features) if reads else priors


def training_histories(data: TrainingData, settings: Settings) -> Histories:
    """The users' histories that are trained on: long ones cut to their newest events, short ones left out, as set."""
    histories = data.histories()
    sizes = np.diff(histories.offsets)
    known = sizes[sizes > 0]
    shortest = np.quantile(known, settings.min_percentile) if settings.min_percentile > 0 else 1
    longest = np.quantile(known, settings.max_percentile) if settings.max_percentile < 1 else known.max()
    histories = histories.tail(int(np.clip(np.ceil(longest), 2, LONGEST)))
    return histories.keep(np.repeat(sizes >= shortest, np.diff(histories.offsets)))


def some_users(histories: Histories, most: int, seed: int) -> Histories:
    """As many users, drawn at random, as have at most so many events together; the others without any."""
    sizes = np.diff(histories.offsets)
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = np.zeros(len(sizes), bool)
    chosen[order[np.cumsum(sizes[order]) <= most]] = True
    return histories.keep(np.repeat(chosen, sizes))


def make_priors(data: TrainingData, settings: Settings) -> Priors:
    """Popularity, all of it and of late."""
    events = data.interactions
    return Priors.of(events.item_index, events.timestamp, events.weight, data.num_items, recency=settings.recency)


def learn_rates(histories: Histories, validation: Validation, num_items: int) -> Floats:
    """Repeat rates at a few late positions of the training part of each history."""
    row = histories.row
    position = np.arange(len(histories.item_index)) - histories.offsets[row]
    tables = []
    for back in (1, 2, 4):
        at = validation.ends - back
        asked = np.flatnonzero(at >= 1)[:RATE_USERS]
        if len(asked):
            kept = histories.keep((position < at[row]) & np.isin(row, asked))
            known = replace(
                kept,
                offsets=kept.offsets[np.concatenate([asked, asked[-1:] + 1])],
                user_index=kept.user_index[asked],
            )
            tables.append(repeat_rates(known, histories.item_index[histories.offsets[asked] + at[asked]], num_items))
    return np.mean(tables, axis=0, dtype=np.float32) if tables else np.zeros((LAGS, COUNTS), np.float32)
