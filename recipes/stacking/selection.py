"""Which components a data set deserves: candidates are fitted without the held-out events, mixed on those, and what
stays in the mix is fitted again with everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import scipy.sparse as sp

from recipes.components.content_knn import content_neighbours, speakers
from recipes.components.cooccurrence_knn import inside
from recipes.components.popularity import Priors
from recipes.components.sequence_ridge import Kernel, SequenceRidge
from recipes.components.sparse_ridge import Transitions
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.recurrent.scorer import RecurrenceScorer
from recipes.run import Run
from recipes.stacking.base_models import FAST_SECONDS, FLOPS_A_SECOND, TRIAL_SHARE, Candidate, flops_a_second, planned
from recipes.stacking.fit_context import Workshop
from recipes.stacking.meta_model import Blend, Parts, learn_blend, widened
from recipes.stacking.model import Components

if TYPE_CHECKING:
    from recipes.stacking.recurrent_fit import TrainedNetwork

FEW_HELD = 0.03  # share of the events, without which what was learned may answer
LEAST_SECONDS = 4.0  # of a machine at rest, for which training a network is worth beginning
LEAST_MORE_SECONDS = 1.0  # the same, going on with it
LEAST_NETWORK = 0.3  # what the full mode's network says at least
REFIT_SHARE = 0.3  # of the time left after trying, which fitting again may take; else what was tried answers
CONTENT_COST = 0.01  # share of the quality that likeness in content may cost: what it says of new items is not measured
PERSONAL = ("history", "content", "network")  # what is about this user, not about everybody
Fitted: TypeAlias = SequenceRidge | Transitions


@dataclass(frozen=True)
class Plan:
    """What was chosen for a data set.

    Attributes:
        tried: the chosen candidates by name.
        weights: what each of them counts in the sum that speaks for the history.
        blend: of that sum, which it calls "history", and everything else.
        network: trained without the held-out events, or None.
        seconds: that trying took, which is longer than fitting the chosen ones.
        events: how many there was time to learn from, None if all.
    """

    tried: dict[str, Candidate] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    blend: Blend = field(default_factory=Blend)
    network: TrainedNetwork | None = None
    seconds: float = 0.0
    events: int | None = None


def choose(workshop: Workshop) -> Components:
    """Fit candidates without the held-out events, blend them, refit those in the blend with everything."""
    tried, seconds = planned(workshop) if workshop.settings.ridges else ({}, 0.0)
    # no time to fit anything twice: what is learned without the few held-out events answers
    held = 1 - len(workshop.remaining.item_index) / len(workshop.histories.item_index)
    hurried = workshop.settings.mode == "fast" and seconds > FAST_SECONDS / 2 and held < FEW_HELD
    has_budget = workshop.run.max_seconds is not None
    kept: list[tuple[str, Fitted]] = []
    began = monotonic()
    scores = _try(workshop, tried, kept if hurried or has_budget else None)
    seconds = monotonic() - began
    if has_budget and not hurried:
        hurried = seconds > REFIT_SHARE * workshop.run.seconds_left
        kept = kept if hurried else []
    network = _network(workshop) if _wants_network(workshop) else None
    plan = replace(_plan(workshop, {name: tried[name] for name in scores}, scores, network), seconds=seconds)
    return assemble(workshop, plan, iter(kept)) if hurried else follow(workshop, plan)


def without_choice(workshop: Workshop) -> Components:
    """Too little data to hold any back: one ridge and a little popularity, or the network alone."""
    if not workshop.settings.ridges:
        return Components(network=_network(workshop).scorer, blend=Blend({"network": 1.0}))
    only = {"next": Candidate(Kernel(workshop.settings.window, 0.8, 1), ridge=1.0)}
    return assemble(
        workshop,
        Plan(only, {"next": 10.0}, Blend({"history": 1.0, "popularity": 0.1})),
        _fit(workshop, only, workshop.histories),
    )


def follow(workshop: Workshop, plan: Plan) -> Components:
    """The plan's components, fitted on everything."""
    return assemble(workshop, plan, _fit(workshop, plan.tried, workshop.histories))


def _fit(workshop: Workshop, tried: Mapping[str, Candidate], histories: Histories) -> Iterator[tuple[str, Fitted]]:
    yield from workshop.fit_sparse(tried, histories)
    yield from workshop.fit_ridges(tried, histories)


def _try(
    workshop: Workshop, tried: Mapping[str, Candidate], kept: list[tuple[str, Fitted]] | None
) -> dict[str, Floats]:
    """The candidates' scores of the held-out queries, as far as time allows; what is fitted goes into `kept`, if given."""
    run, begun = workshop.run, workshop.run.seconds_left
    scores: dict[str, Floats] = {}
    for name, part in _fit(workshop, tried, workshop.remaining):
        scores[name] = workshop.scores(part)
        if kept is not None:
            kept.append((name, part))
        run.report("validating", len(scores) / len(tried))
        if run.seconds_left < (1 - TRIAL_SHARE) * begun:
            break
    return scores


def _plan(
    workshop: Workshop, tried: dict[str, Candidate], scores: dict[str, Floats], network: TrainedNetwork | None
) -> Plan:
    """Weigh the candidates against all else; then their sum against what it says through likeness in content."""
    others = _others(workshop, network)
    ridges = {name for name, candidate in tried.items() if candidate.kind == "ridge"}
    blend, quality, shares = _learned(workshop, scores | others, ridges | {"network"})
    weights = {name: blend.weights[name] for name in tried if name in blend.weights}
    blend = replace(blend, weights={"history": 1.0} | {k: w for k, w in blend.weights.items() if k not in tried})
    parts = (
        {"history": np.sum([np.float32(weights[name]) * scores[name] for name in weights], axis=0)} if weights else {}
    )
    if weights and workshop.features.shape[1]:
        content = np.asarray(parts["history"] @ _content(workshop, workshop.columns), np.float32)
        richer, better, told = _learned(workshop, parts | {"content": content} | others, PERSONAL)
        if better > (1 - CONTENT_COST) * quality and richer.weights.get("history") and richer.weights.get("content"):
            blend, parts = richer, parts | {"content": content}
            shares = {name: share * told["history"] for name, share in shares.items() if name in weights} | told
    blend, quality = widened(blend, workshop.asked, _parts(workshop, parts | others))
    told_shares = {name: share for name, share in shares.items() if name != "history"}
    workshop.run.report("blending", 1.0, message=f"Chosen, at {quality:.4f}: {in_words(told_shares, blend)}")
    return Plan({name: tried[name] for name in weights}, weights, blend, network)


def _learned(
    workshop: Workshop, scores: Mapping[str, Floats], core: Collection[str]
) -> tuple[Blend, float, dict[str, float]]:
    parts = _parts(workshop, scores)
    full = workshop.settings.mode == "full" or not workshop.settings.ridges
    least = {"network": LEAST_NETWORK} if full else {}
    return learn_blend(workshop.asked, parts, partial(workshop.run.report, "blending", 0.0), least, core)


def _parts(workshop: Workshop, scores: Mapping[str, Floats]) -> Parts:
    seen = workshop.asked.seen
    return Parts(scores, seen, workshop.rates[seen.lag, seen.count])


def in_words(shares: Mapping[str, float], blend: Blend) -> str:
    """The mix for people who watch, heaviest first.

    >>> in_words({"next": 0.25, "network": 1.0}, Blend(seen=-12.0))
    'network 1, next 0.25; items do not repeat'
    """
    parts = sorted(shares.items(), key=lambda part: -abs(part[1]))
    mixed = ", ".join(f"{name} {share:.2g}" for name, share in parts if abs(share) >= 0.005)
    return f"{mixed}; items {'may' if blend.repeat else 'do not'} repeat"


def _others(workshop: Workshop, network: TrainedNetwork | None) -> dict[str, Floats]:
    """What the other components say of the held-out queries; what counts events counts the remaining ones."""
    columns, remaining = workshop.columns, workshop.remaining
    shape = (len(workshop.asked.histories), len(columns))
    known = Priors.of(
        remaining.item_index,
        remaining.timestamp,
        remaining.weight,
        workshop.num_items,
        recency=workshop.settings.recency,
    )
    parts = {"popularity": np.broadcast_to(known.popularity[columns], shape)}
    if workshop.settings.recency:
        parts["trend"] = np.broadcast_to(known.trend[columns], shape)
    if workshop.settings.ridges and workshop.users.shape[1]:
        parts["audience"] = workshop.scores(workshop.fit_audience(remaining))
    if network is not None:
        parts["network"] = workshop.scores(network.scorer)
    return parts


def assemble(workshop: Workshop, plan: Plan, fitted: Iterator[tuple[str, Fitted]]) -> Components:
    """The components of the plan, of which `fitted` tells those that read events; what is read alike is added up."""
    dense: dict[tuple[int, float], SequenceRidge] = {}
    sparse: dict[tuple[int, float], Transitions] = {}
    for name, part in fitted:
        if name not in plan.weights:
            continue
        weight, reading = np.float32(plan.weights[name]), plan.tried[name].reading
        if isinstance(part, SequenceRidge):
            before = dense[reading].weights if reading in dense else np.float32(0.0)
            dense[reading] = replace(part, weights=part.weights * weight + before)
        else:
            matrix = part.matrix * weight + (sparse[reading].matrix if reading in sparse else 0)
            sparse[reading] = replace(part, matrix=sp.csr_matrix(matrix, dtype=np.float32))
    for reading in dense.keys() & sparse.keys():
        within, rest = inside(sparse[reading].matrix, dense[reading].position)
        dense[reading] = replace(dense[reading], weights=dense[reading].weights + within)
        sparse[reading] = replace(sparse[reading], matrix=rest)
    used = plan.blend.weights
    return Components(
        list(dense.values()),
        [part for part in sparse.values() if part.matrix.nnz],
        workshop.fit_audience(workshop.histories) if used.get("audience") else None,
        _continued(workshop, plan.network) if plan.network and used.get("network") else None,
        _content(workshop, np.arange(workshop.num_items)) if used.get("content") else None,
        plan.blend,
        plan=plan,
    )


def _content(workshop: Workshop, columns: Indexes) -> sp.csr_matrix:
    """Neighbours in content among these items."""
    counts = workshop.data.item_counts[columns]
    return content_neighbours(workshop.features[columns], speakers(counts))


def _network(workshop: Workshop) -> TrainedNetwork:
    from recipes.stacking.recurrent_fit import fit_network  # noqa: PLC0415  torch is loaded only when a network is trained

    return fit_network(workshop)


def _continued(workshop: Workshop, network: TrainedNetwork) -> RecurrenceScorer:
    from recipes.stacking.recurrent_fit import continue_network  # noqa: PLC0415

    return continue_network(workshop, network) if _has(LEAST_MORE_SECONDS, workshop.run) else network.scorer


def _wants_network(workshop: Workshop) -> bool:
    """Whether a network may be used and there is time for it; without ridges it must be."""
    if not workshop.settings.ridges:
        return True
    return workshop.settings.network and workshop.settings.mode != "fast" and _has(LEAST_SECONDS, workshop.run)


def _has(seconds: float, run: Run) -> bool:
    """Whether there is time for what takes a machine at rest so many seconds."""
    return run.seconds_left > seconds * FLOPS_A_SECOND / flops_a_second(run)
