"""Paired comparison: finds what is there, does not find what is not, and refuses different tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from recipes import significance
from recipes.evaluation import Evaluation

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


def test_holm_is_monotone_and_at_most_one():
    assert significance.holm([0.5, 0.001, 0.6]) == pytest.approx([1, 0.003, 1])
    assert significance.holm([]) == []
