"""Simulated markets: only users who come see lists, worlds differ as they say, and a policy sees what a product would."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recipes.simulation import WORLDS, Market, World, simulate
from recipes.simulation_policies import Oracle, Random

SMALL = World(users=60, items=80, past_days=2, rounds=3)


@dataclass
class Kept(Random):
    """Random lists, whose market is kept."""

    def learn(self, day, market):
        super().learn(day, market)
        MARKETS[self.seed] = market


MARKETS: dict[int, Market] = {}


def test_users_who_do_not_come_see_nothing_and_do_not_count():
    outcome = simulate(replace(SMALL, visits=0.4), Kept, 1)
    market = MARKETS[1]
    assert len(market.lists) == pytest.approx(0.4 * 60 * 3, rel=0.35)
    assert market.shown.sum() == 10 * len(market.lists)
    from_lists = sum(number >= 0 for *_, number in market.events)
    assert outcome.rate.mean() == pytest.approx(from_lists / market.shown.sum(), rel=0.2)


def test_lists_name_who_saw_them_however_few_come():
    simulate(replace(SMALL, visits=0.4), Kept, 2)
    market = MARKETS[2]
    for user, item, _, number in market.events:
        if number >= 0:
            assert market.lists[number][0] == user
            assert item in market.lists[number][2]


def test_rare_clicks_are_rarer():
    rates = [simulate(replace(SMALL, odds=odds), Random, 0).rate.mean() for odds in (-1.6, -3.0)]
    assert 0 < rates[1] < 0.5 * rates[0]


@pytest.mark.parametrize("world", ["fast", "factors", "vectors"])
def test_users_differ_in_what_they_like(world):
    market = Market.open(replace(WORLDS[world], users=60, items=80, past_days=1), 0)
    odds = np.log(market.appeal(0) / (1 - market.appeal(0)))
    assert 0.7 < (odds - odds.mean(axis=0)).std() < 2.0


def test_who_knows_the_truth_does_better_than_chance():
    truth, chance = (simulate(SMALL, policy, 0).rate.mean() for policy in (Oracle, Random))
    assert truth > 1.5 * chance
