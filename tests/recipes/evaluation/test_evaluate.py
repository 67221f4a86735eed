"""Evaluation: figures of known lists, intervals, baselines, and what is written is what is read."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.evaluation import splits
from recipes.evaluation.evaluate import evaluate
from recipes.evaluation.intervals import bootstrap
from recipes.evaluation.splits import SegmentSplit
from recipes.methods.popularity import PopularityCount
from recipes.methods.sims import Sims
from recipes.run import Run, StopRequested
from tests.recipes import worlds
from tests.recipes.models import FixedScores


@pytest.fixture(scope="module")
def split():
    return splits.amazon(worlds.tasteful(num_users=300))


def knowing(split) -> FixedScores:
    scores = np.zeros((len(split.queries), split.train.num_items), np.float32)
    scores[split.truth.row, split.truth.item_index] = 1
    return FixedScores(scores)


def test_it_works(split):
    evaluation = evaluate(Sims().fit(split.train, Run()), split)
    assert evaluation.fingerprint == split.fingerprint
    assert evaluation.num_queries == len(split.queries) == len(evaluation.values["precision_at_10"])
    for name, (low, high) in evaluation.intervals.items():
        assert low - 1e-6 <= evaluation.figures[name] <= high + 1e-6, name
    aws = evaluation.aws_metrics()
    assert set(aws) == {
        "coverage",
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
        *(f"precision_at_{k}" for k in (5, 10, 25)),
    }
    assert all(value == round(value, 4) for value in aws.values())


def test_nothing_beats_the_best_possible_and_knowing_the_truth_is_as_good(split):
    evaluation = evaluate(knowing(split), split)
    for name in ("mean_reciprocal_rank_at_25", "strict_ndcg_at_10", "precision_at_5", "recall_at_25"):
        assert evaluation.figures[name] == pytest.approx(evaluation.baselines["best possible"][name], abs=1e-6)


def test_the_popularity_baseline_is_what_popularity_count_gets(split):
    evaluation = evaluate(PopularityCount().fit(split.train, Run()), split)
    for name in ("coverage", "mean_reciprocal_rank_at_25", "strict_ndcg_at_10"):
        assert evaluation.figures[name] == pytest.approx(evaluation.baselines["popularity"][name], abs=0.01)


def test_unseen_figures_leave_out_what_was_taken(split):
    scores = np.zeros((len(split.queries), split.train.num_items), np.float32)
    scores[split.queries.row, split.queries.item_index] = 1
    evaluation = evaluate(FixedScores(scores), split)
    lists = evaluation.values
    assert evaluation.figures["hit_rate_at_25"] > 0  # tasteful users do come back
    assert (lists["unseen_hit_rate_at_5"] <= 1).all()
    taken = evaluate(knowing(split), split).figures
    assert taken["unseen_recall_at_25"] < taken["recall_at_25"] == pytest.approx(1)


def test_batches_do_not_change_the_figures(split):
    model = Sims().fit(split.train, Run())
    assert evaluate(model, split, batch_size=3).figures == evaluate(model, split, batch_size=1000).figures


def test_event_weights_and_rewards_add_their_metrics(split):
    worth = np.linspace(0, 1, split.train.num_items)
    evaluation = evaluate(knowing(split), split, event_weights={"watch": 0.9, "click": 0.1}, rewards=worth)
    assert 0 < evaluation.figures["normalized_discounted_cumulative_gain_with_event_weights_at_10"] <= 1
    assert 0 < evaluation.figures["average_rewards_at_k"] <= 1
    assert "average_rewards_at_k" in evaluation.aws_metrics()


def test_lighter_events_in_front_cost_weighted_ndcg(split):
    heavy, light = np.zeros((2, len(split.queries), split.train.num_items), np.float32)
    watch = split.train.interactions.event_types.index("watch")
    is_heavy = split.truth.event_type == watch
    for scores, first in ((heavy, is_heavy), (light, ~is_heavy)):
        scores[split.truth.row, split.truth.item_index] = 1
        scores[split.truth.row[first], split.truth.item_index[first]] = 2
    name = "normalized_discounted_cumulative_gain_with_event_weights_at_5"
    weights = {"watch": 0.9, "click": 0.1}
    figures = [evaluate(FixedScores(s), split, event_weights=weights).figures[name] for s in (heavy, light)]
    assert figures[0] > figures[1]


def test_what_is_written_is_what_is_read(split, tmp_path):
    evaluation = evaluate(Sims().fit(split.train, Run()), split)
    evaluation.save(tmp_path / "evaluation")
    again = type(evaluation).load(tmp_path / "evaluation")
    assert again.summary() == evaluation.summary()
    for name, values in evaluation.values.items():
        assert np.array_equal(again.values[name], values)


def test_it_reports_how_far_it_is_and_can_be_stopped(split):
    seen = []
    evaluate(PopularityCount().fit(split.train, Run()), split, run=Run(on_progress=seen.append), batch_size=5)
    assert [progress.stage for progress in seen] == ["evaluating"] * len(seen)
    assert seen[-1].fraction == 1

    def stop(progress):
        raise StopRequested

    with pytest.raises(StopRequested):
        evaluate(PopularityCount().fit(split.train, Run()), split, run=Run(on_progress=stop))


def test_segments_are_judged_by_the_top_one_percent_of_users():
    data = worlds.tasteful(num_users=300)
    split = splits.segmentation(data)
    assert isinstance(split, SegmentSplit)
    scores = np.zeros((len(split.items), data.num_users), np.float32)
    scores[np.repeat(np.arange(len(split.items)), np.diff(split.offsets)), split.user_index] = 1
    evaluation = evaluate(FixedScores(scores), split)
    assert evaluation.figures["hits_at_1_percent"] == pytest.approx(
        evaluation.baselines["best possible"]["hits_at_1_percent"]
    )
    assert evaluation.figures["hits_at_1_percent"] > 1 > evaluation.baselines["random"]["hits_at_1_percent"]


def test_a_bootstrap_interval_is_about_two_standard_errors_to_either_side():
    values = np.random.default_rng(0).standard_normal(400).astype(np.float32)
    low, high = bootstrap({"x": values})["x"]
    error = float(values.std()) / 20
    assert low == pytest.approx(float(values.mean()) - 1.96 * error, abs=0.4 * error)
    assert high == pytest.approx(float(values.mean()) + 1.96 * error, abs=0.4 * error)


def test_a_bootstrap_leaves_undefined_values_out():
    values = np.where(np.arange(100) % 2 == 0, np.nan, 3.0).astype(np.float32)
    assert bootstrap({"x": values})["x"] == (3, 3)
