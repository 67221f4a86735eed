"""What users take from lists they are shown says on which scale new items are, whatever the lists left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.cold_start.calibration import Calibration, Withheld
from recipes.cold_start.choices import MIN_TAKEN, SURER, Choices
from recipes.simulation import World, simulate
from recipes.simulation_policies import POLICIES

ITEMS, WITHHELD, YOUNG, QUERIES = 60, np.arange(40, 50), np.arange(50, 60), 400
NO_ITEMS = (np.zeros(0, np.int64), np.zeros(0, np.int64))
MARKET = World(users=150, items=160, past_days=8, rounds=5, fade_days=float("inf"))


def shown(scale: float, level: float, slope: float, youth: float) -> tuple[Choices, Withheld, np.ndarray]:
    """Lists of the best by scores, with new items at random, taken from as these values say."""
    rng = np.random.default_rng(3)
    scores, lifts = rng.normal(0, 2, (QUERIES, ITEMS)).astype(np.float32), rng.normal(0, 1, (QUERIES, ITEMS))
    best = np.argsort(-scores[:, :40], axis=1)[:, :8]
    new = np.array([rng.choice(np.arange(40, 60), 8, replace=False) for _ in range(QUERIES)])
    item = np.hstack([best, new]).ravel()
    row = np.repeat(np.arange(QUERIES), 16)
    old = scale * scores.astype(float)
    old -= np.log(np.exp(old[:, :40]).mean(axis=1))[:, None]
    is_young = item >= 50
    log_chance = np.where(item < 40, old[row, item], level + slope * lifts[row, item] + youth * is_young) - 2.5
    taken = rng.random(len(row)) < np.minimum(np.exp(log_chance), 0.9)
    choices = Choices(row, item, np.full(len(row), -2.0), taken, is_young, np.zeros(len(row)))
    return choices, Withheld(Calibration(), WITHHELD, lifts[:, WITHHELD].astype(np.float32), lifts), scores


@pytest.mark.parametrize(("scale", "youth"), [(0.3, 0.8), (0.3, -1.2), (1.0, 0.0)])
def test_the_values_that_lists_were_taken_from_by_are_found_again(scale, youth):
    choices, withheld, scores = shown(scale, 0.5, 0.6, youth)
    found = choices.calibrated(withheld, scores, NO_ITEMS)
    assert found.scale == pytest.approx(scale, rel=0.35)
    assert (found.level, found.slope, found.youth) == pytest.approx((0.5, 0.6, youth), abs=0.35)


def test_what_their_age_is_known_to_be_worth_is_not_counted_again_as_the_worth_of_young_items():
    choices, withheld, scores = shown(0.3, 0.5, 0.6, 0.8)
    aged = replace(choices, age_level=np.where(choices.is_young, 0.8, 0.0))
    assert aged.calibrated(withheld, scores, NO_ITEMS).youth == pytest.approx(0, abs=0.35)


def test_young_items_that_the_newest_lists_leave_out_are_worth_what_all_lists_told():
    choices, withheld, scores = shown(0.3, 0.5, 0.6, -1.5)
    old = ~choices.is_young
    newest = Choices(*(getattr(choices, name)[old] for name in Choices.__annotations__))
    found = newest.calibrated(withheld, scores, NO_ITEMS, usual=0.2)
    assert found.youth == pytest.approx(np.log(0.2), abs=0.1)
    assert found.usual == 0.2


@pytest.mark.parametrize("slope", [0.1, 0.6])
def test_lists_of_new_items_alone_leave_the_scale_of_all_others_beside_that_of_the_lifts(slope):
    choices, withheld, scores = shown(1.0, 0.5, slope, 0.0)
    new = choices.item >= 40
    lists = Choices(*(getattr(choices, name)[new] for name in Choices.__annotations__))
    found = lists.calibrated(withheld, scores, NO_ITEMS, usual_scale=2.0)
    left = found.slope / withheld.calibration.slope
    assert found.scale == pytest.approx(SURER * 2.0 * left, rel=0.3)


def test_too_few_choices_tell_nothing():
    choices, _, _ = shown(0.3, 0.5, 0.6, 0.0)
    few = np.flatnonzero(choices.taken)[: MIN_TAKEN - 1]
    taken = np.zeros(len(choices.taken), bool)
    taken[few] = True
    assert choices.tells
    assert not replace(choices, taken=taken).tells


def share_of_new(quality: float) -> float:
    """Of the last two rounds' places."""
    world = replace(MARKET, new_quality=quality)
    return float(simulate(world, POLICIES["user-personalization 0.3"], 5).new_share[-2:].mean())


@pytest.mark.slow
def test_new_items_fade_from_lists_where_they_disappoint_and_fill_them_where_they_please():
    assert share_of_new(-2.0) < 0.15
    assert share_of_new(1.5) > 0.3
