"""The statistics of controlled experiments against published figures, scipy and the properties they must have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recipes.evaluation.lift import (
    MISMATCH,
    Arm,
    difference,
    events_lift,
    lift,
    rate_interval,
    sample_ratio,
    users_needed,
)


def test_it_works():
    found = lift(Arm(5000, 500), Arm(5000, 580))
    assert found is not None
    assert found.value == pytest.approx(0.16)
    assert found.is_significant
    assert found.low < 0.16 < (found.high or 0)


def test_the_ratio_is_koopmans():
    """His example of 1984: 36 of 40 against 16 of 80."""
    found = lift(Arm(80, 16), Arm(40, 36))
    assert [found.low + 1, found.high + 1] == pytest.approx([2.9396, 7.1522], abs=1e-4)


@pytest.mark.parametrize(
    ("treated", "control", "expected"),
    [((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090)), ((10, 10), (0, 20), (0.6791, 1.0))],
)
def test_the_difference_is_newcombes(treated, control, expected):
    """Method 10 of his table II."""
    found = difference(Arm(control[1], control[0]), Arm(treated[1], treated[0]))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-4)


def test_the_p_value_is_the_chi_square_tests():
    table = [[500, 4500], [580, 4420]]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert lift(Arm(5000, 500), Arm(5000, 580)).p_value == pytest.approx(expected)
    assert difference(Arm(5000, 500), Arm(5000, 580)).p_value == pytest.approx(expected)


def test_the_interval_leaves_out_no_change_exactly_when_the_test_rejects():
    rng = np.random.default_rng(3)
    for _ in range(100):
        n, m = rng.integers(20, 3000, 2)
        control, treatment = Arm(int(n), int(rng.integers(1, n))), Arm(int(m), int(rng.integers(0, m)))
        found = lift(control, treatment)
        assert found.is_significant is not (found.low <= 0 <= found.high), (control, treatment)


def test_the_interval_holds_the_truth_in_19_of_20_experiments():
    rng = np.random.default_rng(5)
    control, treatment = rng.binomial(2000, 0.08, 400), rng.binomial(1000, 0.1, 400)
    found = [lift(Arm(2000, int(x)), Arm(1000, int(y))) for x, y in zip(control, treatment, strict=True)]
    assert np.mean([one.low <= 0.25 <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)


def test_wilsons_interval_is_scipys():
    theirs = stats.binomtest(48, 80).proportion_ci(method="wilson")
    assert rate_interval(Arm(80, 48)) == pytest.approx((theirs.low, theirs.high))


def test_events_per_user_are_compared_as_welch_does():
    rng = np.random.default_rng(1)
    before, after = rng.poisson(1.0, 4000), rng.poisson(1.1, 6000)
    arms = [Arm(len(n), int((n > 0).sum()), int(n.sum()), int((n**2).sum())) for n in (before, after)]
    found = events_lift(*arms)
    assert found.value == pytest.approx(after.mean() / before.mean() - 1)
    assert found.p_value == pytest.approx(stats.ttest_ind(after, before, equal_var=False).pvalue, rel=0.01)
    draws = [rng.choice(after, 6000).mean() / rng.choice(before, 4000).mean() - 1 for _ in range(1000)]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.006)


def test_the_split_is_tested_as_scipy_does():
    expected = stats.chisquare([5000, 5200], [5100, 5100]).pvalue
    assert sample_ratio(Arm(5000), Arm(5200), 0.5) == pytest.approx(expected)
    assert sample_ratio(Arm(9000), Arm(1000), 0.1) == pytest.approx(1.0)
    assert sample_ratio(Arm(9000), Arm(1400), 0.1) < MISMATCH


@pytest.mark.parametrize(("rate", "effect", "each"), [(0.1, 0.2, 3841), (0.5, 0.5, 58)])
def test_the_users_needed_are_those_of_rs_power_prop_test(rate, effect, each):
    assert users_needed(rate, effect, 0.5) == 2 * each


def test_the_power_is_what_was_promised_for_an_uneven_split():
    rng = np.random.default_rng(2)
    users = users_needed(0.1, 0.3, 0.2)
    treated = users // 5
    x, y = rng.binomial(users - treated, 0.1, 500), rng.binomial(treated, 0.13, 500)
    found = [lift(Arm(users - treated, int(a)), Arm(treated, int(b))) for a, b in zip(x, y, strict=True)]
    assert np.mean([one.is_significant for one in found]) == pytest.approx(0.8, abs=0.05)


def test_nothing_is_said_where_there_is_nothing():
    none, some = Arm(), Arm(100, 10, 12, 16)
    assert sample_ratio(none, none, 0.5) is None
    assert rate_interval(none) is None
    assert difference(none, some) is None
    assert lift(Arm(100, 0), some) is None
    assert lift(some, none) is None
    assert events_lift(Arm(100), some) is None
    assert users_needed(None, 0.1, 0.5) is users_needed(0.0, 0.1, 0.5) is users_needed(0.9, 0.5, 0.5) is None


def test_extremes_stay_within_bounds():
    assert lift(Arm(1000, 100), Arm(1000, 0)).low == -1
    assert lift(Arm(10, 10), Arm(10, 10)).value == 0
    assert lift(Arm(10, 10), Arm(10, 10)).p_value == 1
    one = Arm(1, 1, 1, 1)
    assert lift(one, one) is not None
    assert events_lift(one, one) is None
    assert (one + one).users == 2
