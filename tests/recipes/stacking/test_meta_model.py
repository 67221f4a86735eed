from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from recipes.components.repeats import repeat_rates, seen_items, seen_scores
from recipes.data import Histories
from recipes.run import Run, StopRequested
from recipes.stacking.holdout import Validation, hold_out
from recipes.stacking.meta_model import LESS_POPULAR, NEVER, CrossPredictions, MetaModel, fit_meta_model, less_popular

ITEMS = 60


def nobody_watches() -> None:
    """Goes on."""


def chosen_by(weights: dict[str, float], queries: int, seed: int) -> tuple[Validation, CrossPredictions]:
    """Queries whose next item was drawn by the softmax of the weighted scores, three histories' items left out."""
    rng = np.random.default_rng(seed)
    scores = {name: rng.standard_normal((queries, ITEMS)).astype(np.float32) for name in (*weights, "noise")}
    logits = sum(weight * scores[name] for name, weight in weights.items())
    seen = rng.integers(0, ITEMS, (queries, 3))
    np.put_along_axis(logits, seen, -np.inf, axis=1)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    item = np.array([rng.choice(ITEMS, p=row) for row in chances])
    histories = Histories.of(seen.tolist())
    no = np.zeros(queries, bool)
    known = seen_items(histories, ITEMS)
    validation = Validation(
        histories, np.arange(queries), item, ~no, no, np.ones(queries, np.float32), known, np.full(queries, 3)
    )
    return validation, CrossPredictions(scores, known, np.full(len(known.row), 0.1, np.float32))


def test_it_finds_the_weights_that_people_chose_by():
    validation, predictions = chosen_by({"taste": 2.0, "popularity": -0.7}, 4000, seed=1)
    meta, quality, shares = fit_meta_model(validation, predictions, nobody_watches)

    assert meta.weights["taste"] == pytest.approx(2.0, rel=0.12)
    assert meta.weights["popularity"] == pytest.approx(-0.7, rel=0.2)
    assert abs(shares.get("noise", 0.0)) < 0.1
    assert quality > 0.3
    assert meta.seen == NEVER


def test_popularity_counts_less_where_that_costs_nothing():
    validation, predictions = chosen_by({"taste": 3.0}, 500, seed=4)
    alike = np.zeros_like(predictions.scores["taste"])
    meta, quality = less_popular(
        MetaModel({"taste": 3.0}), validation, replace(predictions, scores={**predictions.scores, "popularity": alike})
    )

    assert meta.weights == {"taste": 3.0, "popularity": -LESS_POPULAR[-1]}
    assert quality > 0.3


def test_popularity_keeps_its_weight_where_people_go_by_it():
    validation, predictions = chosen_by({"popularity": 1.0}, 2000, seed=5)
    by_crowd = MetaModel({"popularity": LESS_POPULAR[0]})

    assert less_popular(by_crowd, validation, predictions)[0] == by_crowd


def test_what_speaks_against_what_happened_is_left_out():
    validation, predictions = chosen_by({"taste": 2.0}, 500, seed=2)
    against = CrossPredictions(
        {**predictions.scores, "against": -predictions.scores["taste"]}, predictions.seen, predictions.rates
    )
    meta, _, shares = fit_meta_model(validation, against, nobody_watches)

    assert "against" not in meta.weights
    assert "against" not in shares


def test_a_component_that_must_stay_does():
    validation, predictions = chosen_by({"taste": 2.0}, 200, seed=3)
    _, _, shares = fit_meta_model(validation, predictions, nobody_watches, {"noise": 0.3})

    assert shares["noise"] >= 0.3


def test_it_learns_what_coming_back_is_worth():
    rng = np.random.default_rng(4)
    sequences = [np.repeat(rng.integers(0, ITEMS, 15), 2).tolist() for _ in range(300)]
    histories = Histories.of(sequences)
    validation = hold_out(histories, ITEMS, 0, 1500)
    last = histories.item_index[histories.offsets[1:] - 1]
    rates = repeat_rates(histories.keep(np.arange(len(histories.item_index)) % 30 < 29), last, ITEMS)
    scores = {"noise": rng.standard_normal((len(validation.histories), ITEMS)).astype(np.float32)}
    seen = validation.seen
    meta, _, _ = fit_meta_model(validation, CrossPredictions(scores, seen, rates[seen.lag, seen.count]), nobody_watches)

    assert meta.repeat > 0
    scores_of_seen = seen_scores(rates, meta.seen, meta.repeat)
    of_newest = scores_of_seen[0, 0]
    assert of_newest == scores_of_seen.max()
    assert of_newest > 0


def test_what_is_worth_more_counts_more():
    validation, predictions = chosen_by({"taste": 2.0}, 1000, seed=7)
    liked = predictions.scores["noise"][validation.row, validation.item] > 0
    worth = np.where(liked, 1.9, 0.1).astype(np.float32)
    meta, _, _ = fit_meta_model(replace(validation, weight=worth), predictions, nobody_watches)

    assert meta.weights["noise"] > 0.5


def test_a_stop_ends_the_search():
    def stop() -> None:
        raise StopRequested

    validation, predictions = chosen_by({"taste": 2.0}, 50, seed=5)
    with pytest.raises(StopRequested):
        fit_meta_model(validation, predictions, stop)


def test_a_search_that_has_no_time_left_ends_with_the_best_so_far():
    validation, predictions = chosen_by({"taste": 2.0, "popularity": -0.7}, 1000, seed=1)
    steps = {"all": 0, "some": 0}

    def watch(name: str, most: float) -> bool:
        steps[name] += 1
        return steps[name] >= most

    _, best, _ = fit_meta_model(validation, predictions, lambda: watch("all", math.inf))
    meta, quality, _ = fit_meta_model(validation, predictions, lambda: watch("some", 3))
    assert steps["some"] < steps["all"]
    assert meta.weights["taste"] > 0
    assert 0 < quality <= best * 1.05


def test_the_mix_is_the_weighted_sum_with_what_seen_items_get():
    histories = Histories.of([[1, 2], [3]])
    seen = seen_items(histories, 5)
    scores = {"a": np.arange(10, dtype=np.float32).reshape(2, 5), "b": np.ones((2, 5), np.float32)}
    mixed = MetaModel({"a": 2.0, "b": 0.5}, repeat=1.0, seen=-1.0).predict(
        CrossPredictions(scores, seen, np.full(3, np.e, np.float32))
    )

    assert mixed[0].tolist() == pytest.approx([0.5, 2.5, 4.5, 6.5, 8.5])
    assert mixed[1, 4] == pytest.approx(18.5)


def test_run_reports_are_what_watches():
    reports = []
    validation, predictions = chosen_by({"taste": 1.0}, 50, seed=6)
    run = Run(on_progress=reports.append)
    fit_meta_model(validation, predictions, lambda: run.report("blending"))

    assert reports
