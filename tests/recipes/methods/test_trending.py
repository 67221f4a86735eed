"""Trending now: rises between two windows, popularity where nothing happens."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes.data import Histories, TrainingData
from recipes.methods.trending import SECONDS, TrendingNow
from recipes.run import Run

HOUR = 3600


def world(*events):
    """(user, item, hours before the end) triples."""
    users, items, ages = zip(*events, strict=True)
    times = [100 * HOUR - round(age * HOUR) for age in ages]
    return TrainingData.from_tables(pa.table({"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": times}))


def ranked(data, frequency, now=None):
    recipe = TrendingNow(trend_discovery_frequency=frequency)
    scores = recipe.fit(data, Run()).score(Histories.of([[]]))[0] if now is None else recipe.rises(data, now)
    return [data.item_ids[index] for index in np.argsort(-scores, kind="stable")]


ALICE_AND_FRIENDS = [
    ("alice", "new", 0),
    ("bob", "new", 0.5),
    ("bob", "steady", 0.7),
    ("charlie", "steady", 1.5),
    *[(f"u{number}", "old", 50 + number) for number in range(5)],
    ("alice", "fading", 1.2),
    ("bob", "fading", 1.3),
]


def test_it_works():
    assert ranked(world(*ALICE_AND_FRIENDS), "1 hour") == ["new", "old", "steady", "fading"]


def test_one_user_cannot_make_a_trend():
    events = [*ALICE_AND_FRIENDS, *[("alice", "spam", 0.1)] * 10]
    assert ranked(world(*events), "1 hour")[0] == "new"


def test_the_window_changes_the_ranking():
    assert ranked(world(*ALICE_AND_FRIENDS), "3 hours")[-1] == "old"


def test_without_recent_events_popular_items_are_given():
    assert ranked(world(*ALICE_AND_FRIENDS), "1 hour", now=1000 * HOUR)[0] == "old"


@pytest.mark.parametrize(
    ("written", "meant"), [("30 min", "30 minutes"), ("1h", "1 hour"), ("3h", "3 hours"), ("1 Day", "1 day")]
)
def test_older_spellings_are_accepted(written, meant):
    assert TrendingNow.configured({"trend_discovery_frequency": written}).trend_discovery_frequency == meant


def test_other_frequencies_are_not():
    with pytest.raises(ValueError, match="allowed is one of 30 minutes, 1 hour"):
        TrendingNow(trend_discovery_frequency="4 hours")
    assert TrendingNow().trend_discovery_frequency == "2 hours"
    assert set(SECONDS) >= {"30 minutes", "1 day"}


def test_items_first_seen_after_training_rise():
    recipe = TrendingNow()
    model = recipe.fit(world(*ALICE_AND_FRIENDS), Run())
    later = world(*ALICE_AND_FRIENDS, *[(f"u{number}", "brand new", -1) for number in range(9)])
    model = recipe.update(model, later, Run())
    assert later.item_ids[int(np.argmax(model.scores))] == "brand new"
