"""Lists from which nobody took anything are mostly not known; what was shown is judged as if they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.cold_start.evidence import Trials, gather, trials_of
from recipes.simulation import DAY, START, Market, World

DAYS, USERS = 3, 300
WORLD = World(users=USERS, items=120, past_days=1)


@pytest.fixture(scope="module")
def data():
    """A market in which lists become better from day to day, so that fewer and fewer are left without a click."""
    market, rng = Market.open(WORLD, 3), np.random.default_rng(3)
    for day in range(DAYS):
        noise = rng.normal(0, (4.0, 1.5, 0.3)[day], (USERS, market.num_items))
        market.show(day, np.argsort(-(np.log(market.appeal(day)) + noise), axis=1)[:, :8])
    return market.data()


def rates(trials: Trials) -> list[float]:
    """Of what is taken, by day."""
    return [float(trials.taken[part].mean()) for part in np.array_split(np.argsort(trials.time, kind="stable"), DAYS)]


def test_lists_that_are_known_whole_stay_as_they_are(data):
    assert len(trials_of(data).item) == DAYS * USERS * 8


def test_without_those_that_nobody_clicked_on_days_are_told_apart_nearly_as_well(data):
    known = trials_of(replace(data, seen=None))
    assert len(known.item) == pytest.approx(DAYS * USERS * 8, rel=0.15)
    assert rates(known) == pytest.approx(rates(trials_of(data)), rel=0.2)


def test_how_items_do_is_told_nearly_as_well(data):
    whole, known = (gather(part) for part in (data, replace(data, seen=None)))
    assert np.corrcoef(whole.expected, known.expected)[0, 1] > 0.97


def test_lists_of_which_one_item_at_most_is_taken_tell_nothing_of_those_that_are_missing(data):
    events = data.interactions
    kept = np.ones(len(events), bool)
    lists = np.flatnonzero(np.diff(events.impressions.offsets) > 0)
    keys = events.user_index[lists] * 1000 + (events.timestamp[lists] - START) // DAY
    kept[lists] = False
    first = lists[np.unique(keys, return_index=True)[1]]
    kept[first] = True
    assert len(trials_of(replace(data.keep(kept), seen=None)).item) == 8 * len(first)
