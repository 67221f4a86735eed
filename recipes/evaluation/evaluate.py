"""Evaluate a fitted model on a frozen test: every metric for every query, means with intervals, and baselines beside them.

Per-query values are kept, so that any two models evaluated on the same test can be compared pair by pair later
(`recipes.evaluation.significance`). AWS's keys are as AWS words them: seen items stay in, and NDCG's ideal is the
list's own hits. The same figures by the usual definitions start with `strict_`; `unseen_` ones leave out what the user
has already taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy import sparse

from recipes import artefact
from recipes.base import Model
from recipes.columns import Categorical, Kind
from recipes.data import TrainingData
from recipes.evaluation import metrics
from recipes.evaluation.intervals import RESAMPLE_CELLS, RESAMPLES, Interval, Values, bootstrap
from recipes.evaluation.shown import KEPT, Shown
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.methods.popularity import distinct_users
from recipes.numerics.arrays import Indexes, distinct
from recipes.numerics.topk import top_k
from recipes.ranking import BATCH_BYTES, batches, mask_seen
from recipes.run import Run

DEPTH = 25  # how many items are evaluated
REWARD_DEPTH = 100  # how many are looked at for the 25 of highest reward
CUTOFFS = (5, 10, 25)
PEERS = 500  # users whose choices tell items apart where no metadata do
WITHOUT_A_BEST = ("novelty", "intra_list_diversity", "average_popularity")
AWS_METRICS = (
    "coverage",
    "mean_reciprocal_rank_",
    "normalized_discounted_cumulative_gain_",
    "precision_at_",
    "average_rewards_",
    "hits_at_1_percent",
    "recall_at_1_percent",
    "trend_prediction_accuracy",
    "action_",
)


@dataclass(frozen=True)
class Evaluation:
    """How good a model was on one frozen test.

    Attributes:
        fingerprint: of the split; only evaluations with the same one may be compared.
        protocol: how the split was made.
        num_queries: Q.
        values: every per-query metric by name, (Q,) float32; NaN where it is not defined for a query.
        figures: mean of every metric, and the metrics of the lists as a whole (coverage, gini).
        intervals: 95 % bootstrap interval of each figure.
        baselines: figures of "random", "popularity" and "best possible" on the same queries; the last has bounds that no
            lists pass, and none for what has no best (novelty, diversity, popularity).
        seconds: how long it took.
        shown: the lists themselves; written with the rest, read by `Shown.load`.
    """

    fingerprint: str
    protocol: str
    num_queries: int
    values: Values
    figures: dict[str, float]
    intervals: dict[str, Interval]
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    shown: Shown | None = None

    def aws_metrics(self) -> dict[str, float]:
        """The figures that AWS returns, under AWS's keys, to four decimals as AWS gives them."""
        return {name: round(value, 4) for name, value in self.figures.items() if is_aws_metric(name)}

    def save(self, folder: Path) -> None:
        """Write `evaluation.json` and `evaluation.safetensors` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.values, folder / "evaluation.safetensors")
        if self.shown:
            self.shown.save(folder)
        (folder / "evaluation.json").write_text(json.dumps(self.summary(), indent=1))

    @classmethod
    def load(cls, folder: Path) -> Evaluation:
        """Read what `save` wrote; per-query values are mapped, not copied."""
        kept: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
        kept["intervals"] = {name: (low, high) for name, (low, high) in kept["intervals"].items()}
        return cls(values=artefact.load_tensors(folder / "evaluation.safetensors"), **kept)

    def summary(self) -> dict[str, Any]:
        """All but the per-query values and lists, as plain JSON values."""
        return {name: value for name, value in self.__dict__.items() if name not in {"values", "shown"}}


@dataclass(frozen=True)
class Lists:
    """What was recommended: `ranked` (Q, K) with seen items, `unseen` (Q, K) without; -1 where there is none."""

    ranked: Indexes
    unseen: Indexes


def is_aws_metric(name: str) -> bool:
    """Whether AWS's GetSolutionMetrics has this key."""
    return name.startswith(AWS_METRICS)


def evaluate(
    model: Model,
    split: Split | SegmentSplit,
    *,
    run: Run | None = None,
    event_weights: Mapping[str, float] | None = None,
    rewards: NDArray[np.float64] | None = None,
    batch_size: int | None = None,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Evaluate `model`, fitted on `split.train`, by what the split's users did next.

    Args:
        model: offers `score`, or `segment` for a `SegmentSplit`.
        split: the frozen test.
        run: seed of the bootstrap, and who is shown how far it is ("evaluating").
        event_weights: weight of each event type; adds NDCG with event weights.
        rewards: (N,) value of each item; adds `average_rewards_at_k`.
        batch_size: queries scored at a time.
        resamples: of the bootstrap.
    """
    run, began = run or Run(), monotonic()
    if isinstance(split, SegmentSplit):
        evaluation = _evaluate_segments(model, split, run, resamples)
    else:
        evaluation = _evaluate_items(model, split, run, _Extras(event_weights, rewards), batch_size, resamples)
    return replace(evaluation, seconds=monotonic() - began)


def rank(
    model: Model, split: Split, depth: int = DEPTH, run: Run | None = None, batch_size: int | None = None
) -> Lists:
    """The best `depth` items for each query, with and without those already taken."""
    run, ranked, unseen = run or Run(), [], []
    for start, part, scores in batches(model, split.queries, batch_size):
        ranked.append(top_k(scores, depth).items)
        mask_seen(scores, part)
        unseen.append(top_k(scores, depth).items)
        run.report("evaluating", (start + len(part)) / len(split.queries))
    return Lists(np.concatenate(ranked), np.concatenate(unseen))


@dataclass(frozen=True)
class _Extras:
    event_weights: Mapping[str, float] | None
    rewards: NDArray[np.float64] | None


def _evaluate_items(
    model: Model, split: Split, run: Run, extras: _Extras, batch_size: int | None, resamples: int
) -> Evaluation:
    lists = rank(model, split, KEPT if extras.rewards is None else REWARD_DEPTH, run, batch_size)
    about = _Catalogue.of(split.train)
    values = _item_values(lists, split, about) | _extra_values(lists, split, extras)
    shapes = _shape_figures(lists, split.train.num_items)
    intervals = bootstrap(values, resamples, run.seed) | _shape_intervals(lists, split.train.num_items, run.seed)
    figures = {name: _mean(column) for name, column in values.items()} | shapes
    baselines = {
        name: {key: _mean(column) for key, column in _item_values(other, split, about).items()}
        | _shape_figures(other, split.train.num_items)
        for name, other in _baseline_lists(split, about.counts, run.seed).items()
    }
    baselines["best possible"] = _attainable(baselines["best possible"], len(split.queries), split.train.num_items)
    fields = (split.fingerprint, split.protocol, len(split.queries), values, figures, intervals, baselines)
    return Evaluation(*fields, shown=Shown.of(lists.ranked, split))


@dataclass(frozen=True)
class _Catalogue:
    """What the metrics beyond accuracy need to know of the items."""

    counts: NDArray[np.int64]
    num_users: int
    features: sparse.csr_matrix

    @classmethod
    def of(cls, data: TrainingData) -> _Catalogue:
        active = int(np.count_nonzero(np.diff(data.offsets)))
        return cls(distinct_users(data), active, _item_features(data))


def _item_features(data: TrainingData) -> sparse.csr_matrix:
    """(N, F): categories of the items' metadata, or which of some users took the item where there are none."""
    columns = [c for c in data.items.values() if isinstance(c, Categorical) and c.kind is Kind.CATEGORICAL]
    if columns:
        return sparse.hstack(
            [
                sparse.csr_matrix(
                    (np.ones(len(c.codes)), c.codes, c.offsets), shape=(data.num_items, len(c.categories))
                )
                for c in columns
            ]
        ).tocsr()
    step = max(1, -(-data.num_users // PEERS))
    some = data.interactions.user_index % step == 0
    places = (data.interactions.item_index[some], data.interactions.user_index[some] // step)
    matrix = sparse.csr_matrix((np.ones(len(places[0])), places), shape=(data.num_items, data.num_users // step + 1))
    matrix.data[:] = 1  # a user who came back counts once
    return matrix


def _item_values(lists: Lists, split: Split, about: _Catalogue) -> Values:
    truth = split.truth
    relevant = metrics.count_relevant(truth.offsets, truth.item_index)
    hits = metrics.find_hits(lists.ranked, truth.offsets, truth.item_index)
    fresh = metrics.find_hits(lists.unseen, truth.offsets, truth.item_index)
    values: Values = {"mean_reciprocal_rank_at_25": metrics.reciprocal_rank(hits, 25)}
    for k in CUTOFFS:
        values |= {
            f"normalized_discounted_cumulative_gain_at_{k}": metrics.ndcg_in_list(hits, k),
            f"precision_at_{k}": metrics.precision(hits, k),
            f"strict_ndcg_at_{k}": metrics.ndcg(hits, relevant, k),
            f"recall_at_{k}": metrics.recall(hits, relevant, k),
            f"hit_rate_at_{k}": metrics.hit_rate(hits, k),
            f"unseen_ndcg_at_{k}": metrics.ndcg(fresh, relevant, k),
            f"unseen_precision_at_{k}": metrics.precision(fresh, k),
            f"unseen_recall_at_{k}": metrics.recall(fresh, relevant, k),
            f"unseen_hit_rate_at_{k}": metrics.hit_rate(fresh, k),
        }
    return values | {
        "unseen_mrr_at_25": metrics.reciprocal_rank(fresh, 25),
        "map_at_25": metrics.average_precision(hits, relevant, 25),
        "novelty_at_25": metrics.novelty(lists.ranked[:, :25], about.counts, about.num_users),
        "intra_list_diversity_at_25": metrics.intra_list_diversity(lists.ranked[:, :25], about.features),
        "average_popularity_at_25": metrics.average_popularity(lists.ranked[:, :25], about.counts),
    }


def _extra_values(lists: Lists, split: Split, extras: _Extras) -> Values:
    values: Values = {}
    truth = split.truth
    if extras.event_weights:
        gains = _ranked_gains(lists.ranked[:, :DEPTH], split, extras.event_weights)
        name = "normalized_discounted_cumulative_gain_with_event_weights_at_"
        values |= {f"{name}{k}": metrics.weighted_ndcg_in_list(gains, k) for k in CUTOFFS}
    if extras.rewards is not None:
        hits = metrics.find_hits(lists.ranked, truth.offsets, truth.item_index)
        worth = np.where(lists.ranked >= 0, metrics.reward_scale(extras.rewards)[lists.ranked], 0)
        values["average_rewards_at_k"] = metrics.average_rewards(hits, worth)
    return values


def _ranked_gains(ranked: Indexes, split: Split, weights: Mapping[str, float]) -> NDArray[np.float64]:
    """(Q, K) gain of each recommended item: that of its heaviest true event, 0 for a miss."""
    names, truth = split.train.interactions.event_types, split.truth
    share = metrics.event_gains(np.fromiter(weights.values(), float))
    by_name = dict(zip(weights, share, strict=True))
    by_code = np.array([by_name.get(name, 0.0) for name in names] + [0.0])  # the last one is code -1
    gains = np.zeros(ranked.shape)
    for code in np.argsort(by_code[:-1], kind="stable"):  # heavier types overwrite lighter ones
        chosen = truth.event_type == code
        counts = np.bincount(truth.row[chosen], minlength=len(truth))
        offsets = np.concatenate([[0], np.cumsum(counts)])
        gains[metrics.find_hits(ranked, offsets, truth.item_index[chosen])] = by_code[code]
    return gains


def _shape_figures(lists: Lists, num_items: int) -> dict[str, float]:
    ranked = lists.ranked[:, :DEPTH]
    return {
        "coverage": metrics.coverage(ranked, num_items),
        "unseen_coverage": metrics.coverage(lists.unseen[:, :DEPTH], num_items),
        "gini": metrics.gini(ranked, num_items),
    }


def _attainable(figures: dict[str, float], num_queries: int, num_items: int) -> dict[str, float]:
    """The figures of the truth's own lists where they are the best there can be, and bounds for lists taken together."""
    kept = {name: value for name, value in figures.items() if not name.startswith(WITHOUT_A_BEST)}
    places = num_queries * DEPTH
    reachable = min(1.0, places / max(1, num_items))
    return kept | {"coverage": reachable, "unseen_coverage": reachable, "gini": 1 - reachable}


def _shape_intervals(lists: Lists, num_items: int, seed: int) -> dict[str, Interval]:
    """Intervals of coverage and gini: point ± 1.96 standard deviations over resampled queries.

    Resampling repeats queries and so lowers coverage; the spread is kept, the shift is not.
    """
    rng, size = np.random.default_rng(seed), len(lists.ranked)
    draws = int(np.clip(RESAMPLE_CELLS * 5 // max(1, size * DEPTH), 20, 200))
    drawn = []
    for _ in range(draws):
        rows = rng.integers(0, size, size)
        drawn.append(_shape_figures(Lists(lists.ranked[rows], lists.unseen[rows]), num_items))
    intervals = {}
    for name, point in _shape_figures(lists, num_items).items():
        spread = 1.96 * float(np.std([figures[name] for figures in drawn]))
        intervals[name] = (max(0.0, point - spread), min(1.0, point + spread))
    return intervals


def _baseline_lists(split: Split, counts: NDArray[np.int64], seed: int) -> dict[str, Lists]:
    rng, size, num_items = np.random.default_rng(seed), len(split.queries), split.train.num_items
    order = rng.permutation(num_items)[:DEPTH]
    chance = (rng.integers(0, num_items, (size, 1)) + order) % num_items  # distinct within a list, uniform over all
    best = _best_lists(split)
    return {"random": Lists(chance, chance), "popularity": _popular_lists(split, counts), "best possible": best}


def _popular_lists(split: Split, counts: NDArray[np.int64]) -> Lists:
    order = np.argsort(-counts, kind="stable")
    everyone = np.tile(order[:DEPTH], (len(split.queries), 1))
    unseen = np.full(everyone.shape, -1)
    seen = np.zeros(len(counts), bool)
    for row in range(len(split.queries)):
        history = split.queries.item_index[split.queries.offsets[row] : split.queries.offsets[row + 1]]
        seen[history] = True
        candidates = order[: DEPTH + len(history)]
        fresh = candidates[~seen[candidates]][:DEPTH]
        unseen[row, : len(fresh)] = fresh
        seen[history] = False
    return Lists(everyone, unseen)


def _best_lists(split: Split) -> Lists:
    """The true items first; nothing can be better."""
    best = np.full((len(split.queries), DEPTH), -1)
    truth = split.truth
    pairs = distinct(truth.row * split.train.num_items + truth.item_index)
    rows = pairs // split.train.num_items
    place = np.arange(len(pairs)) - np.searchsorted(rows, rows)
    kept = place < DEPTH
    best[rows[kept], place[kept]] = pairs[kept] % split.train.num_items
    return Lists(best, best)


def _evaluate_segments(model: Model, split: SegmentSplit, run: Run, resamples: int) -> Evaluation:
    num_users, width = split.train.num_users, metrics.one_percent(split.train.num_users)
    ranked = np.full((len(split.items), width), -1)
    step = max(1, BATCH_BYTES // (4 * num_users))
    for start in range(0, len(split.items), step):
        part = split.items[start : start + step]
        ranked[start : start + step] = top_k(model.segment(part), width).items
        run.report("evaluating", min(1.0, (start + step) / len(split.items)))
    values = _segment_values(ranked, split)
    baselines = {
        name: {key: _mean(column) for key, column in _segment_values(other, split).items()}
        | {"coverage": metrics.coverage(other, num_users)}
        for name, other in _segment_baselines(split, width, run.seed).items()
    }
    baselines["best possible"]["coverage"] = min(1.0, ranked.size / max(1, num_users))
    figures = {name: _mean(column) for name, column in values.items()} | {
        "coverage": metrics.coverage(ranked, num_users)
    }
    intervals = bootstrap(values, resamples, run.seed)
    return Evaluation(split.fingerprint, split.protocol, len(split.items), values, figures, intervals, baselines)


def _segment_values(ranked: Indexes, split: SegmentSplit) -> Values:
    relevant = metrics.count_relevant(split.offsets, split.user_index)
    hits = metrics.find_hits(ranked, split.offsets, split.user_index)
    return {
        "hits_at_1_percent": metrics.hits_at_1_percent(hits, split.train.num_users),
        "recall_at_1_percent": metrics.recall_at_1_percent(hits, relevant, split.train.num_users),
    }


def _segment_baselines(split: SegmentSplit, width: int, seed: int) -> dict[str, Indexes]:
    size, rng = len(split.items), np.random.default_rng(seed)
    active = np.argsort(-np.diff(split.train.offsets), kind="stable")[:width]
    best = np.full((size, width), -1)
    rows = np.repeat(np.arange(size), np.diff(split.offsets))
    place = np.arange(len(rows)) - split.offsets[rows]
    best[rows[place < width], place[place < width]] = split.user_index[place < width]
    chance = (rng.integers(0, split.train.num_users, (size, 1)) + np.arange(width)) % split.train.num_users
    return {"random": chance, "popularity": np.tile(active, (size, 1)), "best possible": best}


def _mean(values: NDArray[np.float32]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean(dtype=np.float64)) if len(known) else 0.0
