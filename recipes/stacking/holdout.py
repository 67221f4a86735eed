"""Events held out of training, on which base models are cross-predicted, chosen and weighted; how well scores rank them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from recipes.components.fit_context import FitContext
from recipes.components.repeats import Seen, fit_rates, seen_items
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes

HELD_OUT = 0.1  # newest share of a validation user's events
SCORES_HELD = 8_000_000  # validation scores per component: queries × items
FEW_USERS, MANY_USERS = (
    500,
    1500,
)  # of whom events are held out; the fewer in the fast mode, where there are many events
MANY_EVENTS = 500_000
MAX_COLUMNS = 20_000  # items that held-out queries are scored on
SCORES_AT_ONCE = 4_000_000
REPEATING = 0.01  # share of held-out events that are in the user's history, above which repeats are wanted


@dataclass(frozen=True)
class Validation:
    """Q queries with the events that followed.

    Attributes:
        histories: what is known at the time of each query.
        row, item: (P,) pairs of a query and an item that followed, distinct within the query.
        first: (P,) true for the event that came next.
        repeat: (P,) true where the item is in the query's own history.
        weight: (P,) weight of the event.
        seen: the distinct items of each history.
        ends: (U,) how many events of each user are left for training.
    """

    histories: Histories
    row: Indexes
    item: Indexes
    first: NDArray[np.bool_]
    repeat: NDArray[np.bool_]
    weight: NDArray[np.float32]
    seen: Seen
    ends: Indexes

    def first_queries(self, count: int) -> Validation:
        """The same with at most `count` queries."""
        pairs, known = self.row < count, self.seen.row < count
        seen = Seen(*(getattr(self.seen, name)[known] for name in ("row", "item", "lag", "count")))
        part = self.histories.rows(0, min(count, len(self.histories)))
        return Validation(
            part,
            self.row[pairs],
            self.item[pairs],
            self.first[pairs],
            self.repeat[pairs],
            self.weight[pairs],
            seen,
            self.ends,
        )

    def within(self, columns: Indexes, num_items: int) -> Validation:
        """The same with items as places in `columns`, which must hold all that followed."""
        place = np.full(num_items, -1, np.int64)
        place[columns] = np.arange(len(columns))
        known = place[self.seen.item] >= 0
        seen = Seen(self.seen.row[known], place[self.seen.item[known]], self.seen.lag[known], self.seen.count[known])
        return replace(self, item=place[self.item], seen=seen)

    @property
    def repeating(self) -> bool:
        """Whether people come back to items often enough that seen items must be ranked well."""
        return bool(self.repeat.mean() >= REPEATING) if len(self.repeat) else False


@dataclass(frozen=True)
class HeldOut:
    """Histories without their held-out events, and the queries that those are.

    Attributes:
        context: what components are fitted with.
        histories: all that is learned from in the end.
        training: the same without the held-out events.
        validation: the queries, with what followed.
        columns: the items that queries are scored on: all, or in large catalogues a sample with all that followed.
        queries: `validation` with items as places in `columns`.
        rates: repeat rates, see `recipes.components.repeats`.
    """

    context: FitContext
    histories: Histories
    training: Histories
    validation: Validation
    columns: Indexes
    queries: Validation
    rates: Floats

    @classmethod
    def of(cls, context: FitContext, histories: Histories) -> Self:
        """Hold events of these histories out."""
        num_items, seed = context.num_items, context.run.seed
        is_quick = context.settings.mode == "fast" and len(histories.item_index) > MANY_EVENTS
        validation = hold_out(histories, num_items, seed, FEW_USERS if is_quick else MANY_USERS)
        return cls.with_queries(context, histories, validation, fit_rates(histories, validation.ends, num_items))

    @classmethod
    def with_queries(cls, context: FitContext, histories: Histories, validation: Validation, rates: Floats) -> Self:
        """Hold out what follows the queries of `validation`."""
        num_items, seed, row = context.num_items, context.run.seed, histories.row
        training = histories.keep(np.arange(len(row)) - histories.offsets[row] < validation.ends[row])
        columns = _columns(context.data.item_counts, validation, seed)
        return cls(context, histories, training, validation, columns, validation.within(columns, num_items), rates)

    @property
    def share(self) -> float:
        """Share of the events that are held out."""
        return 1 - len(self.training.item_index) / len(self.histories.item_index)

    def scores(self, scorer: Scorer, queries: int | None = None) -> Floats:
        """(Q, C) scores of the columns for the queries, or the first of them, a few at a time."""
        histories, num_items = self.validation.histories, self.context.num_items
        size = len(histories) if queries is None else min(queries, len(histories))
        scores = np.empty((size, len(self.columns)), np.float32)
        step = max(1, SCORES_AT_ONCE // num_items)
        for start in range(0, size, step):
            self.context.run.report("validating")
            part = scorer.score(histories.rows(start, min(size, start + step)))
            scores[start : start + step] = part if len(self.columns) == num_items else part[:, self.columns]
        return scores


class Scorer(Protocol):
    """Whatever scores a catalogue."""

    def score(self, histories: Histories) -> Floats:
        """(B, N)."""


def _columns(counts: Indexes, validation: Validation, seed: int) -> Indexes:
    """All items, or as many as can be scored: what followed, the most frequent, and some at random."""
    if len(counts) <= MAX_COLUMNS:
        return np.arange(len(counts))
    frequent = np.argsort(-counts, kind="stable")[: MAX_COLUMNS // 2]
    others = np.random.default_rng(seed).integers(0, len(counts), MAX_COLUMNS // 2)
    return np.unique(np.concatenate([validation.item, frequent, others]))


def hold_out(histories: Histories, num_items: int, seed: int, max_users: int) -> Validation:
    """Hold out the newest tenth (at least one event) of some users; query at its beginning and in its middle.

    Args:
        histories: the training users' histories.
        num_items: N.
        seed: chooses the users.
        max_users: of them, at most, fewer where the catalogue is large.
    """
    sizes = np.diff(histories.offsets)
    eligible = np.flatnonzero(sizes >= 2)
    wanted = int(np.clip(SCORES_HELD / max(1, min(num_items, 20_000)) / 1.5, 64, max_users))
    chosen = np.sort(np.random.default_rng(seed).permutation(eligible)[:wanted])
    held = np.maximum(1, np.round(HELD_OUT * sizes[chosen])).astype(np.int64)
    return _queried(histories, num_items, chosen, held)


def without_newest(held_out: HeldOut, users: Indexes) -> HeldOut:
    """The newest event of each of these users held out of all histories, instead of what is held out now."""
    histories, num_items = held_out.histories, held_out.context.num_items
    validation = _queried(histories, num_items, users, np.ones(len(users), np.int64))
    return HeldOut.with_queries(held_out.context, histories, validation, held_out.rates)


def _queried(histories: Histories, num_items: int, chosen: Indexes, held: Indexes) -> Validation:
    """Hold out the newest `held` (at least one) events of the chosen users; query where they begin, and in the middle of many."""
    sizes = np.diff(histories.offsets)
    ends = sizes.copy()
    ends[chosen] -= held
    long = held >= 3
    users = np.concatenate([chosen, chosen[long]])
    cuts = np.concatenate([ends[chosen], ends[chosen[long]] + held[long] // 2])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(cuts)])
    events = np.arange(int(offsets[-1])) + np.repeat(histories.offsets[users] - offsets[:-1], cuts)
    queries = Histories(
        offsets,
        histories.item_index[events],
        histories.timestamp[events],
        histories.event_type[events],
        histories.user_index[users],
    )
    return _with_truths(histories, queries, users, cuts, ends, num_items)


def _with_truths(
    histories: Histories, queries: Histories, users: Indexes, cuts: Indexes, ends: Indexes, num_items: int
) -> Validation:
    sizes = np.diff(histories.offsets)
    rest = sizes[users] - cuts
    row = np.repeat(np.arange(len(users)), rest)
    within = np.arange(int(rest.sum())) - np.repeat(np.cumsum(rest) - rest, rest)
    event = np.repeat(histories.offsets[users] + cuts, rest) + within
    item = histories.item_index[event].astype(np.int64)
    weight = np.ones(len(event), np.float32) if histories.weight is None else histories.weight[event]
    keys, index = np.unique(row * num_items + item, return_index=True)
    row, item, within, weight = row[index], item[index], within[index], weight[index]
    seen = seen_items(queries, num_items)
    repeat = np.isin(keys, seen.row * num_items + seen.item)
    return Validation(queries, row, item, within == 0, repeat, weight, seen, ends)


@dataclass(frozen=True)
class Measures:
    """NDCG@10 and MRR@25 of the event that came next, NDCG@10 of all that followed."""

    ndcg_of_next: float
    mrr_of_next: float
    ndcg: float


def quality(validation: Validation, scores: Floats) -> float:
    """How well (Q, N) scores rank what followed: NDCG@10 and MRR@25 of the next event, NDCG@10 of all that followed.

    Seen items are left out; where people repeat, the same with them is averaged in. `scores` is overwritten.
    """
    return quality_of(_measured(validation, scores))


def quality_of(measured: list[Measures]) -> float:
    """One number of the measures with and without seen items."""
    return float(np.mean([(m.ndcg_of_next + m.mrr_of_next) / 4 + m.ndcg / 2 for m in measured]))


def ndcg_at_10(validation: Validation, scores: Floats) -> float:
    """NDCG@10 of all that followed each query, averaged as `quality` does; `scores` is overwritten."""
    return float(np.mean([measures.ndcg for measures in _measured(validation, scores)]))


def _measured(validation: Validation, scores: Floats) -> list[Measures]:
    measured = []
    if validation.repeating:
        every = np.ones(len(validation.row), bool)
        measured.append(measures(validation, ranks(scores, validation.row, validation.item), every))
    scores[validation.seen.row, validation.seen.item] = -np.inf
    measured.append(measures(validation, ranks(scores, validation.row, validation.item), ~validation.repeat))
    return measured


def ranks(scores: Floats, row: Indexes, item: Indexes) -> Indexes:
    """(P,) how many items of its row score at least as high as each given one, itself left out; 0 is the best rank."""
    measured = np.empty(len(row), np.int64)
    step = max(1, 4_000_000 // max(1, scores.shape[1]))
    for start in range(0, len(row), step):
        part = slice(start, start + step)
        own = scores[row[part], item[part]][:, None]
        measured[part] = (scores[row[part]] >= own).sum(axis=1) - 1
    return measured


def measures(validation: Validation, rank: Indexes, counted: NDArray[np.bool_]) -> Measures:
    """The measures of what followed, where `counted` (P,), at these ranks (P,)."""
    rank_of_next = rank[counted & validation.first]
    row, gain = validation.row[counted], _gain(rank[counted])
    size = len(validation.histories)
    wanted = np.bincount(row, minlength=size)
    ideal = np.cumsum(_gain(np.arange(10)))[np.clip(wanted, 1, 10) - 1]
    has_truth = wanted > 0
    if not len(rank_of_next) or not has_truth.any():
        return Measures(0.0, 0.0, 0.0)
    reciprocal = np.where(rank_of_next < 25, 1 / (rank_of_next + 1.0), 0.0)
    ndcg = (np.bincount(row, gain, minlength=size) / ideal)[has_truth].mean()
    return Measures(float(_gain(rank_of_next).mean()), float(reciprocal.mean()), float(ndcg))


def _gain(rank: Indexes) -> NDArray[np.float64]:
    return np.where(rank < 10, 1 / np.log2(rank + 2.0), 0.0)
