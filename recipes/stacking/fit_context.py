"""What fitting the relevance engine works with: settings, sequences, held-out events, metadata, and how to fit a part on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.components.content_knn import item_features
from recipes.components.cooccurrence_knn import CLOSE, close_neighbours, cosine_neighbours
from recipes.components.popularity import Priors
from recipes.components.sequence_ridge import Moments, SequenceRidge, solve
from recipes.components.sparse_ridge import RARE, RARE_RIDGE, Transitions, rare_transitions
from recipes.components.user_ridge import Audience, fit_audience, user_features
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run
from recipes.stacking.base_models import SOLVE_COST, Candidate, flops_a_second
from recipes.stacking.holdout import Validation

SOLVE_SHARE = 0.1  # of a time budget that solving one ridge may take; fitting takes several, and twice
FEWEST_DENSE_ITEMS = 500
MAX_DENSE_ITEMS = 4_500  # the most frequent items a dense ridge knows: 80 MB and a few seconds each
MOST_JUDGED = 20_000  # items that held-out queries are judged on
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
        frequent = np.argsort(-counts, kind="stable")[: min(_most_dense(run), max(1, int((counts > 0).sum())))]
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

    def fit_ridges(
        self, candidates: Mapping[str, Candidate], histories: Histories
    ) -> Iterator[tuple[str, SequenceRidge]]:
        """The ridges among the candidates on these histories; those with the same moments one after the other."""
        position = np.full(self.num_items, -1, np.int64)
        position[self.members] = np.arange(len(self.members))
        items = position[histories.item_index]
        left = {name: candidate for name, candidate in candidates.items() if candidate.kind == "ridge"}
        while left:
            shared = next(iter(left.values())).moments
            moments = Moments.zeros(len(self.members))
            alike = [name for name, candidate in left.items() if candidate.moments == shared]
            moments.add(left[alike[0]].kernel, items, histories.offsets, self.run, worth=histories.weight)
            solved, weights = None, moments.gram
            for name in alike:
                candidate = left.pop(name)
                if candidate.weights != solved:
                    solved = candidate.weights
                    weights = solve(moments, candidate.kernel, candidate.ridge, candidate.dropout)
                yield name, SequenceRidge.of(candidate.kernel, weights, self.members, self.num_items)

    def fit_sparse(
        self, candidates: Mapping[str, Candidate], histories: Histories
    ) -> Iterator[tuple[str, Transitions]]:
        """The other candidates on these histories."""
        matrices: dict[str, sp.csr_matrix] = {}
        for name, candidate in candidates.items():
            if candidate.kind == "ridge":
                continue
            if candidate.kind not in matrices:
                matrices |= self._sparse(candidate.kind, histories)
            yield name, Transitions(candidate.kernel, matrices[candidate.kind])

    def _sparse(self, kind: str, histories: Histories) -> dict[str, sp.csr_matrix]:
        """The matrix of a kind of candidates, and of those that count the same pairs."""
        if kind in CLOSE:
            return close_neighbours(self.data, histories, self.run)
        if kind == "cosine":
            return {kind: cosine_neighbours(histories, self.num_items, self.run)}
        kernel = replace(RARE, window=min(RARE.window, self.settings.window))
        return {kind: rare_transitions(kernel, histories, self.members, self.num_items, RARE_RIDGE, self.run)}

    def fit_audience(self, histories: Histories) -> Audience:
        """What the users' attributes tell, on these histories."""
        return fit_audience(self.users, histories, self.num_items)


def _most_dense(run: Run) -> int:
    """How many items a dense ridge may know in this time on this machine."""
    if run.max_seconds is None:
        return MAX_DENSE_ITEMS
    affordable = (SOLVE_SHARE * run.seconds_left * flops_a_second(run) / SOLVE_COST) ** (1 / 3)
    return int(np.clip(affordable, FEWEST_DENSE_ITEMS, MAX_DENSE_ITEMS))


def _judged(counts: Indexes, validation: Validation, seed: int) -> Indexes:
    """All items, or as many as can be judged: what followed, the most frequent, and some at random."""
    if len(counts) <= MOST_JUDGED:
        return np.arange(len(counts))
    frequent = np.argsort(-counts, kind="stable")[: MOST_JUDGED // 2]
    others = np.random.default_rng(seed).integers(0, len(counts), MOST_JUDGED // 2)
    return np.unique(np.concatenate([validation.item, frequent, others]))
