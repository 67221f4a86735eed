"""Similar items: company for known items, metadata for new ones, popularity as told."""

from __future__ import annotations

import numpy as np

from recipes.data import Histories
from recipes.methods.similar_items import SimilarItems
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes.worlds import item_genres, tasteful


def test_it_works():
    data = tasteful()
    genres, items = item_genres(data), np.arange(data.num_items)
    model = SimilarItems(item_id_hidden_dim=30, item_metadata_hidden_dim=30).fit(data, Run())
    top = top_k(model.related(items), 5).items
    cold = data.item_counts == 0
    same = genres[top] == genres[items][:, None]
    assert same[~cold].mean() > 0.9
    assert same[cold].mean() > 0.9
    assert not (top == items[:, None]).any()


def test_unknown_items_get_popular_ones():
    data = tasteful()
    model = SimilarItems().fit(data, Run())
    assert np.array_equal(model.related(np.array([-1]))[0], model.popularity)
    assert np.array_equal(model.score(Histories.of([[]]))[0], model.popularity)


def test_popularity_has_less_say_when_discounted():
    data = tasteful()
    taken = [
        data.item_counts[
            top_k(SimilarItems(popularity_discount_factor=factor).fit(data, Run()).related(np.arange(50)), 5).items
        ]
        for factor in (0, 1)
    ]
    assert taken[0].mean() > taken[1].mean()


def test_dimensions_are_those_asked_for():
    data = tasteful()
    model = SimilarItems(item_id_hidden_dim=40, item_metadata_hidden_dim=70).fit(data, Run())
    assert model.vectors.shape == (data.num_items, 110)


def test_it_works_without_metadata():
    data = tasteful()
    bare = type(data)(data.user_ids, data.item_ids, data.interactions)
    model = SimilarItems(item_id_hidden_dim=30).fit(bare, Run())
    known = np.flatnonzero(data.item_counts > 20)
    top = top_k(model.related(known), 3).items
    assert (item_genres(data)[top] == item_genres(data)[known][:, None]).mean() > 0.8
    cold = int(np.flatnonzero(data.item_counts == 0)[0])
    assert np.argmax(model.related(np.array([cold]))[0]) == np.argmax(model.popularity)


def test_explanations_add_up_to_the_score():
    data = tasteful()
    model = SimilarItems().fit(data, Run())
    history = Histories.of([[0, 4, 7, 9]])
    total = sum(part.weight for part in model.explain(history, 11))
    assert np.isclose(total, model.score(history)[0, 11], atol=1e-5)
