"""The meta-model of the stack: a multinomial logit model of what comes next, with the base models' scores as its features.

The score of an item is a weighted sum of the base models' scores; the weights are those under which the held-out events
are most likely among the items that any base model ranks near the top (McFadden 1974; stacking, Wolpert 1992). The
likelihood is convex, so there is one optimum, found in a second or two; a base model that only repeats others gets no weight.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recipes.components.repeats import Seen, log_rates, seen_scores
from recipes.executor import THIS_MACHINE
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import top_k
from recipes.stacking.holdout import Validation, measures, quality_of, ranks

SHORTLIST_SIZE = 20  # items of each base model that the meta-model is fitted on
NEVER = -12.0  # what a seen item loses where data never repeat
PRIOR = 10.0  # strength of the L2 prior, in queries
REPEAT_PRIOR = 0.1  # the same, of the weights of seen items
STEPS = 150  # of the optimiser, at most
EITHER_SIGN = ("popularity", "trend")  # may have negative weights; all others are at least 0
LESS_POPULAR = (0.06, 0.12)  # by which the weight of popularity may be lower than the likeliest
WIDENING_COST = 0.005  # share of the quality that this may cost


@dataclass(frozen=True)
class CrossPredictions:
    """What the base models predict for B held-out queries: scores (B, N) by name, and the repeat rates (S,) of the seen items."""

    scores: Mapping[str, Floats]
    seen: Seen
    rates: Floats


@dataclass(frozen=True)
class MetaModel:
    """The weights of a stack.

    Attributes:
        weights: of each base model's scores.
        repeat: weight of the logarithm of a seen item's repeat rate.
        seen: added to the score of seen items; very negative where data never repeat.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    repeat: float = 0.0
    seen: float = 0.0

    def predict(self, predictions: CrossPredictions) -> Floats:
        """(B, N) weighted sums; a fresh array."""
        total = np.zeros_like(next(iter(predictions.scores.values())))
        for name, scores in predictions.scores.items():
            total += np.float32(self.weights.get(name, 0.0)) * scores
        seen = predictions.seen
        total[seen.row, seen.item] += seen_scores(predictions.rates, self.seen, self.repeat)
        return total


@dataclass(frozen=True)
class Shortlist:
    """The items that are compared for each query: R pairs of a query and an item, those of a query together.

    Attributes:
        row, item: (R,).
        begins: (Q',) where each query that has any begins.
        query: (R,) number of the pair's query among those.
        values: (F, R) float64, each base model's scores, divided by their spread.
        spread: (F,) standard deviation of each base model's scores.
        names: of the base models.
    """

    row: Indexes
    item: Indexes
    begins: Indexes
    query: Indexes
    values: NDArray[np.float64]
    spread: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, predictions: CrossPredictions, shortlist: NDArray[np.bool_]) -> Shortlist:
        """The scores of the pairs that are true in (B, N) `shortlist`."""
        row, item = np.nonzero(shortlist)
        is_first = np.diff(row, prepend=-1) > 0
        values = np.array([scores[row, item] for scores in predictions.scores.values()], np.float64)
        spread = np.maximum(values.std(axis=1), 1e-12)
        query = np.cumsum(is_first) - 1
        return cls(
            row, item, np.flatnonzero(is_first), query, values / spread[:, None], spread, tuple(predictions.scores)
        )

    def weighted_sum(self, weights: Mapping[str, float]) -> NDArray[np.float64]:
        """(R,) the weighted sum of the base models' scores."""
        by_spread = [weights.get(name, 0.0) * spread for name, spread in zip(self.names, self.spread, strict=True)]
        total: NDArray[np.float64] = np.array(by_spread) @ self.values
        return total

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(Q',) of (R,) values."""
        found: NDArray[np.float64] = np.add.reduceat(values, self.begins)
        return found


def fit_meta_model(
    validation: Validation,
    predictions: CrossPredictions,
    watch: Callable[[], bool | None],
    at_least: Mapping[str, float] | None = None,
    core: Collection[str] = (),
) -> tuple[MetaModel, float, dict[str, float]]:
    """Fit the weights under which what followed is most likely.

    Args:
        validation: what followed.
        predictions: the base models' scores of its histories.
        watch: called at each step; may raise StopRequested; where it returns true, the search ends with the best so far.
        at_least: base models that must stay, with their least weight (by their spread).
        core: base models whose weights are the mean of a fit with all and a fit without the others; this shrinks what a few
            held-out events happen to favour, popularity above all.

    Returns:
        The meta-model, its quality on the same events, and the weights by the base models' spread, which can be compared.
    """
    near_the_top = _near_the_top(validation, predictions)
    shortlist = Shortlist.of(predictions, near_the_top)
    target = _targets(shortlist, validation, near_the_top.shape[1], with_repeats=False)
    bounds = [_bounds(name, at_least or {}) for name in shortlist.names]
    found = _likeliest(shortlist, target, bounds, PRIOR, watch)
    in_core = np.flatnonzero([name in core for name in shortlist.names])
    if len(in_core):
        core_bounds = [bounds[number] for number in in_core]
        found[in_core] += _likeliest(shortlist, target, core_bounds, PRIOR, watch, shortlist.values[in_core])
        found /= 2
    weights = {
        name: weight / spread
        for name, weight, spread in zip(shortlist.names, found.tolist(), shortlist.spread.tolist(), strict=True)
        if weight
    }
    meta = MetaModel(weights, seen=NEVER)
    near_the_top[predictions.seen.row, predictions.seen.item] = True
    every = Shortlist.of(predictions, near_the_top)
    if validation.repeating:
        meta = _with_repeats(meta, every, validation, predictions, watch)
    spreads = zip(shortlist.names, shortlist.spread.tolist(), strict=True)
    shares = {name: weights[name] * spread for name, spread in spreads if name in weights}
    return meta, _quality(meta, every, validation, predictions), shares


def less_popular(meta: MetaModel, validation: Validation, predictions: CrossPredictions) -> tuple[MetaModel, float]:
    """Lower the weight of popularity as far as costs next to no quality; return the meta-model and its quality.

    Held-out events hardly determine how much popularity should count, and coverage depends on it.
    """
    near_the_top = _near_the_top(validation, predictions)
    near_the_top[predictions.seen.row, predictions.seen.item] = True
    shortlist = Shortlist.of(predictions, near_the_top)
    best = quality = _quality(meta, shortlist, validation, predictions)
    before = meta.weights.get("popularity", 0.0)
    for less in LESS_POPULAR:
        other = replace(meta, weights={**meta.weights, "popularity": before - less})
        found = _quality(other, shortlist, validation, predictions)
        if found < (1 - WIDENING_COST) * best:
            break
        meta, quality, best = other, found, max(best, found)
    return meta, quality


def _bounds(name: str, at_least: Mapping[str, float]) -> tuple[float | None, float | None]:
    return (None, None) if name in EITHER_SIGN else (at_least.get(name, 0.0), None)


def _near_the_top(validation: Validation, predictions: CrossPredictions) -> NDArray[np.bool_]:
    """(B, N) true for each query's best unseen items by every base model whose scores differ between queries."""
    seen = validation.seen
    telling = [scores for scores in predictions.scores.values() if scores.strides[0]] or list(
        predictions.scores.values()
    )
    size, width = telling[0].shape
    shortlist = np.zeros((size, width), bool)

    def best(scores: Floats) -> Indexes:
        fresh = np.array(scores)
        fresh[seen.row, seen.item] = -np.inf
        return top_k(fresh, min(SHORTLIST_SIZE, width)).items

    for found in THIS_MACHINE.map(best, telling):
        row, place = np.nonzero(found >= 0)
        shortlist[row, found[row, place]] = True
    shortlist[seen.row, seen.item] = False
    return shortlist


def _targets(shortlist: Shortlist, validation: Validation, width: int, *, with_repeats: bool) -> NDArray[np.float64]:
    """(R,) target shares: a query's add up to the mean weight of the events that followed; the next counts twice."""
    counted = np.full(len(validation.row), fill_value=True) if with_repeats else ~validation.repeat
    truths = (validation.row * width + validation.item)[counted]
    keys = shortlist.row * width + shortlist.item
    if not len(truths):
        return np.zeros(len(keys))
    order = np.argsort(truths)
    place = order[np.minimum(np.searchsorted(truths[order], keys), len(truths) - 1)]
    follows = truths[place] == keys
    event_weight = np.where(follows, validation.weight[counted][place], 0.0)
    share = event_weight * (1.0 + validation.first[counted][place])
    shares: NDArray[np.float64] = (
        share
        * _ratio(shortlist.sums(event_weight), shortlist.sums(share) * shortlist.sums(1.0 * follows))[shortlist.query]
    )
    return shares


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _likeliest(
    shortlist: Shortlist,
    target: NDArray[np.float64],
    bounds: Sequence[tuple[float | None, float | None]],
    prior: float,
    watch: Callable[[], bool | None],
    values: NDArray[np.float64] | None = None,
    offset: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Weights (F,) of the features `values` (F, R) that make the targets likeliest, given the scores `offset`."""
    features = shortlist.values if values is None else values
    mass = shortlist.sums(target)
    size = max(1e-12, float(mass.sum()))
    ridge = prior / max(1, int((mass > 0).sum()))
    mean, is_over = features @ target, False

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal is_over
        is_over = bool(watch())
        scores = weights @ features + offset
        scores -= np.maximum.reduceat(scores, shortlist.begins)[shortlist.query]
        raised = np.exp(scores)
        total = shortlist.sums(raised)
        likelihood = float(target @ scores - mass @ np.log(total))
        raised *= (mass / total)[shortlist.query]
        gradient = (features @ raised - mean) / size + 2 * ridge * weights
        return -likelihood / size + ridge * float(weights @ weights), gradient

    def step(_: NDArray[np.float64]) -> None:
        if is_over:
            raise StopIteration

    start = np.array([max(0.1, low or 0.0) if low is not None else 0.0 for low, _ in bounds])
    if not target.any():
        return start
    options = {"maxiter": STEPS, "ftol": 1e-7}
    found: NDArray[np.float64] = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", callback=step, options=options
    ).x
    return found


def _with_repeats(
    meta: MetaModel,
    shortlist: Shortlist,
    validation: Validation,
    predictions: CrossPredictions,
    watch: Callable[[], bool | None],
) -> MetaModel:
    """The meta-model with the weights of seen items fitted, all other weights fixed."""
    shape = next(iter(predictions.scores.values())).shape
    rates = np.zeros(shape, np.float32)
    rates[predictions.seen.row, predictions.seen.item] = log_rates(predictions.rates)
    is_seen = np.zeros(shape, bool)
    is_seen[predictions.seen.row, predictions.seen.item] = True
    features = np.stack([known[shortlist.row, shortlist.item] for known in (is_seen, rates)]).astype(np.float64)
    target = _targets(shortlist, validation, shape[1], with_repeats=True)
    free = [(None, None), (None, None)]
    offset = shortlist.weighted_sum(meta.weights)
    seen, repeat = _likeliest(shortlist, target, free, REPEAT_PRIOR, watch, features, offset).tolist()
    return MetaModel(meta.weights, repeat, seen)


def _quality(meta: MetaModel, shortlist: Shortlist, validation: Validation, predictions: CrossPredictions) -> float:
    """How well the meta-model ranks what followed within the shortlist; what is not in it counts as missed."""
    scores = np.full(next(iter(predictions.scores.values())).shape, -np.inf, np.float32)
    scores[shortlist.row, shortlist.item] = shortlist.weighted_sum(meta.weights)
    scores[predictions.seen.row, predictions.seen.item] += seen_scores(predictions.rates, meta.seen, meta.repeat)
    found = []
    for with_seen in (True, False) if validation.repeating else (False,):
        if not with_seen:
            scores[predictions.seen.row, predictions.seen.item] = -np.inf
        counted = np.ones(len(validation.row), bool) if with_seen else ~validation.repeat
        found.append(measures(validation, ranks(scores, validation.row, validation.item), counted))
    return quality_of(found)
