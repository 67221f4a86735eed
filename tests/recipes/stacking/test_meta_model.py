from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.repeats import repeat_rates, seen_items
from recipes.data import Histories
from recipes.run import Run, StopRequested
from recipes.stacking.holdout import Validation, hold_out
from recipes.stacking.meta_model import LESS_POPULAR, NEVER, Blend, Parts, learn_blend, widened

ITEMS = 60


def nobody_watches() -> None:
    """Goes on."""


def chosen_by(weights: dict[str, float], queries: int, seed: int) -> tuple[Validation, Parts]:
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
    return validation, Parts(scores, known, np.full(len(known.row), 0.1, np.float32))


def test_it_finds_the_weights_that_people_chose_by():
    validation, parts = chosen_by({"taste": 2.0, "popularity": -0.7}, 4000, seed=1)
    blend, quality, shares = learn_blend(validation, parts, nobody_watches)

    assert blend.weights["taste"] == pytest.approx(2.0, rel=0.12)
    assert blend.weights["popularity"] == pytest.approx(-0.7, rel=0.2)
    assert abs(shares.get("noise", 0.0)) < 0.1
    assert quality > 0.3
    assert blend.seen == NEVER


def test_popularity_counts_less_where_that_costs_nothing():
    validation, parts = chosen_by({"taste": 3.0}, 500, seed=4)
    alike = np.zeros_like(parts.scores["taste"])
    blend, quality = widened(
        Blend({"taste": 3.0}), validation, replace(parts, scores={**parts.scores, "popularity": alike})
    )

    assert blend.weights == {"taste": 3.0, "popularity": -LESS_POPULAR[-1]}
    assert quality > 0.3


def test_popularity_keeps_its_weight_where_people_go_by_it():
    validation, parts = chosen_by({"popularity": 1.0}, 2000, seed=5)
    by_crowd = Blend({"popularity": LESS_POPULAR[0]})

    assert widened(by_crowd, validation, parts)[0] == by_crowd


def test_what_speaks_against_what_happened_is_left_out():
    validation, parts = chosen_by({"taste": 2.0}, 500, seed=2)
    against = Parts({**parts.scores, "against": -parts.scores["taste"]}, parts.seen, parts.rates)
    blend, _, shares = learn_blend(validation, against, nobody_watches)

    assert "against" not in blend.weights
    assert "against" not in shares


def test_a_component_that_must_stay_does():
    validation, parts = chosen_by({"taste": 2.0}, 200, seed=3)
    _, _, shares = learn_blend(validation, parts, nobody_watches, {"noise": 0.3})

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
    blend, _, _ = learn_blend(validation, Parts(scores, seen, rates[seen.lag, seen.count]), nobody_watches)

    assert blend.repeat > 0
    of_newest = blend.of_seen(rates)[0, 0]
    assert of_newest == blend.of_seen(rates).max()
    assert of_newest > 0


def test_what_is_worth_more_counts_more():
    validation, parts = chosen_by({"taste": 2.0}, 1000, seed=7)
    liked = parts.scores["noise"][validation.row, validation.item] > 0
    worth = np.where(liked, 1.9, 0.1).astype(np.float32)
    blend, _, _ = learn_blend(replace(validation, worth=worth), parts, nobody_watches)

    assert blend.weights["noise"] > 0.5


def test_a_stop_ends_the_search():
    def stop() -> None:
        raise StopRequested

    validation, parts = chosen_by({"taste": 2.0}, 50, seed=5)
    with pytest.raises(StopRequested):
        learn_blend(validation, parts, stop)


def test_the_mix_is_the_weighted_sum_with_what_seen_items_get():
    histories = Histories.of([[1, 2], [3]])
    seen = seen_items(histories, 5)
    scores = {"a": np.arange(10, dtype=np.float32).reshape(2, 5), "b": np.ones((2, 5), np.float32)}
    mixed = Blend({"a": 2.0, "b": 0.5}, repeat=1.0, seen=-1.0).mix(Parts(scores, seen, np.full(3, np.e, np.float32)))

    assert mixed[0].tolist() == pytest.approx([0.5, 2.5, 4.5, 6.5, 8.5])
    assert mixed[1, 4] == pytest.approx(18.5)


def test_run_reports_are_what_watches():
    reports = []
    validation, parts = chosen_by({"taste": 1.0}, 50, seed=6)
    run = Run(on_progress=reports.append)
    learn_blend(validation, parts, lambda: run.report("blending"))

    assert reports
