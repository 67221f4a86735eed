"""Choosing and mixing components on held-out events: what to add to what, and how much, is read from the data at hand.

Components that estimate how likely an item comes next are added up (`linear`), the logarithm of the sum joins what is a
log-probability already (`logarithmic`: a network's log-softmax, popularity). Weights are found by coordinate search on
ranking quality, not on likelihood, because the list is what a person sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recipes.base import Floats, Indexes
from recipes.data import Histories
from recipes.repeats import Seen, seen_items

HELD_OUT = 0.1  # newest share of a validation user's events
SCORES_HELD = 12_000_000  # validation scores per component: queries × items
REPEATING = 0.01  # share of held-out events that are in the user's history, above which repeats are wanted
SHORTLIST = 60  # items of each component that a blend is tried on
NEVER = -12.0  # what a seen item loses where data never repeat


@dataclass(frozen=True)
class Validation:
    """Q queries with the events that followed.

    Attributes:
        histories: what is known at the time of each query.
        row, item: (P,) pairs of a query and an item that followed, distinct within the query.
        first: (P,) true for the event that came next.
        repeat: (P,) true where the item is in the query's own history.
        seen: the distinct items of each history.
        ends: (U,) how many events of each user are left for training.
    """

    histories: Histories
    row: Indexes
    item: Indexes
    first: NDArray[np.bool_]
    repeat: NDArray[np.bool_]
    seen: Seen
    ends: Indexes

    def first_queries(self, count: int) -> Validation:
        """The same with at most `count` queries."""
        pairs, known = self.row < count, self.seen.row < count
        seen = Seen(*(getattr(self.seen, name)[known] for name in ("row", "item", "lag", "count")))
        part = self.histories.rows(0, min(count, len(self.histories)))
        return Validation(
            part, self.row[pairs], self.item[pairs], self.first[pairs], self.repeat[pairs], seen, self.ends
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


def hold_out(histories: Histories, num_items: int, seed: int, most_users: int = 1500) -> Validation:
    """Hold out the newest tenth (at least one event) of some users; ask at its beginning and in its middle.

    Args:
        histories: the training users' histories.
        num_items: N.
        seed: chooses the users.
        most_users: at most so many of them, fewer where the catalogue is large.
    """
    sizes = np.diff(histories.offsets)
    eligible = np.flatnonzero(sizes >= 2)
    wanted = int(np.clip(SCORES_HELD / max(1, min(num_items, 20_000)) / 1.5, 64, most_users))
    chosen = np.sort(np.random.default_rng(seed).permutation(eligible)[:wanted])
    held = np.maximum(1, np.round(HELD_OUT * sizes[chosen])).astype(np.int64)
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
    item = histories.item_index[np.repeat(histories.offsets[users] + cuts, rest) + within]
    keys, index = np.unique(row * num_items + item, return_index=True)
    row, item, within = row[index], item[index], within[index]
    seen = seen_items(queries, num_items)
    repeat = np.isin(keys, seen.row * num_items + seen.item)
    return Validation(queries, row, item, within == 0, repeat, seen, ends)


@dataclass(frozen=True)
class Measures:
    """NDCG@10 and MRR@25 of the event that came next, NDCG@10 of all that followed."""

    ndcg_of_next: float
    mrr_of_next: float
    ndcg: float


@dataclass(frozen=True)
class Parts:
    """What is mixed, for B rows: arrays (B, N) by name, and the repeat rates (S,) of the seen items."""

    linear: Mapping[str, Floats]
    logarithmic: Mapping[str, Floats]
    seen: Seen
    rates: Floats


@dataclass(frozen=True)
class Blend:
    """How to mix.

    Attributes:
        linear: weight of each component that estimates a probability.
        logarithmic: weight of each component that is a logarithm.
        repeat: weight of the repeat rates, added to the probability of seen items.
        seen: added to the logarithm of seen items; very negative where data never repeat.
        floor: probability below which the logarithm flattens.
    """

    linear: Mapping[str, float] = field(default_factory=dict)
    logarithmic: Mapping[str, float] = field(default_factory=dict)
    repeat: float = 0.0
    seen: float = 0.0
    floor: float = 1e-4

    def told(self) -> str:
        """The mix in words, heaviest first, for people who watch.

        >>> Blend({"next": 1.0, "profile": 2.5}, {"network": 0.6, "popularity": 0.0}).told()
        'profile 2.5, next 1, network 0.6; items may repeat'
        """
        parts = sorted((*self.linear.items(), *self.logarithmic.items()), key=lambda part: -abs(part[1]))
        mixed = ", ".join(f"{name} {weight:g}" for name, weight in parts if weight)
        return f"{mixed}; items {'do not' if self.seen <= NEVER else 'may'} repeat"

    def mix(self, parts: Parts) -> Floats:
        """(B, N) scores; a fresh array."""
        return self.finish(self.linear_sum(parts), parts)

    def linear_sum(self, parts: Parts) -> Floats:
        """(B, N) the weighted sum of the linear components."""
        terms = [(parts.linear[name], weight) for name, weight in self.linear.items() if weight]
        if not terms:
            some = next(iter((parts.linear or parts.logarithmic).values()))
            return np.zeros_like(some)
        total = terms[0][0] * np.float32(terms[0][1])
        for scores, weight in terms[1:]:
            total += scores * np.float32(weight)
        return total

    def finish(self, linear: Floats, parts: Parts) -> Floats:
        """(B, N) from the linear sum, which is overwritten."""
        if self.repeat:
            linear[parts.seen.row, parts.seen.item] += np.float32(self.repeat) * parts.rates
        scores = smooth_log(linear, self.floor)
        for name, weight in self.logarithmic.items():
            if weight:
                scores += np.float32(weight) * parts.logarithmic[name]
        if self.seen:
            scores[parts.seen.row, parts.seen.item] += np.float32(self.seen)
        return scores


def smooth_log(values: Floats, floor: float) -> Floats:
    """log((v + √(v² + 4 floor²)) / 2), in place: log v where v is large, still increasing where it is negative."""
    # log(floor) + asinh(v / (2 floor)); by magnitude, as for negative v the sum above cancels, and then with v's sign
    middle = np.float32(np.log(floor))
    root = np.square(values)
    root += np.float32(4 * floor * floor)
    np.sqrt(root, out=root)
    root += np.abs(values)
    np.log(root, out=root)
    root -= np.float32(np.log(2)) + middle
    np.maximum(root, 0, out=root)  # rounding
    np.copysign(root, values, out=root)
    root += middle
    return root


def quality(validation: Validation, scores: Floats) -> float:
    """How well (Q, N) scores rank what followed: NDCG@10 and MRR@25 of the next event, NDCG@10 of all that followed.

    Seen items are left out; where people repeat, the same with them is averaged in. `scores` is overwritten.
    """
    return float(np.mean([(m.ndcg_of_next + m.mrr_of_next) / 4 + m.ndcg / 2 for m in _measured(validation, scores)]))


def ndcg_at_10(validation: Validation, scores: Floats) -> float:
    """NDCG@10 of all that followed each query, averaged as `quality` does; `scores` is overwritten."""
    return float(np.mean([measures.ndcg for measures in _measured(validation, scores)]))


def _measured(validation: Validation, scores: Floats) -> list[Measures]:
    found = []
    if validation.repeating:
        every = np.ones(len(validation.row), bool)
        found.append(_measures(validation, ranks(scores, validation.row, validation.item), every))
    scores[validation.seen.row, validation.seen.item] = -np.inf
    found.append(_measures(validation, ranks(scores, validation.row, validation.item), ~validation.repeat))
    return found


def ranks(scores: Floats, row: Indexes, item: Indexes) -> Indexes:
    """(P,) how many items of its row score at least as high as each given one, itself left out; 0 is the best rank."""
    found = np.empty(len(row), np.int64)
    step = max(1, 4_000_000 // max(1, scores.shape[1]))
    for start in range(0, len(row), step):
        part = slice(start, start + step)
        own = scores[row[part], item[part]][:, None]
        found[part] = (scores[row[part]] >= own).sum(axis=1) - 1
    return found


def _measures(validation: Validation, rank: Indexes, counted: NDArray[np.bool_]) -> Measures:
    rank_of_next = rank[counted & validation.first]
    row, gain = validation.row[counted], _gain(rank[counted])
    size = len(validation.histories)
    wanted = np.bincount(row, minlength=size)
    ideal = np.cumsum(_gain(np.arange(10)))[np.clip(wanted, 1, 10) - 1]
    asked = wanted > 0
    if not len(rank_of_next) or not asked.any():
        return Measures(0.0, 0.0, 0.0)
    reciprocal = np.where(rank_of_next < 25, 1 / (rank_of_next + 1.0), 0.0)
    ndcg = (np.bincount(row, gain, minlength=size) / ideal)[asked].mean()
    return Measures(float(_gain(rank_of_next).mean()), float(reciprocal.mean()), float(ndcg))


def _gain(rank: Indexes) -> NDArray[np.float64]:
    return np.where(rank < 10, 1 / np.log2(rank + 2.0), 0.0)


def shortlist(validation: Validation, parts: Parts, count: int = SHORTLIST) -> tuple[Validation, Parts]:
    """The same question asked of fewer items: each query's best `count` by every component, and what followed.

    Trying a blend then costs a fraction of scoring the catalogue; items that no component puts near the top cannot win.
    Returns validation and parts whose item indexes are places in the query's own shortlist.
    """
    scored = {**parts.linear, **{name: scores for name, scores in parts.logarithmic.items() if scores.strides[0]}}
    size, num_items = next(iter((scored or parts.logarithmic).values())).shape
    listed = np.zeros((size, num_items), bool)
    for scores in scored.values():
        fresh = scores.copy()
        fresh[validation.seen.row, validation.seen.item] = -np.inf
        best = np.argpartition(-fresh, min(count, num_items - 1), axis=1)[:, :count]
        np.put_along_axis(listed, best, values=True, axis=1)
    if validation.repeating:
        listed[validation.seen.row, validation.seen.item] = True
    listed[validation.row, validation.item] = True
    sizes = listed.sum(axis=1)
    row, item = np.nonzero(listed)
    place = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (size, int(sizes.max()))

    def gathered(scores: Floats, padding: float) -> Floats:
        table = np.full(shape, padding, np.float32)
        table[row, place] = scores[row, item]
        return table

    places = np.full((size, num_items), -1, np.int32)
    places[row, item] = place
    seen, known = validation.seen, places[validation.seen.row, validation.seen.item] >= 0
    kept = Seen(
        seen.row[known], places[seen.row[known], seen.item[known]].astype(np.int64), seen.lag[known], seen.count[known]
    )
    asked = replace(validation, item=places[validation.row, validation.item].astype(np.int64), seen=kept)
    return asked, Parts(
        {name: gathered(scores, -1e6) for name, scores in parts.linear.items()},
        {name: gathered(scores, -1e6) for name, scores in parts.logarithmic.items()},
        kept,
        parts.rates[known],
    )


def search(
    validation: Validation,
    parts: Parts,
    start: Blend,
    grids: Mapping[str, tuple[float, ...]],
    sweep: Callable[[], None],
) -> tuple[Blend, float]:
    """Improve `start` one weight at a time, in the grids' order; returns the best blend and its quality.

    Args:
        validation: what followed.
        parts: the components' scores of its histories.
        start: the blend to begin with.
        grids: weights to try by name: a component's, "repeat" or "seen".
        sweep: called before each trial; may raise StopRequested.
    """
    best, reached = start, quality(validation, start.mix(parts))
    for name, weights in grids.items():
        for weight in weights:
            sweep()
            trial = weighted(best, name, weight, parts)
            found = quality(validation, trial.mix(parts))
            if found > reached + 1e-9:
                best, reached = trial, found
    return best, reached


def weighted(blend: Blend, name: str, weight: float, parts: Parts) -> Blend:
    """The blend with one weight changed."""
    if name in parts.linear:
        return replace(blend, linear={**blend.linear, name: weight})
    if name in parts.logarithmic:
        return replace(blend, logarithmic={**blend.logarithmic, name: weight})
    return replace(blend, repeat=weight) if name == "repeat" else replace(blend, seen=weight)
