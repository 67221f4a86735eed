from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from recipes.base import RecipeError
from recipes.columns import take_rows
from recipes.components.repeats import repeat_rates, seen_items
from recipes.data import Histories, Ids, Interactions, TrainingData
from recipes.methods.user_personalization import UserPersonalization, UserPersonalizationV2
from recipes.numerics.topk import top_k
from recipes.ranking import recommend
from recipes.run import Run, StopRequested
from recipes.stacking.holdout import hold_out, ranks
from recipes.stacking.model import StackedModel
from tests.recipes import worlds

FAST = UserPersonalization(mode="fast")


@cache
def tasteful() -> StackedModel:
    return FAST.fit(worlds.tasteful(), Run(seed=1))


def events_of(lists: list[list[int]], num_items: int | None = None) -> TrainingData:
    pairs = [(user, item) for user, items in enumerate(lists) for item in items]
    table = pa.table(
        {
            "USER_ID": [f"u{user}" for user, _ in pairs],
            "ITEM_ID": [f"i{item}" for _, item in pairs],
            "TIMESTAMP": worlds.START + 60 * np.arange(len(pairs)),
        }
    )
    items = None if num_items is None else pa.table({"ITEM_ID": [f"i{item}" for item in range(num_items)]})
    return TrainingData.from_tables(table, items)


def test_it_works():
    data = worlds.tasteful()
    found = recommend(tasteful(), data.histories(), 5)
    genres = worlds.item_genres(data)

    assert (genres[found.items] == (np.arange(120) % 4)[:, None]).mean() > 0.8


def test_order_matters():
    rng = np.random.default_rng(0)
    data = events_of([[int(s + k) % 30 for k in range(12)] for s in rng.integers(0, 30, 150)])
    model = FAST.fit(data, Run())
    at = data.item_ids.index
    found = recommend(model, Histories.of([[at("i3"), at("i4"), at("i5")]]), 1, exclude_seen=True)

    assert data.item_ids[found.items[0, 0]] == "i6"


@pytest.mark.parametrize("repeats", [True, False])
def test_it_learns_whether_people_come_back_to_items(repeats):
    rng = np.random.default_rng(1)
    lists = []
    for _ in range(150):
        own = rng.permutation(40)[: 20 if not repeats else 5]
        lists.append((rng.choice(own, 20) if repeats else own).tolist())
    data = events_of(lists)
    model = FAST.fit(data, Run())
    histories = data.histories()
    first = top_k(model.score(histories), 1).items[:, 0]
    seen = [first[row] in histories.item_index[slice(*histories.offsets[row : row + 2])] for row in range(150)]

    assert np.mean(seen) > 0.9 if repeats else np.mean(seen) == 0


def test_without_a_history_the_popular_come_first_and_the_unknown_last():
    data = events_of([[0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 5, 3], [0, 6, 2, 3]] * 10, num_items=9)
    scores = FAST.fit(data, Run()).score(Histories.of([[]]))[0]

    assert data.item_ids[int(scores.argmax())] == "i0"
    assert set(data.item_ids.take(np.argsort(scores)[:2])) == {"i7", "i8"}
    assert np.isfinite(scores).all()


def test_metadata_bring_new_items_to_those_who_like_their_kind():
    data = worlds.tasteful(num_items=80, num_cold=8)
    model = FAST.fit(data, Run(seed=1))
    genres, cold = worlds.item_genres(data), np.flatnonzero(data.item_counts == 0)
    scores = model.score(data.histories())[:, cold]
    best = genres[cold[scores.argmax(axis=1)]]

    assert (best == np.arange(120) % 4).mean() > 0.7


def test_a_tiny_data_set_trains():
    model = FAST.fit(events_of([[0, 1], [1, 2], [0, 1, 2]]), Run())

    assert np.isfinite(model.score(Histories.of([[0], []]))).all()


def test_it_rejects_data_without_interactions():
    empty = events_of([[0, 1]]).keep(np.zeros(2, bool))

    with pytest.raises(RecipeError, match="no interactions"):
        FAST.fit(empty, Run())


def test_it_can_be_stopped():
    def stop(progress):
        raise StopRequested

    with pytest.raises(StopRequested):
        FAST.fit(worlds.tasteful(), Run(on_progress=stop))


def test_it_reports_epochs_for_the_curves():
    seen = []
    UserPersonalization(mode="full", hidden_dimension=32).fit(
        worlds.tasteful(), Run(max_seconds=600, on_progress=seen.append)
    )
    epochs = [progress for progress in seen if progress.epoch]

    assert epochs
    assert {"loss", "validation_ndcg_at_10"} <= epochs[0].metrics.keys()
    assert {"preparing", "fitting ridge", "training", "validating", "blending"} <= {p.stage for p in seen}


def test_update_learns_new_items_and_keeps_the_rest():
    before = worlds.tasteful()
    model = tasteful()
    genre = "comedy"
    added = TrainingData(
        before.user_ids,
        Ids([*before.item_ids.array.to_pylist(), "new"]),
        before.interactions,
        {name: _with_row_of(column, before, genre) for name, column in before.items.items()},
        before.users,
    )
    updated = FAST.update(model, added, Run())
    old, new = model.score(before.histories()), updated.score(before.histories())

    assert updated.num_items == before.num_items + 1
    assert np.isfinite(new).all()
    warm = np.flatnonzero(before.item_counts > 0)
    assert np.corrcoef(old[:, warm].ravel(), new[:, warm].ravel())[0, 1] > 0.99


def test_update_takes_up_what_was_done_with_a_new_item():
    before = worlds.tasteful()
    model, comedy = tasteful(), worlds.GENRES.index("comedy")
    fans = np.flatnonzero(worlds.user_tastes(before) == comedy)[:12]
    events, last = before.interactions, before.offsets[1:] - 1
    user = np.concatenate([events.user_index, fans])
    item = np.concatenate([events.item_index, np.full(len(fans), before.num_items)])
    when = np.concatenate([events.timestamp, events.timestamp[last[fans]] + 60])
    order = np.lexsort((when, user))
    kind = np.concatenate([events.event_type, events.event_type[last[fans]]])[order]
    none = np.full(len(order), np.nan, np.float32)
    taken = Interactions(user[order], item[order], when[order], kind, events.event_types, none)
    added = TrainingData(before.user_ids, Ids([*before.item_ids.array.to_pylist(), "new"]), taken)
    scores = FAST.update(model, added, Run()).score(before.histories())[:, -1]
    likes = worlds.user_tastes(before) == comedy

    assert scores[likes].min() > scores[~likes].max()


def _with_row_of(column, data: TrainingData, genre: str):
    twin = int(np.flatnonzero(worlds.item_genres(data) == worlds.GENRES.index(genre))[0])
    return take_rows(column, np.append(np.arange(data.num_items), twin))


def test_an_explanation_names_the_events_that_count():
    data = worlds.tasteful()
    history = data.histories(np.array([0]))
    item = int(top_k(tasteful().score(history), 1).items[0, 0])
    found = tasteful().explain(history, item)

    assert {contribution.position for contribution in found} >= set(range(len(history.item_index)))
    assert found == sorted(found, key=lambda contribution: -contribution.weight)


def test_v2_recency_bias_prefers_what_is_popular_of_late():
    early, late = [[0, 1, 2, 3]] * 60, [[4, 5, 6, 7]] * 12
    data = events_of(early + late)
    at = data.item_ids.index
    biased, plain = (
        UserPersonalizationV2(apply_recency_bias=bias, mode="fast").fit(data, Run()).score(Histories.of([[]]))[0]
        for bias in (True, False)
    )

    assert biased[at("i4")] - biased[at("i0")] > plain[at("i4")] - plain[at("i0")]


def test_held_out_events_are_the_newest_of_each_user():
    data = worlds.tasteful()
    histories = data.histories()
    validation = hold_out(histories, data.num_items, 0, 1500)
    sizes = np.diff(histories.offsets)

    assert (validation.ends < sizes).sum() == 120
    assert (sizes - validation.ends).tolist() == [2] * 120
    assert np.diff(validation.histories.offsets).max() == 18


def test_ranks_count_what_is_at_least_as_good():
    scores = np.array([[0.1, 0.9, 0.5, 0.5]], np.float32)

    assert ranks(scores, np.array([0, 0, 0]), np.array([1, 2, 0])).tolist() == [0, 2, 3]


def test_repeat_rates_tell_fresh_from_old():
    histories = Histories.of([[1, 2, 3, 4, 5, 6, 7, 8]] * 50)
    rates = repeat_rates(histories, np.full(50, 8), 10)

    assert rates[0, 0] > 0.5
    assert rates[2, 0] < 0.2
    assert len(seen_items(histories, 10).item) == 400


def test_the_quick_mode_keeps_to_a_budget_and_to_a_smaller_one_of_the_run():
    """The clock stands still, so that only the budget is looked at."""
    run = Run(seed=1, started=100.0, clock=lambda: 104.0)
    quick = UserPersonalization(mode="quick")
    assert quick._within(run, 8.0).seconds_left == 8.0
    assert quick._within(replace(run, max_seconds=6.0), 8.0).seconds_left == 2.0
    assert FAST._within(run, 8.0) is run


def test_the_quick_mode_recommends_by_closed_forms():
    data = worlds.tasteful()
    model = UserPersonalizationV2(mode="quick").fit(data, Run(seed=1, started=0.0, clock=lambda: 0.0))
    found = recommend(model, data.histories(), 5)
    assert "network" not in model.plan.meta.weights
    assert (worlds.item_genres(data)[found.items] == (np.arange(120) % 4)[:, None]).mean() > 0.8
