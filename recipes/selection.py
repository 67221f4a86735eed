"""Which components a data set deserves: candidates are fitted without the held-out events, judged and mixed on those,
and what stays in the mix is fitted again with everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from recipes.base import Floats
from recipes.blending import NEVER, Blend, Parts, Validation, quality, search, shortlist
from recipes.likeness import content_neighbours
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.relevance import Components
from recipes.sequence_ridge import Kernel, SequenceRidge
from recipes.workshop import Candidate, Workshop

if TYPE_CHECKING:
    from recipes.recurrence_fit import TrainedNetwork

FLOPS_A_SECOND = 60e9
RIDGE_SHARE = 0.2  # of a time budget that trying ridges may take; fitting the chosen ones again takes as much at most
MOST_RIDGES = 3  # in a blend: each is fitted again and read for every answer
FAST_SECONDS = 3.0  # of work that the fast mode plans on ridges
LEAST_SECONDS = 3.0  # for which training a network is worth beginning
SWEEPS = 3


def choose(workshop: Workshop) -> Components:
    """Fit candidates without the held-out events, blend them, refit those in the blend with everything."""
    if workshop.settings.ridges and planned_ridges(workshop) <= 1:
        return without_trials(workshop)
    trial, tried, linear, found = _try_ridges(workshop)
    for name, part in trial.others().items():
        linear[name] = workshop.scores(part)
        linear[name] /= _mass(linear[name])
    network = _network(workshop) if _wants_network(workshop) else None
    trial.network = network.scorer if network else None
    seen = workshop.asked.seen
    parts = Parts(linear, _logarithmic(workshop, trial), seen, workshop.rates[seen.lag, seen.count])
    blend = _blend(workshop, *shortlist(workshop.asked, parts), found)
    return follow(workshop, Plan(tried, blend, trial.source, network))


def without_choice(workshop: Workshop) -> Components:
    """Too little data to hold any back: one ridge and a little popularity, or the network alone."""
    floor = 0.3 / workshop.num_items
    if not workshop.settings.ridges:
        return Components(network=_network(workshop).scorer, blend=Blend({}, {"network": 1.0}, floor=floor))
    ridge = workshop.fit_ridge(Candidate(Kernel(workshop.settings.window, 0.8, 1), 1.0), workshop.histories)
    return Components({"next": ridge}, blend=Blend({"next": 1.0}, {"popularity": 0.1}, floor=floor))


def without_trials(workshop: Workshop) -> Components:
    """No time to try anything: the ridge that does well most often, on everything; what the data say of repeats."""
    ridge = workshop.fit_ridge(
        Candidate(Kernel(workshop.settings.window, 0.8, 5), _strength(workshop)), workshop.histories
    )
    repeating = workshop.validation.repeating
    final = Components({"coming": ridge})
    if len(workshop.members) < workshop.num_items:
        final.transitions = workshop.fit_transitions(workshop.histories)
    histories = workshop.validation.histories
    few = histories.rows(0, min(len(histories), 100))
    weights = {name: 1 / float(_mass(scores)) for name, scores in final.linear(few).items()}
    final.blend = Blend(
        weights, {}, 1.0 if repeating else 0.0, 0.0 if repeating else NEVER, floor=0.3 / workshop.num_items
    )
    return final


def planned_ridges(workshop: Workshop) -> int:
    """How many candidates the size of the data allows."""
    events, window = len(workshop.histories.item_index), workshop.settings.window
    cost = 2.4 * len(workshop.members) ** 3 + 1500 * events * window
    seconds = FAST_SECONDS if workshop.settings.mode == "fast" else 10 + 30 * events / 1e6
    return int(FLOPS_A_SECOND * seconds / cost)


def candidates(workshop: Workshop, found: Mapping[str, float]) -> Iterator[tuple[str, Candidate]]:
    """Ridges worth trying, the most promising first; the last ones follow what was `found` of the first."""
    window, strength = workshop.settings.window, _strength(workshop)
    tried = {
        "coming": Candidate(Kernel(window, 0.8, 5), strength),
        "last": Candidate(Kernel(window, 0.5, 1), strength / 2),
        "profile": Candidate(Kernel(100, 0.98, profile=True), 5 * strength, 0.3),
        "next": Candidate(Kernel(window, 0.8, 1), strength),
    }
    yield from tried.items()
    if found["last"] > found["coming"]:
        yield "just now", Candidate(Kernel(min(window, 8), 0.3, 1), strength / 2)
    else:
        tried["lately"] = Candidate(Kernel(window, 0.9, 10, 0.9), strength, 0.3)
        yield "lately", tried["lately"]
        yield "lifetime", Candidate(Kernel(400, 1.0, profile=True), 2 * strength, 0.5)
    best = max(tried, key=lambda name: found.get(name, 0.0))
    for label, factor in (("stronger", 4.0), ("weaker", 0.25)):
        yield f"{best} {label}", replace(tried[best], ridge=tried[best].ridge * factor)
        if found[f"{best} {label}"] > found[best]:
            return


def _strength(workshop: Workshop) -> float:
    return float(np.clip(len(workshop.histories.item_index) / 10_000, 10.0, 100.0))


def _try_ridges(workshop: Workshop) -> tuple[Components, dict[str, Candidate], dict[str, Floats], dict[str, float]]:
    """The candidates' scores of the held-out queries and how good each is; only what others build on is kept fitted."""
    trial = Components()
    tried: dict[str, Candidate] = {}
    linear: dict[str, Floats] = {}
    found: dict[str, float] = {}
    if not workshop.settings.ridges:
        return trial, tried, linear, found
    planned, run, begun = planned_ridges(workshop), workshop.run, workshop.run.seconds_left
    for name, candidate in candidates(workshop, found):
        ridge = workshop.fit_ridge(candidate, workshop.remaining)
        scores = workshop.scores(ridge)
        scores /= _mass(scores)
        tried[name], linear[name] = candidate, scores
        found[name] = quality(workshop.asked, scores.copy())
        run.report("validating", message=f"Ridge {name}: {found[name]:.4f}")
        if found[name] == max(found.values()):
            trial.ridges, trial.source = {name: ridge}, name
        if len(found) >= planned or run.seconds_left < (1 - RIDGE_SHARE) * begun:
            break
    if len(workshop.members) < workshop.num_items:
        trial.transitions = workshop.fit_transitions(workshop.remaining)
    if workshop.users.shape[1]:
        trial.audience = workshop.fit_audience(workshop.remaining)
    if workshop.features.shape[1]:
        trial.content = content_neighbours(workshop.features, workshop.members)
    return trial, tried, linear, found


@dataclass(frozen=True)
class Plan:
    """What was chosen for a data set.

    Attributes:
        tried: the ridges by name.
        blend: its weights are for parts whose scores add up to 1.
        source: the ridge that content neighbours speak through.
        network: trained without the held-out events, or None.
    """

    tried: dict[str, Candidate]
    blend: Blend
    source: str
    network: TrainedNetwork | None


def follow(workshop: Workshop, plan: Plan) -> Components:
    """The components in the plan's blend, fitted on everything; ridges that read a history alike become one."""
    blend, tried = plan.blend, plan.tried
    used = {name for name, weight in (*blend.linear.items(), *blend.logarithmic.items()) if weight}
    if "content" in used:
        used.add(plan.source)
    weights = {name: weight for name, weight in blend.linear.items() if name in used and name not in tried}
    final = Components(
        {},
        workshop.fit_transitions(workshop.histories) if "transitions" in used else None,
        workshop.fit_audience(workshop.histories) if "audience" in used else None,
        _continued(workshop, plan.network) if plan.network and "network" in used else None,
        content_neighbours(workshop.features, workshop.members) if "content" in used else None,
        plan=plan,
    )
    alike: dict[tuple[int, float], str] = {}
    for name in sorted(used & tried.keys()):
        ridge = workshop.fit_ridge(tried[name], workshop.histories)
        share = blend.linear.get(name, 0.0) / float(_mass(workshop.scores(ridge)))
        kind = (ridge.kernel.window, ridge.kernel.decay)
        host = alike.setdefault(kind, name)
        if host in final.ridges:
            ridge = _sum(final.ridges[host], weights[host], ridge, share)
            share = 1.0
        final.ridges[host], weights[host] = ridge, share
        if name == plan.source:
            final.source = host
    for name, part in final.others().items():
        weights[name] /= float(_mass(workshop.scores(part)))
    final.blend = replace(blend, linear=weights)
    return final


def _sum(first: SequenceRidge, first_weight: float, second: SequenceRidge, second_weight: float) -> SequenceRidge:
    total = first.weights * np.float32(first_weight)
    total += second.weights * np.float32(second_weight)
    return replace(first, weights=total)


def _mass(scores: Floats) -> np.float32:
    """What a row's positive scores add up to on average; dividing by it makes components comparable."""
    return np.float32(max(1e-9, float(np.maximum(scores, 0).sum(axis=1).mean())))


def _logarithmic(workshop: Workshop, trial: Components) -> dict[str, Floats]:
    columns = workshop.columns
    shape = (len(workshop.asked.histories), len(columns))
    parts = {
        "popularity": np.broadcast_to(workshop.priors.popularity[columns], shape),
        "trend": np.broadcast_to(workshop.priors.trend[columns], shape),
    }
    if trial.network is not None:
        parts["network"] = workshop.scores(trial.network)
    return parts


def _network(workshop: Workshop) -> TrainedNetwork:
    from recipes.recurrence_fit import fit_network  # noqa: PLC0415  torch is loaded only when a network is trained

    return fit_network(workshop)


def _continued(workshop: Workshop, network: TrainedNetwork) -> RecurrenceScorer:
    from recipes.recurrence_fit import continue_network  # noqa: PLC0415

    return continue_network(workshop, network) if workshop.run.seconds_left > 1 else network.scorer


def _wants_network(workshop: Workshop) -> bool:
    """Whether a network may be used and there is time for it; without ridges it must be."""
    if not workshop.settings.ridges:
        return True
    return workshop.settings.network and workshop.settings.mode != "fast" and workshop.run.seconds_left > LEAST_SECONDS


def _blend(workshop: Workshop, validation: Validation, parts: Parts, found: dict[str, float]) -> Blend:
    """Coordinate search from the best ridge: other ridges, the network, popularity, repeats, and all once more."""
    run = workshop.run
    ordered = sorted(parts.linear, key=lambda name: -found.get(name, 0.0))
    full = workshop.settings.mode == "full"
    start = Blend(
        dict.fromkeys(ordered[:1], 1.0),
        {} if ordered else {"network": 1.0},
        floor=0.3 / workshop.num_items,
        seen=0.0 if validation.repeating else NEVER,
    )
    grids: dict[str, tuple[float, ...]] = {}
    if "network" in parts.logarithmic and ordered:
        start = replace(start, logarithmic={"network": 0.1} if full else {})
        grids["network"] = (*(() if full else (0.0,)), 0.15, 0.3, 0.6, 1.0, 1.5)
    grids |= dict.fromkeys(ordered[1:], (0.0, 0.15, 0.4, 1.0, 2.5, 5.0))
    grids["popularity"] = (-0.3, -0.15, 0.0, 0.15, 0.3)
    if workshop.settings.recency:
        grids["trend"] = (0.0, 0.15, 0.3, 0.6)
    if validation.repeating:
        grids |= {"repeat": (0.0, 0.3, 1.0, 3.0, 10.0, 30.0), "seen": (-3.0, -1.0, -0.3, 0.0, 0.3, 1.0)}
    blend, reached = start, 0.0
    for sweep in range(SWEEPS):
        blend, reached = search(validation, parts, blend, grids, partial(run.report, "blending", sweep / SWEEPS))
        blend, grids = _pruned(blend, grids, found)
    run.report("blending", 1.0, message=f"Chosen, at {reached:.4f}: {blend.told()}")
    return blend


def _pruned(
    blend: Blend, grids: Mapping[str, tuple[float, ...]], found: Mapping[str, float]
) -> tuple[Blend, dict[str, tuple[float, ...]]]:
    """The blend with its heaviest ridges only, and what is left to search."""
    ridges = sorted((name for name in blend.linear if name in found), key=lambda name: -blend.linear[name])
    dropped = {name for name in ridges[MOST_RIDGES:] if name in grids}
    kept = {name: weight for name, weight in blend.linear.items() if name not in dropped}
    fresh = {name for name in found if name not in ridges[:MOST_RIDGES]}
    left = {name: weights for name, weights in grids.items() if name not in fresh or len(ridges) < MOST_RIDGES}
    return replace(blend, linear=kept), left
