"""Which components a data set deserves: candidates are fitted without the held-out events, judged and mixed on those,
and what stays in the mix is fitted again with everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recipes.audience import Audience, fit_audience, user_features
from recipes.base import Floats, Indexes, Run
from recipes.blending import NEVER, Blend, Parts, Validation, quality, search, shortlist
from recipes.data import Histories, TrainingData
from recipes.likeness import content_neighbours, item_features
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.relevance import Components, Priors
from recipes.sequence_ridge import Kernel, Moments, SequenceRidge, solve
from recipes.transitions import Transitions, fit_transitions

MAX_DENSE_ITEMS = 4_500  # the most frequent items a dense ridge knows: 80 MB and a few seconds each
FLOPS_A_SECOND = 60e9
RIDGE_SHARE = 0.15  # of a time budget that trying ridges may take; fitting the chosen ones again takes as much
MOST_JUDGED = 20_000  # items that held-out queries are judged on
LEAST_SECONDS = 3.0  # for which training a network is worth beginning
SCORES_AT_ONCE = 4_000_000


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
        cold: (N,) items that are judged by their metadata alone, or None.
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
    cold: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Candidate:
    """One ridge to try: its kernel, λ and the dropout share δ."""

    kernel: Kernel
    ridge: float
    dropout: float = 0.0


class Scorer(Protocol):
    """Whatever scores a catalogue."""

    def score(self, histories: Histories) -> Floats:
        """(B, N)."""


@dataclass(frozen=True)
class Workshop:
    """All that fitting and choosing need.

    Attributes:
        histories: all that is trained on in the end.
        remaining: the same without the held-out events.
        members: the catalogue's indexes of the items a dense ridge knows.
        columns: the items that held-out queries are judged on: all, or in large catalogues a sample with all that followed.
        asked: `validation` with items as places in `columns`.
        features, users: (N, F) and (U, F) metadata of items and users, F may be 0.
    """

    settings: Settings
    data: TrainingData
    histories: Histories
    remaining: Histories
    validation: Validation
    priors: Priors
    rates: Floats
    members: Indexes
    columns: Indexes
    asked: Validation
    features: Floats
    users: Floats
    run: Run

    @classmethod
    def of(
        cls,
        settings: Settings,
        data: TrainingData,
        histories: Histories,
        validation: Validation,
        priors: Priors,
        rates: Floats,
        run: Run,
    ) -> Workshop:
        """Prepare what follows from the rest."""
        row = histories.row
        within = np.arange(len(row)) - histories.offsets[row]
        counts = data.item_counts
        frequent = np.argsort(-counts, kind="stable")[: min(MAX_DENSE_ITEMS, max(1, int((counts > 0).sum())))]
        features = item_features(data) if settings.metadata else np.zeros((data.num_items, 0), np.float32)
        users = user_features(data) if settings.metadata else np.zeros((data.num_users, 0), np.float32)
        remaining = histories.keep(within < validation.ends[row])
        columns = _judged(counts, validation, run.seed)
        asked = validation.within(columns, data.num_items)
        members = np.sort(frequent)
        return cls(
            settings,
            data,
            histories,
            remaining,
            validation,
            priors,
            rates,
            members,
            columns,
            asked,
            features,
            users,
            run,
        )

    @property
    def num_items(self) -> int:
        """N."""
        return self.data.num_items

    def scores(self, scorer: Scorer, queries: int | None = None) -> Floats:
        """(Q, C) scores of the judged columns for the held-out queries, or the first of them, a few at a time."""
        histories = self.validation.histories
        size = len(histories) if queries is None else min(queries, len(histories))
        found = np.empty((size, len(self.columns)), np.float32)
        step = max(1, SCORES_AT_ONCE // self.num_items)
        for start in range(0, size, step):
            self.run.report("validating")
            part = scorer.score(histories.rows(start, min(size, start + step)))
            found[start : start + step] = part if len(self.columns) == self.num_items else part[:, self.columns]
        return found

    def fit_ridge(self, candidate: Candidate, histories: Histories) -> SequenceRidge:
        """The candidate on these histories."""
        position = np.full(self.num_items, -1, np.int64)
        position[self.members] = np.arange(len(self.members))
        moments = Moments.zeros(len(self.members))
        moments.add(candidate.kernel, position[histories.item_index], histories.offsets, self.run)
        weights = solve(moments, candidate.kernel, candidate.ridge, candidate.dropout)
        return SequenceRidge.of(candidate.kernel, weights, self.members, self.num_items)

    def fit_transitions(self, histories: Histories) -> Transitions:
        """The pairs that the dense ridges leave out, on these histories."""
        kernel = Kernel(min(16, self.settings.window), 0.8, 3)
        return fit_transitions(kernel, histories, self.members, self.num_items, 5.0, self.run)

    def fit_audience(self, histories: Histories) -> Audience:
        """What the users' attributes tell, on these histories."""
        return fit_audience(self.users, histories, self.num_items)


def _judged(counts: Indexes, validation: Validation, seed: int) -> Indexes:
    """All items, or as many as can be judged: what followed, the most frequent, and some at random."""
    if len(counts) <= MOST_JUDGED:
        return np.arange(len(counts))
    frequent = np.argsort(-counts, kind="stable")[: MOST_JUDGED // 2]
    others = np.random.default_rng(seed).integers(0, len(counts), MOST_JUDGED // 2)
    return np.unique(np.concatenate([validation.item, frequent, others]))


def candidates(workshop: Workshop) -> Iterator[tuple[str, Candidate]]:
    """Ridges worth trying, the most promising first, as many as the size of the data allows."""
    events, window = len(workshop.histories.item_index), workshop.settings.window
    strength = float(np.clip(events / 10_000, 10.0, 100.0))
    tried = {
        "next": Candidate(Kernel(window, 0.8, 1), strength),
        "coming": Candidate(Kernel(window, 0.8, 5), strength),
        "profile": Candidate(Kernel(200, 0.98, profile=True), 5 * strength, 0.3),
        "last": Candidate(Kernel(window, 0.5, 1), strength / 2),
        "lately": Candidate(Kernel(window, 0.9, 10, 0.9), strength, 0.3),
        "lifetime": Candidate(Kernel(1000, 1.0, profile=True), 2 * strength, 0.5),
    }
    cost = 2.4 * len(workshop.members) ** 3 + 1500 * events * window
    planned = int(FLOPS_A_SECOND * (10 + 30 * events / 1e6) / cost)
    begun = workshop.run.seconds_left
    for number, (name, candidate) in enumerate(tried.items()):
        late = workshop.run.seconds_left < (1 - RIDGE_SHARE) * begun
        if number and (number > planned or late):
            return
        yield name, candidate


def choose(workshop: Workshop) -> Components:
    """Fit candidates without the held-out events, blend them, refit those in the blend with everything."""
    trial, tried, linear, found = _try_ridges(workshop)
    for name, part in trial.others().items():
        linear[name] = workshop.scores(part)
        linear[name] /= _mass(linear[name])
    if _wants_network(workshop):
        trial.network = _network(workshop)
    seen = workshop.asked.seen
    parts = Parts(linear, _logarithmic(workshop, trial), seen, workshop.rates[seen.lag, seen.count])
    blend = _blend(workshop, *shortlist(workshop.asked, parts), found)
    used = {name for name, weight in (*blend.linear.items(), *blend.logarithmic.items()) if weight}
    if "content" in used:
        used.add(trial.source)
    final = Components(
        {name: workshop.fit_ridge(candidate, workshop.histories) for name, candidate in tried.items() if name in used},
        workshop.fit_transitions(workshop.histories) if "transitions" in used else None,
        workshop.fit_audience(workshop.histories) if "audience" in used else None,
        trial.network if "network" in used else None,
        trial.content if "content" in used else None,
        trial.source,
    )
    masses = {
        name: float(_mass(workshop.scores(part))) for name, part in (*final.ridges.items(), *final.others().items())
    }
    weights = {name: weight / masses[name] for name, weight in blend.linear.items() if weight}
    final.blend = replace(blend, linear=weights)
    return final


def without_choice(workshop: Workshop) -> Components:
    """Too little data to hold any back: one ridge and a little popularity, or the network alone."""
    floor = 0.3 / workshop.num_items
    if not workshop.settings.ridges:
        return Components(network=_network(workshop), blend=Blend({}, {"network": 1.0}, floor=floor))
    ridge = workshop.fit_ridge(Candidate(Kernel(workshop.settings.window, 0.8, 1), 1.0), workshop.histories)
    return Components({"next": ridge}, blend=Blend({"next": 1.0}, {"popularity": 0.1}, floor=floor))


def _try_ridges(workshop: Workshop) -> tuple[Components, dict[str, Candidate], dict[str, Floats], dict[str, float]]:
    """The candidates' scores of the held-out queries and how good each is; only what others build on is kept fitted."""
    trial = Components()
    tried: dict[str, Candidate] = {}
    linear: dict[str, Floats] = {}
    found: dict[str, float] = {}
    if not workshop.settings.ridges:
        return trial, tried, linear, found
    for name, candidate in candidates(workshop):
        ridge = workshop.fit_ridge(candidate, workshop.remaining)
        scores = workshop.scores(ridge)
        scores /= _mass(scores)
        tried[name], linear[name] = candidate, scores
        found[name] = quality(workshop.asked, scores.copy())
        workshop.run.report("validating", message=f"Ridge {name}: {found[name]:.4f}")
        if found[name] == max(found.values()):
            trial.ridges, trial.source = {name: ridge}, name
    if len(workshop.members) < workshop.num_items:
        trial.transitions = workshop.fit_transitions(workshop.remaining)
    if workshop.users.shape[1]:
        trial.audience = workshop.fit_audience(workshop.remaining)
    if workshop.features.shape[1]:
        trial.content = content_neighbours(workshop.features, workshop.members)
    return trial, tried, linear, found


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


def _network(workshop: Workshop) -> RecurrenceScorer:
    from recipes.recurrence_fit import fit_network  # noqa: PLC0415  torch is loaded only when a network is trained

    return fit_network(workshop)


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
        grids |= {"repeat": (0.0, 0.3, 1.0, 3.0, 10.0), "seen": (-3.0, -1.0, -0.3, 0.0, 0.3, 1.0)}
    blend, reached = start, 0.0
    for sweep in range(3):
        blend, reached = search(validation, parts, blend, grids, lambda sweep=sweep: run.report("blending", sweep / 3))
    run.report("blending", 1.0, message=f"Blend {reached:.4f}: {blend}")
    return blend
