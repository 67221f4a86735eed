"""Next-Best-Action's metrics: worked by hand in the doctests, better than the mean rate where there is something to learn."""

from __future__ import annotations

import numpy as np

from recipes.evaluation import splits
from recipes.evaluation.actions import area_under_curve, evaluate_actions, precision_and_recall
from recipes.methods.next_best_action import NextBestAction
from recipes.run import Run
from tests.recipes.worlds import action_world


def test_it_works():
    split = splits.amazon(action_world(num_users=600), share=0.3)
    found = evaluate_actions(NextBestAction().fit(split.train, Run()), split)
    assert set(found.figures) == {"action_auc", "action_precision", "action_recall", "action_ndcg"}
    assert found.figures["action_auc"] > found.baselines["popularity"]["action_auc"] + 0.1
    assert found.figures["action_ndcg"] > found.baselines["popularity"]["action_ndcg"]
    low, high = found.intervals["action_ndcg"]
    assert low <= found.figures["action_ndcg"] <= high
    assert set(found.aws_metrics()) == set(found.figures)


def test_nothing_taken_gives_no_area():
    nothing = np.zeros(3, bool)
    assert np.isnan(area_under_curve(np.ones(3), nothing))
    assert precision_and_recall(np.zeros(3, np.int64), np.zeros(3), nothing, 2) == (0.0, 0.0)
