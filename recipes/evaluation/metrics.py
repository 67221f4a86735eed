"""What ranked lists are worth, as pure functions of arrays.

Per-query metrics take `hits`, (Q, K) booleans: whether the item at each rank, best first, is one that the query was to find.
They return (Q,) float32. Names without a suffix are the usual strict definitions; `ndcg_in_list` is NDCG as AWS words it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.numerics.arrays import distinct

Hits = NDArray[np.bool_]
PerQuery = NDArray[np.float32]


def find_hits(ranked: NDArray[np.int64], offsets: NDArray[np.int64], truth: NDArray[np.int64]) -> Hits:
    """Which of the ranked items are true: (Q, K) booleans.

    Args:
        ranked: (Q, K) item indexes, best first, -1 where there is none.
        offsets: (Q + 1,) where each query's true items begin in `truth`.
        truth: (T,) item indexes.

    >>> find_hits(np.array([[7, 3, -1]]), np.array([0, 2]), np.array([3, 9])).tolist()
    [[False, True, False]]
    """
    size = int(max(ranked.max(initial=0), truth.max(initial=0))) + 1
    rows = np.arange(len(ranked))
    wanted = distinct(np.repeat(rows, np.diff(offsets)) * size + truth)
    if len(wanted) == 0:
        return np.zeros(ranked.shape, bool)
    keys = rows[:, None] * size + ranked
    places = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    return np.asarray((wanted[places] == keys) & (ranked >= 0), bool)


def count_relevant(offsets: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many distinct true items each query has: (Q,).

    >>> count_relevant(np.array([0, 3, 3]), np.array([5, 5, 6])).tolist()
    [2, 0]
    """
    size = int(truth.max(initial=0)) + 1
    pairs = distinct(np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) * size + truth)
    return np.bincount(pairs // size, minlength=len(offsets) - 1).astype(np.int64)


def reciprocal_rank(hits: Hits, k: int) -> PerQuery:
    """1 / rank of the first hit among the first k, 0 if there is none; its mean is MRR@k.

    Hits at ranks 2 and 5: 1/2.

    >>> reciprocal_rank(np.array([[False, True, False, False, True]]), 5).tolist()
    [0.5]
    """
    top = hits[:, :k]
    return np.where(top.any(axis=1), 1 / (1 + top.argmax(axis=1)), 0).astype(np.float32)


def precision(hits: Hits, k: int) -> PerQuery:
    """Hits among the first k / k.

    >>> precision(np.array([[False, True, False, False, True]]), 5).round(4).tolist()
    [0.4000000059604645]
    """
    return np.asarray(hits[:, :k].sum(axis=1) / k, np.float32)


def recall(hits: Hits, relevant: NDArray[np.int64], k: int) -> PerQuery:
    """Hits among the first k / relevant items.

    >>> recall(np.array([[True, False]]), np.array([4]), 2).tolist()
    [0.25]
    """
    return np.asarray(hits[:, :k].sum(axis=1) / np.maximum(relevant, 1), np.float32)


def hit_rate(hits: Hits, k: int) -> PerQuery:
    """1 if anything among the first k is a hit, else 0.

    >>> hit_rate(np.array([[False, True], [False, False]]), 2).tolist()
    [1.0, 0.0]
    """
    return np.asarray(hits[:, :k].any(axis=1), np.float32)


def average_precision(hits: Hits, relevant: NDArray[np.int64], k: int) -> PerQuery:
    """Sum over hits of precision at their rank / relevant items, as trec_eval and ranx have it; its mean is MAP@k.

    Hits at ranks 1 and 4 of 2 relevant: (1/1 + 2/4) / 2 = 0.75.

    >>> average_precision(np.array([[True, False, False, True]]), np.array([2]), 4).tolist()
    [0.75]
    """
    top = hits[:, :k]
    at_rank = top.cumsum(axis=1) / (1 + np.arange(top.shape[1]))
    return np.asarray((at_rank * top).sum(axis=1) / np.maximum(relevant, 1), np.float32)


def ndcg(hits: Hits, relevant: NDArray[np.int64], k: int) -> PerQuery:
    """Strict NDCG: DCG = sum over hits at rank p <= k of 1 / log2(1 + p); the ideal has min(k, relevant) hits in front.

    Hits at ranks 2 and 5 of 2 relevant: (1/log2 3 + 1/log2 6) / (1 + 1/log2 3) = 1.0178 / 1.6309 = 0.6241.

    >>> ndcg(np.array([[False, True, False, False, True]]), np.array([2]), 5).round(4).tolist()
    [0.6241000294685364]
    """
    ideal = np.concatenate([[0.0], np.cumsum(discounts(k))])[np.minimum(relevant, k)]
    return _share(dcg(hits, k), ideal)


def ndcg_in_list(hits: Hits, k: int) -> PerQuery:
    """NDCG as AWS words it: the ideal is the same top k with its own hits sorted to the front; 0 without a hit.

    One hit at rank 2, whatever was missed: (1/log2 3) / 1 = 0.6309.

    >>> ndcg_in_list(np.array([[False, True, False]]), 3).round(4).tolist()
    [0.6309000253677368]
    """
    return ndcg(hits, hits[:, :k].sum(axis=1), k)


def weighted_ndcg_in_list(gains: NDArray[np.floating[Any]], k: int) -> PerQuery:
    """NDCG in AWS's wording with a gain for each rank: weight of the event's type / mean weight, 0 for a miss.

    Weights 0.3 and 0.1 give gains 1.5 and 0.5. The lesser first: (0.5 + 1.5/log2 3) / (1.5 + 0.5/log2 3) = 0.7967.

    >>> weighted_ndcg_in_list(np.array([[0.5, 1.5, 0.0]]), 3).round(4).tolist()
    [0.7967000007629395]
    """
    top = gains[:, :k]
    return _share(dcg(top, k), dcg(-np.sort(-top, axis=1), k))


def event_gains(weights: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """What a hit of each event type counts: its weight / the mean weight.

    >>> event_gains(np.array([0.3, 0.1])).round(4).tolist()
    [1.5, 0.5]
    """
    return np.asarray(weights, np.float64) / max(float(np.mean(weights)), 1e-12)


def reward_scale(rewards: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(N,) rewards that are not negative, as `average_rewards` needs them; unknown ones count nothing.

    Where some are negative, such as royalties to be kept low, all are counted from the lowest: r - min r. Where all are
    alike, each counts 1.

    >>> reward_scale(np.array([2.0, 0.5, np.nan])).tolist()
    [2.0, 0.5, 0.0]
    >>> reward_scale(np.array([-3.0, -1.0, 1.0, np.nan])).tolist()
    [0.0, 2.0, 4.0, 0.0]
    >>> reward_scale(np.array([-2.0, -2.0])).tolist()
    [1.0, 1.0]
    """
    known = np.isfinite(rewards)
    if not known.any():
        return np.zeros(len(rewards))
    low = min(0.0, float(rewards[known].min()))
    scaled = np.where(known, np.where(known, rewards, 0) - low, 0.0)
    return scaled if (scaled[known] > 0).any() else known.astype(np.float64)


def average_rewards(hits: Hits, rewards: NDArray[np.floating[Any]], k: int = 25) -> PerQuery:
    """Share of the reachable reward that the k items of highest reward among those recommended bring; NaN without a hit.

    For each query: reward of the hits among the k recommendations of highest reward / reward of all hits recommended.

    Args:
        hits: (Q, R) hits among all R recommended items.
        rewards: (Q, R) non-negative value of each recommended item.
        k: how many count.

    Hits of reward 3 and 1 among rewards 3, 2, 1; the best two bring 3 of 4.

    >>> average_rewards(np.array([[True, False, True]]), np.array([[3.0, 2.0, 1.0]]), 2).tolist()
    [0.75]
    """
    order = np.argsort(-rewards, axis=1, kind="stable")[:, :k]
    taken = (rewards * hits).sum(axis=1)
    best = np.take_along_axis(rewards * hits, order, axis=1).sum(axis=1)
    return np.where(taken > 0, best / np.where(taken > 0, taken, 1), np.nan).astype(np.float32)


def hits_at_1_percent(hits: Hits, num_users: int) -> PerQuery:
    """How many of the predicted top 1 % of users (at least one) really took the item; may exceed 1.

    >>> hits_at_1_percent(np.array([[True, True, False]]), 200).tolist()
    [2.0]
    """
    return np.asarray(hits[:, : one_percent(num_users)].sum(axis=1), np.float32)


def recall_at_1_percent(hits: Hits, relevant: NDArray[np.int64], num_users: int) -> PerQuery:
    """Which share of the users who took the item is in the predicted top 1 % of users.

    >>> recall_at_1_percent(np.array([[True, True, False]]), np.array([8]), 200).tolist()
    [0.25]
    """
    return recall(hits, relevant, one_percent(num_users))


def one_percent(num_users: int) -> int:
    """1 % of the users, rounded, at least one.

    >>> one_percent(943), one_percent(20)
    (9, 1)
    """
    return max(1, round(num_users / 100))


def coverage(ranked: NDArray[np.int64], num_items: int) -> float:
    """Distinct items recommended to anyone / items of the catalogue.

    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    return float(np.count_nonzero(exposures(ranked, num_items)) / max(1, num_items))


def gini(ranked: NDArray[np.int64], num_items: int) -> float:
    """How unevenly recommendations fall on the items: 0 all alike, towards 1 all on one.

    G = sum over items i, by rising exposure x, of (2 i - N - 1) x_i / (N sum x).
    Exposures 0 and 2: ((2 - 3) 0 + (4 - 3) 2) / (2 * 2) = 0.5.

    >>> gini(np.array([[0], [0]]), 2)
    0.5
    """
    return gini_of(exposures(ranked, num_items), num_items)


def gini_of(counts: NDArray[np.int64], num_items: int) -> float:
    """`gini` of (M,) exposures; the items of the catalogue that have none may be left out.

    >>> gini_of(np.array([2]), 2)
    0.5
    """
    ranks = 2 * np.arange(num_items - len(counts) + 1, num_items + 1) - num_items - 1
    return float((ranks * np.sort(counts)).sum() / max(1, num_items * counts.sum()))


def exposures(ranked: NDArray[np.int64], num_items: int) -> NDArray[np.int64]:
    """(N,) how often each item is recommended."""
    return np.bincount(ranked[ranked >= 0], minlength=num_items).astype(np.int64)


def average_popularity(ranked: NDArray[np.int64], counts: NDArray[np.int64]) -> PerQuery:
    """Mean number of users of the recommended items.

    >>> average_popularity(np.array([[0, 1]]), np.array([10, 4])).tolist()
    [7.0]
    """
    return _mean_over_list(ranked, counts.astype(np.float64))


def novelty(ranked: NDArray[np.int64], counts: NDArray[np.int64], num_users: int) -> PerQuery:
    """Mean self-information of the recommended items, -log2(users of the item / all users), in bits; 0 users count as 1.

    Taken by half and by a quarter of 8 users: (1 + 2) / 2.

    >>> novelty(np.array([[0, 1]]), np.array([4, 2]), 8).tolist()
    [1.5]
    """
    return _mean_over_list(ranked, -np.log2(np.maximum(counts, 1) / max(1, num_users)))


def intra_list_diversity(ranked: NDArray[np.int64], features: sparse.csr_matrix) -> PerQuery:
    """Mean of 1 - cosine over all pairs of recommended items; rows of `features` (N, F) are items, 0 rows are unlike all.

    With unit rows v and m of them: 1 - (|sum v|^2 - sum |v|^2) / (m (m - 1)).

    >>> intra_list_diversity(np.array([[0, 1, 2]]), sparse.csr_matrix([[1.0, 0], [1, 0], [0, 1]])).round(4).tolist()
    [0.666700005531311]
    """
    norms = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    unit = sparse.diags_array(1 / np.where(norms > 0, norms, 1)) @ features
    rows, columns = np.nonzero(ranked >= 0)
    chosen = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, ranked[rows, columns])), shape=(len(ranked), features.shape[0])
    )
    total = chosen @ unit
    together = np.asarray(total.multiply(total).sum(axis=1)).ravel()
    alone = chosen @ (norms > 0).astype(np.float64)
    size = np.asarray(chosen.sum(axis=1)).ravel()
    return np.asarray(1 - (together - alone) / np.maximum(size * (size - 1), 1), np.float32)


def trend_prediction_accuracy(
    ranked: NDArray[np.int64], before: NDArray[np.int64], after: NDArray[np.int64], k: int = 25
) -> float:
    """Rise of the recommended items / rise of the k items that really rose most; never below 0.

    Rises 5, 0 and 3; recommended the first and second of k = 2: 5 / 8.

    >>> trend_prediction_accuracy(np.array([0, 1]), np.array([1, 1, 1]), np.array([6, 1, 4]), 2)
    0.625
    """
    rise = (after - before).astype(np.float64)
    best = np.sort(rise)[::-1][:k].clip(0).sum()
    return float(max(0.0, rise[ranked[:k][ranked[:k] >= 0]].sum()) / best) if best > 0 else 0.0


LESS_IS_BETTER = ("gini", "average_popularity")


def less_is_better(name: str) -> bool:
    """Whether a lower value of a metric is better: lists of well-known items and of the same few discover less.

    >>> less_is_better("average_popularity_at_25"), less_is_better("coverage")
    (True, False)
    """
    return name.startswith(LESS_IS_BETTER)


def discounts(k: int) -> NDArray[np.float64]:
    """(k,) 1 / log2(1 + rank), for ranks from 1."""
    return 1 / np.log2(np.arange(2, k + 2))


def dcg(gains: NDArray[Any], k: int) -> NDArray[np.float64]:
    """(Q,) discounted gains of the first k ranks."""
    top = gains[:, :k]
    return np.asarray(top @ discounts(top.shape[1]), np.float64)


def _share(value: NDArray[np.float64], ideal: NDArray[np.float64]) -> PerQuery:
    return np.where(ideal > 0, value / np.where(ideal > 0, ideal, 1), 0).astype(np.float32)


def _mean_over_list(ranked: NDArray[np.int64], values: NDArray[np.float64]) -> PerQuery:
    there = ranked >= 0
    total = np.where(there, values[np.where(there, ranked, 0)], 0).sum(axis=1)
    return np.asarray(total / np.maximum(there.sum(axis=1), 1), np.float32)
