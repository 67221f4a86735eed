"""Experiments that are read every day, interleaving and CUPED: few false alarms, harm said like gain, variance saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.evaluation.adjustment import Sums, adjusted_lift
from recipes.evaluation.interleaving import (
    Credits,
    always_valid_preference,
    credit,
    preference,
    team_draft,
    users_needed,
)
from recipes.evaluation.lift import Arm, events_lift, lift
from recipes.evaluation.sequential import always_valid_lift, decide, harm

quick = settings(max_examples=50, deadline=None, derandomize=True)
counts = st.integers(50, 5000)


def read_daily(rate, true_lift, tests, seed, users=500, days=20):
    """The verdicts of experiments by the same rates."""
    rng = np.random.default_rng(seed)
    came = np.full((days, 2), users).cumsum(axis=0)
    verdicts = []
    for _ in range(tests):
        did = rng.binomial(users, [rate, rate * (1 + true_lift)], (days, 2)).cumsum(axis=0)
        verdicts.append(
            decide(
                [tuple(Arm(int(n), int(x)) for n, x in zip(*day, strict=True)) for day in zip(came, did, strict=True)],
                0.1,
            ).verdict
        )
    return verdicts


def test_looking_every_day_raises_few_false_alarms():
    verdicts = read_daily(0.1, 0.0, 300, 1)
    assert verdicts.count("BETTER") + verdicts.count("WORSE") <= 0.05 * 300


def test_harm_is_said_like_gain():
    assert read_daily(0.1, 0.3, 40, 2).count("BETTER") >= 39
    assert read_daily(0.1, -0.3, 40, 3).count("WORSE") >= 39


def test_what_is_as_good_is_given_up_once_no_effect_of_interest_is_left():
    assert read_daily(0.5, 0.0, 20, 4, users=4000).count("FUTILE") == 20


@quick
@given(users=counts, other=counts, shares=st.tuples(st.floats(0.05, 0.95), st.floats(0.05, 0.95)))
def test_the_interval_of_every_look_is_wider_than_that_of_one(users, other, shares):
    control, treatment = (
        Arm(n * 10, max(20, int(n * 10 * share))) for n, share in zip((users, other), shares, strict=True)
    )
    always, once = always_valid_lift(control, treatment, 0.1), lift(control, treatment)
    assert always.value == pytest.approx(once.value)
    assert always.low < once.low
    assert always.high > once.high
    assert (always.p_value <= 0.05) is not (always.low <= 0 <= always.high)


def test_few_outcomes_say_nothing_yet():
    assert always_valid_lift(Arm(1000, 19), Arm(1000, 300), 0.1) is None
    assert decide([], 0.1).verdict == "GO_ON"
    assert decide([(Arm(), Arm())], 0.1).p_value is None


def test_a_guardrail_is_broken_kept_or_open():
    assert harm(Arm(20_000, 4000), Arm(20_000, 3000), 0.05).high < -0.05
    assert harm(Arm(90_000, 40_000), Arm(90_000, 40_500), 0.05).low > -0.05
    still_open = harm(Arm(500, 100), Arm(500, 99), 0.05)
    assert still_open.low < -0.05 < still_open.high


@quick
@given(seed=st.integers(0, 10_000), size=st.integers(1, 12))
def test_a_draft_holds_both_rankings_fairly(seed, size):
    rng = np.random.default_rng(seed)
    first, second = (rng.permutation(15)[: rng.integers(1, 15)].tolist() for _ in range(2))
    draft = team_draft(first, second, size, rng)
    assert len(set(draft.items)) == len(draft.items) == min(size, len({*first, *second}))
    for team, ranking in enumerate((first, second)):
        own = [item for item, picked in zip(draft.items, draft.teams, strict=True) if picked == team]
        assert own == sorted(own, key=ranking.index)
    swapped = team_draft(second, first, size, rng)
    ranks = dict(zip(draft.items, draft.advantages, strict=True))
    assert all(
        value == pytest.approx(-ranks[item])
        for item, value in zip(swapped.items, swapped.advantages, strict=True)
        if item in ranks
    )


def test_the_same_ranking_twice_is_never_favoured():
    draft = team_draft([3, 1, 2], [3, 1, 2], 3, np.random.default_rng(0))
    assert draft.items == [3, 1, 2]
    assert credit(draft, [1, 2, 3]) == 0
    assert preference(Credits.of([0.0, 0.0])) is None


def test_interleaving_finds_the_better_ranking():
    rng = np.random.default_rng(3)
    good, bad = list(range(10)), list(range(9, -1, -1))
    chance = np.linspace(0.3, 0.0, 10)
    points = []
    for _ in range(300):
        draft = team_draft(bad, good, 5, rng)
        points.append(credit(draft, [item for item in draft.items if rng.random() < chance[item]]))
    found = Credits.of(points)
    assert found.second > found.first
    assert preference(found).low > 0
    assert always_valid_preference(found).low > 0
    assert always_valid_preference(found).low < preference(found).low
    assert users_needed(found.total / found.users, found.variance) < 300


def test_interleaving_read_every_day_raises_few_false_alarms():
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(200):
        points = rng.choice([-1.0, 0.0, 1.0], 2000, p=[0.1, 0.8, 0.1])
        looks = (always_valid_preference(Credits.of(points[:size])) for size in range(100, 2001, 100))
        alarms += any(look is not None and look.p_value <= 0.05 for look in looks)
    assert alarms <= 10


def sums(y, x):
    return Sums(
        len(y), float(y.sum()), float(x.sum()), float((y * y).sum()), float((x * x).sum()), float((x * y).sum())
    )


def test_activity_before_takes_out_what_no_arm_has_caused():
    rng = np.random.default_rng(5)
    habit = rng.gamma(1, 2, (2, 3000))
    before, after = rng.poisson(4 * habit), rng.poisson(2 * habit * np.array([[1.0], [1.1]]))
    found = adjusted_lift(*(sums(y, x) for y, x in zip(after, before, strict=True)))
    plain = events_lift(*(Arm(3000, 0, int(y.sum()), int((y * y).sum())) for y in after))
    assert found.lift.low < 0.1 < found.lift.high
    assert found.lift.high - found.lift.low < 0.6 * (plain.high - plain.low)
    assert found.variance_left == pytest.approx(1 - found.correlation**2)


def test_without_activity_before_nothing_can_be_adjusted():
    quiet = Sums(10, 5.0, 0.0, 5.0, 0.0, 0.0)
    assert adjusted_lift(quiet, quiet) is None
    assert adjusted_lift(Sums(10, 0.0, 5.0, 0.0, 5.0, 0.0), Sums(10, 3.0, 5.0, 3.0, 5.0, 1.0)) is None
