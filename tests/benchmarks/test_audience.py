"""Ranks of a new item for those it suits and for others."""

from __future__ import annotations

import numpy as np

from benchmarks.audience import Audience, medians
from recipes.simulation import Market, World


def test_fans_are_those_whom_an_item_suits_most_and_others_the_half_whom_it_suits_least():
    market = Market.open(World(users=60, items=40, past_days=1), 1)
    audience = Audience.of(market, 7)
    suits = market.taste @ market.subject[7]
    assert suits[audience.fans].min() > suits[audience.others].max()
    assert (len(audience.fans), len(audience.others)) == (9, 30)


def test_a_rank_counts_the_items_that_a_user_has_not_taken():
    scores = np.array([[3.0, 2.0, 1.0], [-np.inf, 2.0, 1.0], [3.0, -np.inf, 1.0]], np.float32)
    found = medians(scores, 1, Audience(np.array([0]), np.array([1, 2])), "after")
    assert found == {"fans after": 2.0, "others after": 1.0}  # who has taken the item itself does not count
