"""Paired comparison: finds what is there, does not find what is not, and refuses different tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from recipes.data import Ids
from recipes.evaluation import significance
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.metrics import coverage, gini
from recipes.evaluation.shown import Shown

NAMES = ("mean_reciprocal_rank_at_25", "precision_at_10")


def evaluation(values: dict[str, np.ndarray], fingerprint: str = "same") -> Evaluation:
    told = {name: column.astype(np.float32) for name, column in values.items()}
    return Evaluation(fingerprint, "amazon", 0, told, {name: float(v.mean()) for name, v in told.items()}, {})


@pytest.fixture
def base() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.random(200) for name in NAMES}


def test_it_works(base):
    better = {"mean_reciprocal_rank_at_25": base[NAMES[0]] + 0.1, "precision_at_10": base[NAMES[1]][::-1]}
    found = significance.compare(evaluation(base), evaluation(better))
    assert [comparison.verdict for comparison in found] == ["better", "no difference shown"]
    assert found[0].difference == pytest.approx(0.1, abs=1e-4)
    assert found[0].low <= 0.1001
    assert found[0].high >= 0.0999
    assert "better" in found[0].sentence()


def test_the_other_way_round_is_worse(base):
    worse = {name: column - 0.1 for name, column in base.items()}
    assert {c.verdict for c in significance.compare(evaluation(base), evaluation(worse))} == {"worse"}


def test_equal_models_show_no_difference(base):
    for comparison in significance.compare(evaluation(base), evaluation(base)):
        assert comparison.p_value == 1
        assert comparison.verdict == "no difference shown"


def test_it_refuses_different_tests_and_names_both(base):
    with pytest.raises(ValueError, match=r"aaa.*bbb"):
        significance.compare(evaluation(base, "aaa"), evaluation(base, "bbb"))


def test_it_refuses_a_metric_that_is_not_in_both(base):
    with pytest.raises(ValueError, match="hit_rate_at_5"):
        significance.compare(evaluation(base), evaluation(base), metrics=["hit_rate_at_5"])


def test_p_values_agree_with_all_sign_flips():
    differences = np.array([0.4, -0.1, 0.3, 0.2, 0.5, 0.1, -0.2, 0.3])
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=8)]
    exact = np.mean([total >= abs(differences.sum()) - 1e-9 for total in sums])
    found = significance.sign_flip_p_values({"x": differences}, flips=20_000)["x"]
    assert found == pytest.approx(exact, abs=0.01)


def test_luck_alone_is_rarely_called_a_difference():
    rng = np.random.default_rng(1)
    called = 0
    for seed in range(60):
        first, second = rng.random((2, 80))
        pair = (evaluation({NAMES[0]: first}), evaluation({NAMES[0]: second}))
        called += significance.compare(*pair, seed=seed)[0].verdict != "no difference shown"
    assert called <= 8


def test_queries_where_a_metric_is_not_defined_are_left_out(base):
    holed = {name: np.where(np.arange(200) < 50, np.nan, column) for name, column in base.items()}
    found = significance.compare(evaluation(base), evaluation({n: c + 0.2 for n, c in holed.items()}))
    assert found[0].difference == pytest.approx(0.2, abs=1e-4)


def with_lists(ranked: np.ndarray, num_items: int = 100) -> Evaluation:
    """An evaluation of nothing but these (Q, K) lists."""
    items = np.unique(ranked)
    places = np.searchsorted(items, ranked).astype(np.int32)
    none, size = np.zeros(0, np.int32), len(items)
    shown = Shown(
        Ids([f"u{user}" for user in range(len(ranked))]),
        Ids([f"i{item}" for item in items]),
        np.ones(len(ranked), np.int64),
        places,
        np.zeros(len(ranked) + 1, np.int64),
        none,
        np.ones(size, np.int64),
        np.zeros(size, np.int8),
        np.zeros(size, bool),
        np.array([num_items, 0, 0]),
        0,
    )
    figures = {"coverage": coverage(ranked, num_items), "gini": gini(ranked, num_items)}
    return Evaluation("same", "amazon", len(ranked), {}, figures, {}, shown=shown)


def test_coverage_and_gini_are_compared_by_whole_lists():
    rng = np.random.default_rng(2)
    narrow = rng.permuted(np.tile(np.arange(30), (60, 1)), axis=1)[:, :10]
    wide = rng.permuted(np.tile(np.arange(20, 80), (60, 1)), axis=1)[:, :10]
    found = {c.metric: c for c in significance.compare(with_lists(narrow), with_lists(wide), ["coverage", "gini"])}

    assert (found["coverage"].first, found["coverage"].second) == pytest.approx((0.3, 0.6))
    assert found["coverage"].verdict == "better"
    assert found["gini"].first == pytest.approx(gini(narrow, 100))
    assert found["gini"].second == pytest.approx(gini(wide, 100))
    assert found["gini"].difference < 0
    assert found["gini"].verdict == "better"  # the less, the more even
    assert all(c.low < c.difference < c.high for c in found.values())


def test_lists_that_differ_by_luck_alone_show_no_difference():
    rng, called = np.random.default_rng(3), 0
    for seed in range(20):
        first, second = (with_lists(rng.permuted(np.tile(np.arange(60), (20, 1)), axis=1)[:, :5]) for _ in range(2))
        called += any(c.adjusted <= 0.05 for c in significance.compare(first, second, ["coverage", "gini"], seed=seed))
    assert called <= 4


def test_holm_is_monotone_and_at_most_one():
    assert significance.holm([0.5, 0.001, 0.6]) == pytest.approx([1, 0.003, 1])
    assert significance.holm([]) == []
