"""Every kind of recipe is put to the test that fits it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from recipes import catalogue
from recipes.data import TrainingData
from recipes.evaluation.evaluator import TREND, evaluate_model, split_for, trend_accuracy
from recipes.methods.trending import TrendingNow
from recipes.run import Run
from tests.recipes import worlds


def rising(constant: bool) -> TrainingData:
    """Three hours of events: item r is taken 0, 5, 10 times an hour (or 5 each), item s always 3 times."""
    rows = []
    for hour, count in enumerate((5, 5, 5) if constant else (0, 5, 10)):
        rows += [(f"u{hour}-{n}", "r", hour * 3600 + n) for n in range(count)]
        rows += [(f"v{hour}-{n}", "s", hour * 3600 + n) for n in range(3)]
    rows.append(("last", "s", 3 * 3600 - 1))
    users, items, times = zip(*rows, strict=True)
    return TrainingData.from_tables(pa.table({"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": times}))


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("aws-popularity-count", "coverage"),
        ("aws-sims", "mean_reciprocal_rank_at_25"),
        ("aws-trending-now", TREND),
        ("aws-item-affinity", "hits_at_1_percent"),
        ("aws-next-best-action", "action_auc"),
    ],
)
def test_it_works(name, figure):
    data = worlds.actions() if name == "aws-next-best-action" else worlds.tasteful()
    recipe = catalogue.get(name)()
    split = split_for(recipe, data)
    evaluation = evaluate_model(recipe.fit(split.train, Run()), split, data)
    assert np.isfinite(evaluation.figures[figure])
    assert evaluation.fingerprint == split.fingerprint


def test_a_trend_that_goes_on_is_foretold():
    recipe = TrendingNow(trend_discovery_frequency="1 hour")
    assert trend_accuracy(recipe, rising(constant=False)) == pytest.approx(1, abs=0.2)


def test_where_hardly_anything_rises_there_is_hardly_anything_to_foretell():
    recipe = TrendingNow(trend_discovery_frequency="1 hour")
    assert 0 <= trend_accuracy(recipe, rising(constant=True)) <= 1


def test_other_windows_foretell_other_things():
    data = worlds.tasteful(num_users=500)
    found = {
        trend_accuracy(dataclasses.replace(TrendingNow(), trend_discovery_frequency=f), data)
        for f in ("1 day", "2 hours")
    }
    assert len(found) == 2
