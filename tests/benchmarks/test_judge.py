"""The judge's figures are those of sums done by hand."""

from __future__ import annotations

import json
from math import log2

import numpy as np
import pytest

from benchmarks.judge import judge, judge_as_worded, queries
from recipes.evaluation import metrics


def written(folder, **lists):
    path = folder / "lists.jsonl"
    answers = [{"input": {"userId": u}, "output": {"recommendedItems": items}} for u, items in lists.items()]
    path.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    return path


def test_it_works(tmp_path):
    lists = written(tmp_path, alice=["a", "b", "c", "d", "e"])
    figures = judge(lists, {"alice": ["b", "e"]}, num_items=10)
    ideal = 1 / log2(2) + 1 / log2(3)
    assert figures["ndcg@5"] == pytest.approx((1 / log2(3) + 1 / log2(6)) / ideal)
    assert figures["mrr@25"] == 0.5
    assert figures["precision@5"] == 0.4
    assert figures["precision@25"] == pytest.approx(2 / 25)
    assert figures["coverage"] == 0.5


def test_ndcg_expects_no_more_than_fits_in_the_list(tmp_path):
    lists = written(tmp_path, alice=[f"i{n}" for n in range(25)])
    figures = judge(lists, {"alice": [f"i{n}" for n in range(40)]}, num_items=40)
    assert figures["ndcg@5"] == figures["ndcg@25"] == pytest.approx(1)


def test_aws_wording_takes_the_ideal_over_the_hits_inside_the_list(tmp_path):
    lists, truth = written(tmp_path, alice=["a", "b", "c", "d", "e"]), {"alice": ["b", "x", "y", "z"]}
    assert judge_as_worded(lists, truth, 10)["ndcg@5"] == pytest.approx(1 / log2(3))
    assert judge(lists, truth, 10)["ndcg@5"] < 0.3


def test_a_hit_just_behind_the_cutoff_does_not_count(tmp_path):
    lists = written(tmp_path, alice=[f"i{n}" for n in range(25)])
    figures = judge(lists, {"alice": ["i10"]}, num_items=25)
    assert figures["hit@10"] == figures["ndcg@10"] == 0
    assert figures["ndcg@25"] == pytest.approx(1 / log2(12))
    assert figures["mrr@25"] == pytest.approx(1 / 11)


def test_whoever_gets_no_list_counts_as_nothing_found(tmp_path):
    lists = written(tmp_path, alice=["a"])
    figures = judge(lists, {"alice": ["a"], "bob": ["b"]}, num_items=2)
    assert figures["ndcg@10"] == 0.5
    assert (figures["queries"], figures["unanswered"]) == (2, 1)


def test_a_truth_named_twice_is_one_item(tmp_path):
    assert judge(written(tmp_path, alice=["a", "b"]), {"alice": ["a", "a"]}, 2)["ndcg@5"] == pytest.approx(1)


def test_it_rejects_an_item_recommended_twice(tmp_path):
    with pytest.raises(ValueError, match="recommends an item twice to alice"):
        judge(written(tmp_path, alice=["a", "a"]), {"alice": ["a"]}, 2)


def test_it_rejects_a_list_for_somebody_without_a_truth(tmp_path):
    with pytest.raises(ValueError, match="mallory"):
        judge(written(tmp_path, mallory=["a"]), {"alice": ["a"]}, 2)


def test_figures_query_by_query(tmp_path):
    each = queries(written(tmp_path, alice=["a"], bob=["b"]), {"alice": ["a"], "bob": ["a"]})
    assert each["alice"]["mrr@25"] == 1
    assert each["bob"]["mrr@25"] == 0


def test_it_agrees_with_the_library_that_it_shares_no_code_with(tmp_path):
    """Two implementations, lists and truths drawn at random; a mistake in either is seen."""
    rng = np.random.default_rng(0)
    ranked = np.stack([rng.permutation(60)[:25] for _ in range(40)])
    wanted = [rng.permutation(60)[: 1 + query % 9] for query in range(40)]
    offsets = np.cumsum([0, *map(len, wanted)])
    hits = metrics.find_hits(ranked, offsets, np.concatenate(wanted))
    relevant = metrics.count_relevant(offsets, np.concatenate(wanted))
    lists = written(tmp_path, **{f"u{q}": [f"i{item}" for item in row] for q, row in enumerate(ranked)})
    truth = {f"u{q}": [f"i{item}" for item in items] for q, items in enumerate(wanted)}
    strict, worded = judge(lists, truth, 60), judge_as_worded(lists, truth, 60)
    for k in (5, 10, 25):
        assert strict[f"ndcg@{k}"] == pytest.approx(metrics.ndcg(hits, relevant, k).mean(), abs=1e-6)
        assert worded[f"ndcg@{k}"] == pytest.approx(metrics.ndcg_in_list(hits, k).mean(), abs=1e-6)
        assert strict[f"precision@{k}"] == pytest.approx(metrics.precision(hits, k).mean(), abs=1e-6)
    assert strict["mrr@25"] == pytest.approx(metrics.reciprocal_rank(hits, 25).mean(), abs=1e-6)
    assert strict["hit@10"] == pytest.approx(metrics.hit_rate(hits, 10).mean(), abs=1e-6)
    assert strict["coverage"] == pytest.approx(metrics.coverage(ranked, 60))
