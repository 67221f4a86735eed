"""Click rates at the same places: true differences are found, places alone make none, and intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.evaluation.places import appeal, at_same_places, place_rates, rate_of

FADE = np.array([0.3, 0.2, 0.1, 0.05])  # what is clicked at each place, whatever stands there


def shown(rng, explored_share, clicks, shift=0.0):
    """Counts of lists in which the last places are explored more often."""
    explored = rng.binomial(600, explored_share)
    return (
        explored,
        rng.binomial(explored, np.clip(clicks + shift, 0, 1)),
        600 - explored,
        rng.binomial(600 - explored, clicks),
    )


def test_it_works():
    explored, others = np.array([0, 0, 300, 300]), np.array([600, 600, 300, 300])
    found = at_same_places(explored, np.array([0, 0, 60, 60]), others, np.array([180, 120, 30, 15]))
    assert found.explored.value == pytest.approx(0.2)
    assert found.others.value == pytest.approx(45 / 600)  # not the rate of all others, which is 345 of 1800
    assert found.difference.low > 0.08


def test_intervals_cover_no_difference_though_explored_places_are_the_worst():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        found = at_same_places(*shown(rng, np.array([0.0, 0.05, 0.3, 0.6]), FADE))
        covered += found.difference.low <= 0 <= found.difference.high
    assert 0.92 <= covered / 300 <= 0.99


def test_intervals_cover_a_difference():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        found = at_same_places(*shown(rng, np.array([0.0, 0.05, 0.3, 0.6]), FADE, shift=0.08))
        covered += found.difference.low <= 0.08 <= found.difference.high
    assert 0.92 <= covered / 300 <= 0.99


@pytest.mark.parametrize("clicks", [0, 3])
def test_hardly_any_click_still_leaves_an_interval(clicks):
    found = at_same_places(np.array([5]), np.array([0]), np.array([40]), np.array([clicks]))
    assert found.difference.low < 0 < found.difference.high
    assert found.explored.high > 0.3


def test_what_never_stood_at_the_same_place_is_not_compared():
    assert at_same_places(np.array([0, 9]), np.array([0, 1]), np.array([9, 0]), np.array([2, 0])) is None
    assert rate_of(0, 0) is None


def test_places_without_trials_are_as_clicked_as_the_mean():
    assert place_rates(np.array([30, 0]), np.array([100, 0])).tolist() == pytest.approx([31.5 / 105, 0.3])


def test_appeal_is_surer_the_more_was_expected():
    mean, low, high = appeal(np.array([0, 20, 0, 2]), np.array([0.0, 5.0, 20.0, 2.0]))
    assert low[1] > 1 > high[2]  # four times as many as expected; none of twenty
    assert low[0] < 1 < high[0]
    assert low[3] < mean[3] == 1 < high[3]
