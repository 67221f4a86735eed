"""Mixing components: a multinomial logit model of what comes next, with the components' scores as its features.

The score of an item is the weighted sum of what the components say of it; the weights are those under which the events
held out are most likely among the items that any component puts near the top (McFadden 1974; stacking, Wolpert 1992).
The likelihood is convex, so there is one answer, found in a second or two; what only repeats others gets no weight.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recipes.components.repeats import Seen
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.threads import ahead
from recipes.numerics.topk import top_k
from recipes.stacking.holdout import Validation, measures, ranks, worth_of

SHORTLIST = 20  # items of each component that a blend is learned on
NEVER = -12.0  # what a seen item loses where data never repeat
PRIOR = 10.0  # queries' worth of belief that a component says nothing
REPEAT_PRIOR = 0.1  # the same, of having been seen
STEPS = 150  # of the search for the weights, at most
EITHER_SIGN = ("popularity", "trend")  # may be held against an item; all others are believed or left out
LESS_POPULAR = (0.06, 0.12)  # by which popularity may count less than what is likeliest says
WIDENING_COST = 0.005  # share of the quality that this may cost
LEAST_RATE = 1e-5  # a repeat rate below it counts as this


@dataclass(frozen=True)
class Parts:
    """What is mixed, for B rows: scores (B, N) by name, and the repeat rates (S,) of the seen items."""

    scores: Mapping[str, Floats]
    seen: Seen
    rates: Floats


@dataclass(frozen=True)
class Blend:
    """How to mix.

    Attributes:
        weights: of each component's scores.
        repeat: weight of the logarithm of a seen item's repeat rate.
        seen: added to the score of seen items; very negative where data never repeat.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    repeat: float = 0.0
    seen: float = 0.0

    def mix(self, parts: Parts) -> Floats:
        """(B, N) scores; a fresh array."""
        total = np.zeros_like(next(iter(parts.scores.values())))
        for name, scores in parts.scores.items():
            total += np.float32(self.weights.get(name, 0.0)) * scores
        total[parts.seen.row, parts.seen.item] += self.of_seen(parts.rates)
        return total

    def of_seen(self, rates: Floats) -> Floats:
        """What items with these repeat rates get for having been seen."""
        return np.asarray(self.seen + self.repeat * log_rates(rates), np.float32)


def log_rates(rates: Floats) -> Floats:
    """Logarithms of repeat rates."""
    return np.log(np.maximum(rates, LEAST_RATE))


@dataclass(frozen=True)
class Listed:
    """The items that a query is about, for all queries: R pairs, those of a query together.

    Attributes:
        row, item: (R,).
        begins: (Q',) where each query that has any begins.
        query: (R,) number of the pair's query among those.
        values: (F, R) float64, what each component says, by its spread.
        spread: (F,) standard deviation of what each component says.
        names: of the components.
    """

    row: Indexes
    item: Indexes
    begins: Indexes
    query: Indexes
    values: NDArray[np.float64]
    spread: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, parts: Parts, listed: NDArray[np.bool_]) -> Listed:
        """What the parts say of the pairs that are true in (B, N) `listed`."""
        row, item = np.nonzero(listed)
        is_first = np.diff(row, prepend=-1) > 0
        values = np.array([scores[row, item] for scores in parts.scores.values()], np.float64)
        spread = np.maximum(values.std(axis=1), 1e-12)
        query = np.cumsum(is_first) - 1
        return cls(row, item, np.flatnonzero(is_first), query, values / spread[:, None], spread, tuple(parts.scores))

    def mixed(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """(R,) the weighted sum of what the components say."""
        by_spread = [weights.get(name, 0.0) * spread for name, spread in zip(self.names, self.spread, strict=True)]
        total: NDArray[np.float64] = np.array(by_spread) @ self.values
        return total

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(Q',) of (R,) values."""
        found: NDArray[np.float64] = np.add.reduceat(values, self.begins)
        return found


def learn_blend(
    validation: Validation,
    parts: Parts,
    watch: Callable[[], None],
    at_least: Mapping[str, float] | None = None,
    core: Collection[str] = (),
) -> tuple[Blend, float, dict[str, float]]:
    """The weights under which what followed is most likely.

    Args:
        validation: what followed.
        parts: the components' scores of its histories.
        watch: called at each step; may raise StopRequested.
        at_least: components that must stay, with their least weight (by their spread).
        core: components that are asked without the others too: the answer is halfway between their weights with and
            without them, which keeps what a few held-out events happen to flatter, popularity above all, in its place.

    Returns:
        The blend, its quality on the same events, and the weights by the components' spread, which can be compared.
    """
    near_the_top = _near_the_top(validation, parts)
    listed = Listed.of(parts, near_the_top)
    target = _targets(listed, validation, near_the_top.shape[1], with_repeats=False)
    bounds = [_bounds(name, at_least or {}) for name in listed.names]
    found = _likeliest(listed, target, bounds, PRIOR, watch)
    asked_alone = np.flatnonzero([name in core for name in listed.names])
    if len(asked_alone):
        alone = [bounds[number] for number in asked_alone]
        found[asked_alone] += _likeliest(listed, target, alone, PRIOR, watch, listed.values[asked_alone])
        found /= 2
    weights = {
        name: weight / spread
        for name, weight, spread in zip(listed.names, found.tolist(), listed.spread.tolist(), strict=True)
        if weight
    }
    blend = Blend(weights, seen=NEVER)
    near_the_top[parts.seen.row, parts.seen.item] = True
    every = Listed.of(parts, near_the_top)
    if validation.repeating:
        blend = _with_repeats(blend, every, validation, parts, watch)
    spreads = zip(listed.names, listed.spread.tolist(), strict=True)
    shares = {name: weights[name] * spread for name, spread in spreads if name in weights}
    return blend, _quality(blend, every, validation, parts), shares


def widened(blend: Blend, validation: Validation, parts: Parts) -> tuple[Blend, float]:
    """The blend that holds most against popular items of those that are as good, and its quality.

    Held-out events hardly tell how much popularity should count; how much of the catalogue people get to see depends on it.
    """
    near_the_top = _near_the_top(validation, parts)
    near_the_top[parts.seen.row, parts.seen.item] = True
    listed = Listed.of(parts, near_the_top)
    best = quality = _quality(blend, listed, validation, parts)
    before = blend.weights.get("popularity", 0.0)
    for less in LESS_POPULAR:
        other = replace(blend, weights={**blend.weights, "popularity": before - less})
        found = _quality(other, listed, validation, parts)
        if found < (1 - WIDENING_COST) * best:
            break
        blend, quality, best = other, found, max(best, found)
    return blend, quality


def _bounds(name: str, at_least: Mapping[str, float]) -> tuple[float | None, float | None]:
    return (None, None) if name in EITHER_SIGN else (at_least.get(name, 0.0), None)


def _near_the_top(validation: Validation, parts: Parts) -> NDArray[np.bool_]:
    """(B, N) true for each query's best unseen items by every component that tells queries apart."""
    seen = validation.seen
    telling = [scores for scores in parts.scores.values() if scores.strides[0]] or list(parts.scores.values())
    size, width = telling[0].shape
    listed = np.zeros((size, width), bool)

    def best(scores: Floats) -> Indexes:
        fresh = np.array(scores)
        fresh[seen.row, seen.item] = -np.inf
        return top_k(fresh, min(SHORTLIST, width)).items

    for found in ahead(best, telling):
        row, place = np.nonzero(found >= 0)
        listed[row, found[row, place]] = True
    listed[seen.row, seen.item] = False
    return listed


def _targets(listed: Listed, validation: Validation, width: int, *, with_repeats: bool) -> NDArray[np.float64]:
    """(R,) what of each query's followed: it adds up to what the events are worth on average; the next counts twice."""
    counted = np.full(len(validation.row), fill_value=True) if with_repeats else ~validation.repeat
    told = (validation.row * width + validation.item)[counted]
    keys = listed.row * width + listed.item
    if not len(told):
        return np.zeros(len(keys))
    order = np.argsort(told)
    place = order[np.minimum(np.searchsorted(told[order], keys), len(told) - 1)]
    follows = told[place] == keys
    worth = np.where(follows, validation.worth[counted][place], 0.0)
    share = worth * (1.0 + validation.first[counted][place])
    shares: NDArray[np.float64] = (
        share * _ratio(listed.sums(worth), listed.sums(share) * listed.sums(1.0 * follows))[listed.query]
    )
    return shares


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _likeliest(
    listed: Listed,
    target: NDArray[np.float64],
    bounds: Sequence[tuple[float | None, float | None]],
    prior: float,
    watch: Callable[[], None],
    values: NDArray[np.float64] | None = None,
    offset: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Weights (F,) of the features `values` (F, R) that make the targets likeliest, given what `offset` says already."""
    features = listed.values if values is None else values
    mass = listed.sums(target)
    size = max(1e-12, float(mass.sum()))
    ridge = prior / max(1, int((mass > 0).sum()))
    mean = features @ target

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        watch()
        scores = weights @ features + offset
        scores -= np.maximum.reduceat(scores, listed.begins)[listed.query]
        raised = np.exp(scores)
        total = listed.sums(raised)
        likelihood = float(target @ scores - mass @ np.log(total))
        raised *= (mass / total)[listed.query]
        gradient = (features @ raised - mean) / size + 2 * ridge * weights
        return -likelihood / size + ridge * float(weights @ weights), gradient

    start = np.array([max(0.1, low or 0.0) if low is not None else 0.0 for low, _ in bounds])
    if not target.any():
        return start
    options = {"maxiter": STEPS, "ftol": 1e-7}
    found: NDArray[np.float64] = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options).x
    return found


def _with_repeats(
    blend: Blend, listed: Listed, validation: Validation, parts: Parts, watch: Callable[[], None]
) -> Blend:
    """The blend with what items get for having been seen, learned with all else as it is."""
    shape = next(iter(parts.scores.values())).shape
    rates = np.zeros(shape, np.float32)
    rates[parts.seen.row, parts.seen.item] = log_rates(parts.rates)
    is_seen = np.zeros(shape, bool)
    is_seen[parts.seen.row, parts.seen.item] = True
    features = np.stack([known[listed.row, listed.item] for known in (is_seen, rates)]).astype(np.float64)
    target = _targets(listed, validation, shape[1], with_repeats=True)
    free = [(None, None), (None, None)]
    offset = listed.mixed(blend.weights)
    seen, repeat = _likeliest(listed, target, free, REPEAT_PRIOR, watch, features, offset).tolist()
    return Blend(blend.weights, repeat, seen)


def _quality(blend: Blend, listed: Listed, validation: Validation, parts: Parts) -> float:
    """How well the blend ranks what followed among what is listed; what is not listed counts as missed."""
    scores = np.full(next(iter(parts.scores.values())).shape, -np.inf, np.float32)
    scores[listed.row, listed.item] = listed.mixed(blend.weights)
    scores[parts.seen.row, parts.seen.item] += blend.of_seen(parts.rates)
    found = []
    for with_seen in (True, False) if validation.repeating else (False,):
        if not with_seen:
            scores[parts.seen.row, parts.seen.item] = -np.inf
        counted = np.ones(len(validation.row), bool) if with_seen else ~validation.repeat
        found.append(measures(validation, ranks(scores, validation.row, validation.item), counted))
    return worth_of(found)
