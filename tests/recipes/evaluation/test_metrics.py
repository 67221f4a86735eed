"""Metrics against cases worked by hand and against a plain second implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recipes.evaluation import metrics

LISTS = st.lists(
    st.tuples(st.permutations(range(12)), st.lists(st.integers(0, 15), max_size=6)), min_size=1, max_size=5
)


def hits_at(*ranks: int, size: int) -> np.ndarray:
    return np.isin(np.arange(1, size + 1), ranks)[None, :]


def test_it_works():
    hits = hits_at(2, 5, size=5)
    assert metrics.reciprocal_rank(hits, 25)[0] == 0.5
    assert metrics.ndcg(hits, np.array([2]), 5)[0] == pytest.approx(0.6241, abs=5e-5)
    assert metrics.ndcg_in_list(hits, 5)[0] == pytest.approx(0.6241, abs=5e-5)
    assert metrics.precision(hits, 5)[0] == pytest.approx(0.4)


def test_first_hits_at_four_two_and_six_have_a_mean_reciprocal_rank_of_0_3056():
    hits = np.concatenate([hits_at(rank, size=25) for rank in (4, 2, 6)])
    assert metrics.reciprocal_rank(hits, 25).mean() == pytest.approx(0.3056, abs=5e-5)


def test_three_of_ten_shown_is_a_precision_of_0_3():
    assert metrics.precision(hits_at(1, 4, 9, size=10), 10)[0] == pytest.approx(0.3)


def test_event_weights_of_0_3_and_0_1_are_gains_of_1_5_and_0_5():
    assert metrics.event_gains(np.array([0.3, 0.1])).tolist() == pytest.approx([1.5, 0.5])


def test_what_the_list_missed_counts_in_the_strict_ndcg_only():
    hits = hits_at(1, size=10)
    assert metrics.ndcg_in_list(hits, 10)[0] == 1
    assert metrics.ndcg(hits, np.array([2]), 10)[0] == pytest.approx(1 / (1 + 1 / math.log2(3)))


@given(LISTS)
def test_all_agree_with_a_plain_implementation(lists):
    ranked = np.array([order for order, _ in lists])
    offsets = np.cumsum([0, *(len(truth) for _, truth in lists)])
    truth = np.array([item for _, items in lists for item in items], np.int64)
    hits, relevant = metrics.find_hits(ranked, offsets, truth), metrics.count_relevant(offsets, truth)
    for k in (1, 5, 10):
        ours = {
            "rr": metrics.reciprocal_rank(hits, k),
            "precision": metrics.precision(hits, k),
            "recall": metrics.recall(hits, relevant, k),
            "hit": metrics.hit_rate(hits, k),
            "ap": metrics.average_precision(hits, relevant, k),
            "ndcg": metrics.ndcg(hits, relevant, k),
            "ndcg_in_list": metrics.ndcg_in_list(hits, k),
        }
        for row, (order, items) in enumerate(lists):
            assert {name: values[row] for name, values in ours.items()} == pytest.approx(
                plain(order, set(items), k), abs=1e-6
            )


def plain(order, truth, k):
    """The same figures, straight from the definitions."""
    ranks = [rank for rank, item in enumerate(order[:k], 1) if item in truth]
    gain = sum(1 / math.log2(1 + rank) for rank in ranks)
    ideal = sum(1 / math.log2(1 + rank) for rank in range(1, min(k, len(truth)) + 1))
    in_list = sum(1 / math.log2(1 + rank) for rank in range(1, len(ranks) + 1))
    precisions = [place / rank for place, rank in enumerate(ranks, 1)]
    return {
        "rr": 1 / ranks[0] if ranks else 0,
        "precision": len(ranks) / k,
        "recall": len(ranks) / len(truth) if truth else 0,
        "hit": float(bool(ranks)),
        "ap": sum(precisions) / len(truth) if truth else 0,
        "ndcg": gain / ideal if ideal else 0,
        "ndcg_in_list": gain / in_list if ranks else 0,
    }


def test_nothing_recommended_is_no_hit_and_covers_nothing():
    ranked = np.full((2, 5), -1)
    assert not metrics.find_hits(ranked, np.array([0, 1, 1]), np.array([0])).any()
    assert metrics.coverage(ranked, 10) == 0
    assert metrics.novelty(ranked, np.ones(10, np.int64), 4).tolist() == [0, 0]


def test_diversity_agrees_with_all_pairs():
    rng = np.random.default_rng(0)
    features = rng.random((9, 4)) * (rng.random((9, 4)) < 0.6)
    ranked = np.array([rng.permutation(9)[:5] for _ in range(6)])
    norms = np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    cosine = (features / norms) @ (features / norms).T
    expected = [
        np.mean([1 - cosine[a, b] for i, a in enumerate(row) for j, b in enumerate(row) if i != j]) for row in ranked
    ]
    assert metrics.intra_list_diversity(ranked, sparse.csr_matrix(features)) == pytest.approx(expected, abs=1e-6)


def test_gini_is_0_for_even_and_near_1_for_all_on_one():
    assert metrics.gini(np.arange(10)[:, None], 10) == pytest.approx(0)
    assert metrics.gini(np.zeros((10, 1), np.int64), 10) == pytest.approx(0.9)


def test_segments_count_the_top_one_percent_of_users():
    hits = np.array([[True, False, True, True]])
    assert metrics.hits_at_1_percent(hits, 300).tolist() == [2]
    assert metrics.recall_at_1_percent(hits, np.array([4]), 300).tolist() == [0.5]


def test_a_trend_that_fell_instead_is_worth_nothing():
    before, after = np.array([5, 0, 0]), np.array([0, 4, 1])
    assert metrics.trend_prediction_accuracy(np.array([0]), before, after, 1) == 0
    assert metrics.trend_prediction_accuracy(np.array([1, 2]), before, after, 2) == 1
