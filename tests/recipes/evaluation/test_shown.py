"""The lists of a test, kept: they say again what was measured, survive the disk, and tell what is popular and what is new."""

from __future__ import annotations

import numpy as np
import pytest

from recipes import catalogue
from recipes.evaluation.evaluate import evaluate
from recipes.evaluation.shown import Shown, gini_curve, new_items
from recipes.evaluation.splits import amazon
from recipes.run import Run
from tests.recipes.worlds import tasteful


@pytest.fixture(scope="module")
def evaluation():
    split = amazon(tasteful(num_users=200), share=0.3)
    model = catalogue.get("aws-sims")().fit(split.train, Run())
    return evaluate(model, split)


def test_it_works(evaluation):
    shown = evaluation.shown
    for name, key in (
        ("normalized_discounted_cumulative_gain", "normalized_discounted_cumulative_gain_at_10"),
        ("precision", "precision_at_10"),
        ("recall", "recall_at_10"),
        ("strict_ndcg", "strict_ndcg_at_10"),
        ("hit_rate", "hit_rate_at_10"),
    ):
        assert np.nanmean(shown.values(name, 10)) == pytest.approx(evaluation.figures[key], abs=1e-6), name
    assert len(shown.user_ids) == evaluation.num_queries


def test_it_survives_the_disk(evaluation, tmp_path):
    evaluation.save(tmp_path)
    read = Shown.load(tmp_path)
    assert np.array_equal(read.ranked, evaluation.shown.ranked)
    assert read.user_ids.array == evaluation.shown.user_ids.array
    assert np.array_equal(read.values("recall", 10), evaluation.shown.values("recall", 10))
    assert Shown.load(tmp_path / "elsewhere") is None


def test_all_that_is_asked_for_splits_into_its_parts(evaluation):
    shown = evaluation.shown
    exposure = shown.exposure(10)
    assert exposure.sum() == np.count_nonzero(shown.ranked[:, :10] >= 0)
    nothing = shown.values("recall", 10, only=np.zeros(len(shown.item_ids), bool))
    assert np.isnan(nothing).all()
    everything = shown.values("recall", 10, only=np.ones(len(shown.item_ids), bool))
    assert np.array_equal(everything, shown.values("recall", 10))


def test_coverage_is_what_was_exposed(evaluation):
    shown = evaluation.shown
    assert np.count_nonzero(shown.exposure(25)) / shown.num_items == pytest.approx(evaluation.figures["coverage"])


def test_users_are_forgotten(evaluation):
    shown = evaluation.shown
    name = shown.user_ids[0]
    assert shown.without({"nobody"}) is None
    assert name not in shown.without({name}).user_ids.array.to_pylist()


def test_items_never_taken_are_new():
    data = tasteful(num_users=50)
    assert new_items(data.keep(np.zeros(len(data.interactions), bool))).all()


def test_equal_exposure_is_the_diagonal():
    assert all(x == pytest.approx(y) for x, y in gini_curve(np.ones(10, np.int64), 10, points=10))
