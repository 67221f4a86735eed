"""The relevance engine's fitting side: prepares sequences, fits candidate components, chooses and mixes them on held-out
events, and refits what was chosen on everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from recipes.base import Floats, Indexes, Recipe, RecipeError, Run
from recipes.blending import NEVER, Blend, Parts, Validation, hold_out, quality, search
from recipes.data import Histories, TrainingData
from recipes.relevance import UNKNOWN, Priors, RelevanceModel
from recipes.repeats import repeat_rates, seen_items
from recipes.sequence_ridge import MAX_DENSE_ITEMS, Kernel, Moments, SequenceRidge, solve

RECENT = 0.1  # newest share of the time span that counts as recent
LONGEST = 500  # newest events of a user that are trained on, at most


@dataclass(frozen=True)
class Settings:
    """What a recipe's hyperparameters mean to the engine.

    Attributes:
        hidden_dimension: width of the network's recurrent state.
        window: how many of the newest events a sequence component looks back (AWS's bptt).
        recency: whether recent popularity may weigh in.
        min_percentile, max_percentile: users with shorter histories are left out, longer histories are cut.
        mode: "auto", "fast" (closed form only) or "full".
        ridges, network, metadata: which kinds of component may be used.
    """

    hidden_dimension: int = 149
    window: int = 32
    recency: bool = True
    min_percentile: float = 0.0
    max_percentile: float = 0.99
    mode: str = "auto"
    ridges: bool = True
    network: bool = True
    metadata: bool = True


@dataclass(frozen=True)
class Candidate:
    """One ridge to try: its kernel, λ and the dropout share."""

    kernel: Kernel
    ridge: float
    dropout: float


def fit_relevance(recipe: Recipe, settings: Settings, data: TrainingData, run: Run) -> RelevanceModel:
    """Fit the whole engine on `data`.

    Raises:
        RecipeError: there are no interactions.
        StopRequested: passed on from the watcher.
    """
    run.report("preparing", 0.0)
    if not len(data.interactions):
        raise RecipeError("There are no interactions to learn from.")
    histories = training_histories(data, settings)
    priors = make_priors(data, settings)
    validation = hold_out(histories, data.num_items, run.seed)
    rates = _rates(histories, validation, data.num_items)
    if len(validation.row) < 10:
        return _without_choice(recipe, settings, data, histories, priors, rates, run)
    ridges, blend = choose(settings, data, histories, validation, priors, rates, run)
    return RelevanceModel(recipe, data.num_items, ridges, priors, rates, blend)


def training_histories(data: TrainingData, settings: Settings) -> Histories:
    """The users' histories that are trained on: long ones cut to their newest events, short ones left out, as set."""
    histories = data.histories()
    sizes = np.diff(histories.offsets)
    known = sizes[sizes > 0]
    shortest = np.quantile(known, settings.min_percentile) if settings.min_percentile > 0 else 1
    longest = np.quantile(known, settings.max_percentile) if settings.max_percentile < 1 else known.max()
    histories = histories.tail(int(np.clip(np.ceil(longest), 2, LONGEST)))
    return histories.keep(np.repeat(sizes >= shortest, np.diff(histories.offsets)))


def make_priors(data: TrainingData, settings: Settings) -> Priors:
    """Popularity, all of it and of late."""
    counts = data.item_counts.astype(np.float64)
    share = (counts + 0.5) / (counts.sum() + 0.5 * data.num_items)
    times = data.interactions.timestamp
    newest, span = int(times.max()), max(1, int(times.max() - times.min()))
    age = (newest - times) / (span * RECENT)
    recent = np.bincount(data.interactions.item_index, np.exp(-age), minlength=data.num_items)
    strength = 20.0  # events' worth of belief in the overall share
    recent_share = (recent + strength * share) / (recent.sum() + strength)
    popularity, trend = np.log(share), np.log(recent_share / share)
    fallback = popularity + (trend if settings.recency else 0.0)
    unknown = np.where(counts > 0, 0.0, UNKNOWN)
    return Priors(*(array.astype(np.float32) for array in (popularity, trend, fallback + unknown, unknown)))


def _rates(histories: Histories, validation: Validation, num_items: int) -> Floats:
    """Repeat rates at a few late positions of the training part of each history."""
    row = histories.row
    position = np.arange(len(histories.item_index)) - histories.offsets[row]
    tables = []
    for back in (1, 2, 4):
        at = validation.ends - back
        asked = np.flatnonzero(at >= 1)[:3000]
        part = histories.keep((position < at[row]) & np.isin(row, asked))
        part = replace(
            part,
            offsets=part.offsets[np.concatenate([asked, asked[-1:] + 1])] if len(asked) else part.offsets[:1],
            user_index=part.user_index[asked],
        )
        if len(asked):
            tables.append(repeat_rates(part, histories.item_index[histories.offsets[asked] + at[asked]], num_items))
    return np.mean(tables, axis=0, dtype=np.float32) if tables else np.zeros((12, 6), np.float32)


def candidates(settings: Settings, num_events: int) -> Iterator[Candidate]:
    """Ridges worth trying, the most promising first."""
    window = settings.window
    strength = float(np.clip(num_events / 10_000, 10.0, 100.0))
    yield Candidate(Kernel(window, 0.8, 1), strength, 0.0)
    yield Candidate(Kernel(200, 0.98, 1, profile=True), 5 * strength, 0.3)
    yield Candidate(Kernel(window, 0.8, 5), strength, 0.0)
    yield Candidate(Kernel(window, 0.9, 10, 0.9), strength, 0.3)
    yield Candidate(Kernel(window, 0.5, 1), strength / 2, 0.0)
    yield Candidate(Kernel(1000, 1.0, 1, profile=True), 2 * strength, 0.5)


def choose(
    settings: Settings,
    data: TrainingData,
    histories: Histories,
    validation: Validation,
    priors: Priors,
    rates: Floats,
    run: Run,
) -> tuple[dict[str, SequenceRidge], Blend]:
    """Fit candidates without the held-out events, blend them, refit those in the blend with everything."""
    members = _members(data)
    seen = validation.seen
    kept, linear, moments, best = {}, {}, {}, -1.0
    for number, candidate in enumerate(candidates(settings, len(data.interactions))):
        begun = monotonic()
        made = _moments(candidate.kernel, histories, validation, members, data.num_items, run)
        ridge = SequenceRidge.of(
            candidate.kernel, solve(made, candidate.kernel, candidate.ridge, candidate.dropout), members, data.num_items
        )
        scores = ridge.score(validation.histories)
        scores /= np.float32(max(1e-9, float(np.maximum(scores, 0).sum(axis=1).mean())))
        found = quality(validation, scores.copy())
        name = f"ridge{number}"
        kept[name], linear[name] = candidate, scores
        run.report("validating", message=f"{name} {candidate} {found:.4f} {monotonic() - begun:.1f}s")
        del moments, ridge
        moments = {}
    shape = (len(validation.histories), data.num_items)
    logarithmic = {
        "popularity": np.broadcast_to(priors.popularity, shape),
        "trend": np.broadcast_to(priors.trend, shape),
    }
    parts = Parts(linear, logarithmic, seen, rates[seen.lag, seen.count])
    ordered = sorted(linear, key=lambda name: -quality(validation, linear[name].copy()))
    blend = Blend({ordered[0]: 1.0}, {}, floor=0.3 / data.num_items, seen=0.0 if validation.repeating else NEVER)
    grids: dict[str, tuple[float, ...]] = {name: (0.15, 0.4, 1.0, 2.5) for name in ordered[1:]}
    grids |= {"popularity": (-0.3, -0.15, 0.15, 0.3, 0.6)}
    if settings.recency:
        grids |= {"trend": (0.15, 0.3, 0.6, 1.0)}
    if validation.repeating:
        grids |= {"repeat": (0.3, 1.0, 3.0), "seen": (-3.0, -1.0, -0.3, 0.3, 1.0)}
    blend, best = search(validation, parts, blend, grids, lambda: run.report("blending"))
    run.report("blending", 1.0, message=f"{blend} {best:.4f}")
    ridges, weights = {}, {}
    for name, weight in blend.linear.items():
        if not weight:
            continue
        candidate = kept[name]
        whole = _moments(candidate.kernel, histories, None, members, data.num_items, run)
        ridges[name] = SequenceRidge.of(
            candidate.kernel,
            solve(whole, candidate.kernel, candidate.ridge, candidate.dropout),
            members,
            data.num_items,
        )
        scores = ridges[name].score(validation.histories)
        weights[name] = weight / max(1e-9, float(np.maximum(scores, 0).sum(axis=1).mean()))
    return ridges, replace(blend, linear=weights)


def _members(data: TrainingData) -> Indexes:
    """The items a dense ridge knows: all that occur, or the most frequent where there are too many."""
    counts = data.item_counts
    order = np.argsort(-counts, kind="stable")[:MAX_DENSE_ITEMS]
    return np.sort(order) if data.num_items <= MAX_DENSE_ITEMS else np.sort(order[counts[order] > 0])


def _moments(
    kernel: Kernel, histories: Histories, validation: Validation | None, members: Indexes, num_items: int, run: Run
) -> Moments:
    position = np.full(num_items, -1, np.int64)
    position[members] = np.arange(len(members))
    if validation is not None:
        row = histories.row
        within = np.arange(len(row)) - histories.offsets[row]
        histories = histories.keep(within < validation.ends[row])
    moments = Moments.zeros(len(members))
    moments.add(kernel, position[histories.item_index], histories.offsets, run)
    return moments


def _without_choice(
    recipe: Recipe,
    settings: Settings,
    data: TrainingData,
    histories: Histories,
    priors: Priors,
    rates: Floats,
    run: Run,
) -> RelevanceModel:
    """Too little data to hold any back: one ridge and a little popularity."""
    members = _members(data)
    candidate = next(iter(candidates(settings, len(data.interactions))))
    moments = _moments(candidate.kernel, histories, None, members, data.num_items, run)
    ridge = SequenceRidge.of(candidate.kernel, solve(moments, candidate.kernel, 1.0, 0.0), members, data.num_items)
    blend = Blend({"ridge": 1.0}, {"popularity": 0.1}, floor=0.3 / data.num_items)
    return RelevanceModel(recipe, data.num_items, {"ridge": ridge}, priors, rates, blend)
