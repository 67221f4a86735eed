"""SIMS: counts against a plain implementation, every hyperparameter's effect, fallbacks and exact explanations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest

from recipes.data import Histories, TrainingData
from recipes.methods import sims
from recipes.methods.popularity import PopularityCount
from recipes.methods.sims import Sims
from recipes.numerics import cooccurrence
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes import worlds

EVERYTHING = {
    "min_user_history_length_percentile": 0.0,
    "max_user_history_length_percentile": 1.0,
    "min_item_interaction_count_percentile": 0.0,
    "max_item_interaction_count_percentile": 1.0,
}


def histories_of(lists: list[list[str]]) -> TrainingData:
    users = [f"u{user}" for user, items in enumerate(lists) for _ in items]
    items = [item for one in lists for item in one]
    return TrainingData.from_tables(pa.table({"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": range(len(items))}))


def test_it_works():
    model = Sims().fit(worlds.checkerboard(), Run())
    related = top_k(model.related(np.array([4])), 20).items[0]
    assert set(related % 2) == {0}
    assert 4 not in related


def test_it_agrees_with_a_plain_count():
    data = worlds.tasteful(num_users=40, events_per_user=30)
    recipe = Sims(min_cointeraction_count=2, **EVERYTHING)
    weight, users, takers = defaultdict(float), defaultdict(int), defaultdict(int)
    for user in range(data.num_users):
        history = list(dict.fromkeys(data.histories(np.array([user])).item_index.tolist()))
        for here, item in enumerate(history):
            takers[item] += 1
            for there, other in enumerate(history):
                distance = abs(there - here)
                if 0 < distance <= cooccurrence.WINDOW:
                    users[item, other] += 1
                    weight[item, other] += cooccurrence.DECAY ** (distance - 1) * (
                        1 if there > here else cooccurrence.BACKWARD
                    )
    plain = np.zeros((data.num_items, data.num_items))
    for pair, count in users.items():
        if count >= 2:
            plain[pair] = weight[pair] / np.sqrt(takers[pair[0]] * takers[pair[1]])
    found = recipe.fit(data, Run()).neighbours.toarray()
    assert found == pytest.approx(plain, abs=2e-3)


def test_counting_by_sorting_gives_the_same(monkeypatch):
    data = worlds.tasteful()
    in_a_table = Sims().fit(data, Run()).neighbours
    monkeypatch.setattr(cooccurrence, "DENSE_ITEMS", 0)
    monkeypatch.setattr(cooccurrence, "SORTED_PAIRS", 3000)
    by_sorting = Sims().fit(data, Run()).neighbours
    assert abs(in_a_table - by_sorting).max() == 0


def test_small_blocks_give_the_same(monkeypatch):
    data = worlds.tasteful()
    whole = Sims().fit(data, Run()).neighbours
    monkeypatch.setattr(cooccurrence, "DENSE_CELLS", 100)
    monkeypatch.setattr(cooccurrence, "CHUNK", 64)
    assert abs(whole - Sims().fit(data, Run()).neighbours).max() == 0


def test_discounting_popularity_brings_rarer_items_forward():
    data = worlds.tasteful()
    popular = PopularityCount().fit(data, Run()).scores
    found = [
        popular[top_k(Sims(popularity_discount_factor=p).fit(data, Run()).related(np.arange(40)), 5).items].mean()
        for p in (0.0, 0.5, 1.0)
    ]
    assert found[0] > found[1] > found[2]


def test_pairs_of_too_few_users_do_not_count():
    data = histories_of([["a", "b"], ["a", "b"], ["a", "c"], ["d", "c"]])
    scores = {
        count: Sims(min_cointeraction_count=count, **EVERYTHING).fit(data, Run()).neighbours.nnz for count in (1, 2, 3)
    }
    assert scores == {1: 6, 2: 2, 3: 0}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("min_user_history_length_percentile", 0.5),
        ("max_user_history_length_percentile", 0.5),
        ("min_item_interaction_count_percentile", 0.5),
    ],
)
def test_percentiles_leave_users_and_items_out(parameter, value):
    lists = [["a", "b", "c", "d"][: 2 + user % 3] for user in range(30)]
    full = Sims(**EVERYTHING).fit(histories_of(lists), Run()).neighbours
    some = Sims(**(EVERYTHING | {parameter: value})).fit(histories_of(lists), Run()).neighbours
    assert abs(full - some).max() > 0


def test_very_frequent_items_in_a_history_say_less():
    data = worlds.tasteful()
    history = data.histories(np.array([0]))
    open_minded = Sims(max_item_interaction_count_percentile=1.0).fit(data, Run()).score(history)
    sceptical = Sims(max_item_interaction_count_percentile=0.2).fit(data, Run()).score(history)
    assert sceptical.sum() < open_minded.sum()


def test_unknown_and_lonely_items_go_with_what_is_popular():
    data = worlds.tasteful()
    model = Sims().fit(data, Run())
    cold = int(np.flatnonzero(data.item_counts == 0)[0])
    popular = top_k(PopularityCount().fit(data, Run()).score(Histories.of([[]])), 5).items[0]
    assert top_k(model.related(np.array([-1, cold])), 5).items.tolist() == [popular.tolist()] * 2
    assert top_k(model.score(Histories.of([[]])), 5).items[0].tolist() == popular.tolist()


def test_explanations_add_up_to_the_score():
    data = worlds.tasteful()
    model = Sims().fit(data, Run())
    history = data.histories(np.array([3]))
    scores = model.score(history)[0]
    item = int(scores.argmax())
    told = model.explain(history, item)
    assert sum(contribution.weight for contribution in told) == pytest.approx(float(scores[item]), rel=1e-5)
    assert told == sorted(told, key=lambda contribution: -contribution.weight)
    newest = len(history.item_index) - 1
    assert {c.position for c in told} == {-1, *range(newest - sims.RECENT + 1, newest + 1)}


def test_data_without_any_pair_give_popular_items():
    model = Sims().fit(histories_of([["a"], ["a"], ["b"]]), Run())
    assert top_k(model.related(np.array([1])), 1).items.tolist() == [[0]]
