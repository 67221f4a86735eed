"""No lists are better than the best possible, whatever the model; rewards are shares, whatever their sign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipes.evaluation import metrics, splits
from recipes.evaluation.evaluate import evaluate
from recipes.evaluation.significance import Comparison
from tests.recipes import worlds
from tests.recipes.models import FixedScores

quick = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
SPLITS = [
    splits.amazon(worlds.tasteful(num_users=users, num_items=items, events_per_user=events, seed=seed), share=0.5)
    for users, items, events, seed in ((12, 30, 6, 1), (30, 60, 20, 2), (8, 20, 3, 3))
]


@quick
@given(
    split=st.sampled_from(SPLITS),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["noise", "one list", "even", "truth"]),
)
def test_nothing_passes_the_best_possible(split, seed, kind):
    rng, shape = np.random.default_rng(seed), (len(split.queries), split.train.num_items)
    scores = rng.random(shape, np.float32)
    if kind == "one list":
        scores[:] = scores[0]
    if kind == "even":  # every item as often as any other, as far as that goes
        scores = -((np.arange(shape[1])[None, :] - 25 * np.arange(shape[0])[:, None]) % shape[1]).astype(np.float32)
    if kind == "truth":
        scores[split.truth.row, split.truth.item_index] += 1
    evaluation = evaluate(FixedScores(scores), split, resamples=2)
    best = evaluation.baselines["best possible"]
    assert {"coverage", "gini", "strict_ndcg_at_10", "unseen_coverage"} <= best.keys()
    for name, bound in best.items():
        reached = evaluation.figures[name]
        assert reached >= bound - 1e-6 if metrics.less_is_better(name) else reached <= bound + 1e-6, name


@pytest.mark.parametrize("name", ["novelty_at_25", "intra_list_diversity_at_25", "average_popularity_at_25"])
def test_what_has_no_best_has_no_best_possible(name):
    evaluation = evaluate(
        FixedScores(np.zeros((len(SPLITS[0].queries), SPLITS[0].train.num_items), np.float32)), SPLITS[0], resamples=2
    )
    assert name in evaluation.figures
    assert name in evaluation.baselines["popularity"]
    assert name not in evaluation.baselines["best possible"]


@quick
@given(
    rewards=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=40, max_size=40), seed=st.integers(0, 999)
)
def test_rewards_are_shares_whatever_their_sign(rewards, seed):
    rng = np.random.default_rng(seed)
    ranked, hits = rng.permuted(np.tile(np.arange(40), (6, 1)), axis=1), rng.random((6, 40)) < 0.3
    values = metrics.average_rewards(hits, metrics.reward_scale(np.array(rewards))[ranked])
    known = values[np.isfinite(values)]
    assert ((known >= 0) & (known <= 1 + 1e-6)).all()


def test_a_low_royalty_is_worth_more_than_a_high_one():
    hits = np.array([[True, True, False]])
    royalties = metrics.reward_scale(np.array([-1.0, -5.0, -9.0]))
    assert metrics.average_rewards(hits, royalties[None, :], 1).tolist() == pytest.approx([8 / 12])


@pytest.mark.parametrize(
    ("metric", "verdict"),
    [("average_popularity_at_25", "better"), ("gini", "better"), ("coverage", "worse"), ("novelty_at_25", "worse")],
)
def test_less_is_better_only_where_it_is(metric, verdict):
    assert Comparison(metric, 0.5, 0.4, -0.1, -0.2, -0.05, 0.001, 0.001).verdict == verdict
