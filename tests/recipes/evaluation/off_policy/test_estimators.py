"""Off-policy estimators: right on enumerated worlds, honest intervals, and told apart by what they assume."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.evaluation.off_policy import actions, slates
from recipes.evaluation.off_policy.actions import ESTIMATORS, Logged
from recipes.evaluation.off_policy.estimates import diagnose, of_rounds
from recipes.evaluation.off_policy.slates import LoggedLists

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=30, deadline=None, derandomize=True)


def a_log(rounds, seed, lead=(), actions_=4, sharpness=1.0):
    """Logs of a random policy, with the value of another; rewards are clicks, predictions a little off."""
    rng = np.random.default_rng(seed)
    behaviour, target = rng.dirichlet(np.ones(actions_) * 5), rng.dirichlet(np.ones(actions_) / sharpness)
    chance, predicted = rng.random(actions_) * 0.5, rng.random(actions_) * 0.5
    taken = rng.choice(actions_, (*lead, rounds), p=behaviour)
    reward = (rng.random(taken.shape) < chance[taken]).astype(float)
    expected = np.full(taken.shape, float(target @ predicted))
    return Logged(reward, behaviour[taken], target[taken], predicted[taken], expected), float(target @ chance)


@quick
@given(seed=seeds)
def test_what_the_logging_policy_earned_is_its_mean_reward(seed):
    log, _ = a_log(200, seed)
    same = Logged(log.reward, log.behaviour, log.behaviour)
    for name in ("IPS", "SNIPS", "DR"):
        found = ESTIMATORS[name](same)
        assert found.value == pytest.approx(log.reward.mean())
        assert found.low <= found.value <= found.high


@quick
@given(seed=seeds)
def test_a_right_reward_model_leaves_no_variance_where_rewards_are_sure(seed):
    rng = np.random.default_rng(seed)
    worth, behaviour, target = rng.random(3), rng.dirichlet(np.ones(3) * 5), rng.dirichlet(np.ones(3))
    taken = rng.choice(3, 60, p=behaviour)
    log = Logged(worth[taken], behaviour[taken], target[taken], worth[taken], np.full(60, float(target @ worth)))
    for name in ("DR", "Switch-DR", "DRos"):
        found = ESTIMATORS[name](log)
        assert found.value == pytest.approx(target @ worth)
        assert found.standard_error == pytest.approx(0, abs=1e-9)


@quick
@given(seed=seeds)
def test_the_ends_of_the_parameters_are_dr_and_the_reward_model(seed):
    log, _ = a_log(100, seed)
    full, none = float(actions.dr(log).value), float(log.baseline.mean())
    assert actions.switch_dr(log, [np.inf]).value == pytest.approx(full)
    assert actions.switch_dr(log, [0.0]).value == pytest.approx(none)
    assert actions.dr_os(log, [np.inf]).value == pytest.approx(full)
    assert actions.dr_os(log, [1e12]).value == pytest.approx(full, rel=1e-6)
    assert actions.dr_os(log, [1e-12]).value == pytest.approx(none, abs=1e-6)


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_intervals_cover_what_the_policy_really_earns(name):
    log, truth = a_log(600, 5, lead=(400,), sharpness=0.3)
    found = ESTIMATORS[name](log)
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert 0.92 <= covered <= 0.985, (name, covered)


def test_many_logs_at_once_are_each_by_itself():
    log, _ = a_log(80, 3, lead=(5,))
    for estimator in ESTIMATORS.values():
        together = estimator(log)
        for place in range(5):
            parts = (log.reward, log.behaviour, log.target, log.predicted, log.expected)
            alone = estimator(Logged(*(part[place] for part in parts)))
            assert (together.value[place], together.low[place]) == pytest.approx((alone.value, alone.low))


def test_an_interval_of_skewed_rounds_leans_to_the_long_side():
    rounds = np.concatenate([np.zeros(95), np.full(5, 10.0)])
    found = of_rounds("mean", rounds)
    assert found.high - found.value > found.value - found.low
    plain = of_rounds("mean", np.tile([-1.0, 1.0], 50))
    assert plain.high == pytest.approx(-plain.low)


@pytest.mark.parametrize(
    ("behaviour", "target", "message"),
    [(0.0, 0.5, "not above 0"), (1.5, 0.5, "at most 1"), (0.5, -0.1, "not between 0 and 1")],
)
def test_it_refuses_what_is_no_probability(behaviour, target, message):
    with pytest.raises(ValueError, match=message):
        Logged(np.ones(3), np.full(3, behaviour), np.full(3, target))


def test_it_refuses_half_a_reward_model_and_a_single_round():
    with pytest.raises(ValueError, match="come together"):
        Logged(np.ones(3), np.ones(3), np.ones(3), predicted=np.ones(3))
    with pytest.raises(ValueError, match="two or more"):
        actions.ips(Logged(np.ones(1), np.ones(1), np.ones(1)))


def test_the_weights_tell_what_is_wrong_with_a_log():
    rng = np.random.default_rng(0)
    fine = diagnose(np.where(rng.random(2000) < 0.5, 2.0, 0.0))
    assert fine.warnings == []
    assert fine.effective_size == pytest.approx(1000, rel=0.1)
    [rough, one] = diagnose(np.concatenate([np.zeros(90), np.ones(9), [30.0]])).warnings[:2]
    assert "effective sample size is 2 of 100" in rough
    assert "One round has 77% of all weight" in one
    assert "never tried" in diagnose(np.where(rng.random(2000) < 0.3, 2.0, 0.0)).warnings[0]
    assert "too low" in diagnose(np.where(rng.random(2000) < 0.9, 2.0, 0.0)).warnings[0]


@quick
@given(seed=seeds)
def test_the_pseudo_inverse_is_unbiased_for_sums_over_places_without_repeats(seed):
    rng, items, places = np.random.default_rng(seed), 4, 2
    lists = list(permutations(range(items), places))
    shown = np.zeros((len(lists), places * items))
    for row, one in enumerate(lists):
        shown[row, [place * items + item for place, item in enumerate(one)]] = 1
    behaviour, target = rng.dirichlet(np.ones(len(lists)) * 3), rng.dirichlet(np.ones(len(lists)))
    worth = shown @ rng.random(places * items)
    weights = slates.slate_weights(shown.T @ (behaviour[:, None] * shown), target @ shown, shown)
    assert np.dot(behaviour, weights * worth) == pytest.approx(np.dot(target, worth))


@quick
@given(seed=seeds)
def test_list_estimators_are_unbiased_where_their_assumption_holds(seed):
    rng, items, places = np.random.default_rng(seed), 3, 3
    behaviour, target = rng.dirichlet(np.ones(items) * 3, places), rng.dirichlet(np.ones(items), places)
    lists = np.array(list(product(range(items), repeat=places)))
    at = np.arange(places)
    by_place, also = behaviour[at, lists], target[at, lists]
    chance, worth = by_place.prod(axis=1), rng.random((places, items))
    own = worth[at, lists]  # each place earns by its own item only: all assumptions hold
    cascade = own * np.cumprod(np.concatenate([np.ones((len(lists), 1)), 1 - own[:, :-1]], axis=1), axis=1)
    for reward, wanted in (
        (own, ("independent_ips", "cascade_ips", "cascade_dr", "pseudo_inverse", "list_ips")),
        (cascade, ("cascade_ips", "cascade_dr", "list_ips")),
    ):
        truth = float(also.prod(axis=1) @ reward.sum(axis=1))
        guess = rng.random((places, items)).cumsum(axis=0)[::-1]
        predicted, expected = guess[at, lists], np.broadcast_to((target * guess).sum(axis=1), lists.shape)
        for name in wanted:
            found = [
                float(getattr(slates, name)(pair(LoggedLists(*(part[None, row] for part in (reward, by_place, also, predicted, expected))))).value)
                for row in range(len(lists))
            ]  # fmt: skip
            assert np.dot(chance, found) == pytest.approx(truth), name


def pair(log):
    """The same round twice: an interval needs two."""
    parts = (log.reward, log.behaviour, log.target, log.predicted, log.expected)
    return LoggedLists(*(np.concatenate([part, part]) for part in parts))


def test_a_product_policys_pseudo_inverse_has_a_closed_form():
    rng, items, places = np.random.default_rng(1), 3, 2
    behaviour, target = rng.dirichlet(np.ones(items) * 3, places), rng.dirichlet(np.ones(items), places)
    lists = np.array(list(product(range(items), repeat=places)))
    shown = np.zeros((len(lists), places * items))
    shown[np.arange(len(lists))[:, None], np.arange(places) * items + lists] = 1
    chance = behaviour[np.arange(places), lists].prod(axis=1)
    weights = slates.slate_weights(shown.T @ (chance[:, None] * shown), target.ravel(), shown)
    ratios = (target / behaviour)[np.arange(places), lists]
    np.testing.assert_allclose(weights, 1 - places + ratios.sum(axis=1), atol=1e-9)


def test_cascade_dr_varies_less_than_cascade_ips():
    rng = np.random.default_rng(2)
    items, places, rounds = 5, 4, 4000
    behaviour, target = rng.dirichlet(np.ones(items) * 4, places), rng.dirichlet(np.ones(items) * 2, places)
    at, worth = np.arange(places), rng.random((places, items))
    taken = np.stack([rng.choice(items, rounds, p=behaviour[place]) for place in range(places)], axis=1)
    own = (rng.random(taken.shape) < worth[at, taken]).astype(float)
    rest = np.append((target * worth).sum(axis=1)[::-1].cumsum()[::-1], 0)  # expected from each place on
    predicted = worth[at, taken] + rest[1:]
    expected = np.broadcast_to(rest[:-1], taken.shape)
    log = LoggedLists(own, behaviour[at, taken], target[at, taken], predicted, expected)
    assert slates.cascade_dr(log).standard_error < slates.cascade_ips(log).standard_error
    assert slates.cascade_dr(log).low < rest[0] < slates.cascade_dr(log).high
