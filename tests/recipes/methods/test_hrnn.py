from __future__ import annotations

import numpy as np

from recipes.components.item_weights import ItemWeights
from recipes.components.popularity import UnknownItems
from recipes.components.recurrent import Recurrent
from recipes.methods.hrnn import Hrnn, HrnnColdstart, HrnnMetadata
from recipes.ranking import recommend
from recipes.run import Run
from tests.recipes import worlds


def test_it_works():
    data = worlds.checkerboard(size=30)
    model = Hrnn().fit(data, Run(seed=1))
    found = recommend(model, data.histories(), 1, exclude_seen=True)

    assert model.component(Recurrent) is not None
    assert model.component(ItemWeights) is None
    assert (found.items[:, 0] == np.arange(30)).mean() > 0.9


def test_metadata_are_read_by_hrnn_metadata_only():
    data = worlds.tasteful()
    plain, described = (recipe(mode="fast").fit(data, Run()) for recipe in (Hrnn, HrnnMetadata))
    cold = np.flatnonzero(data.item_counts == 0)

    assert (plain.component(UnknownItems).penalty[cold] < 0).all()
    assert (described.component(UnknownItems).penalty[cold] == 0).all()


def test_cold_items_are_new_and_rare():
    data = worlds.tasteful()
    few = HrnnColdstart(cold_start_max_interactions=1, cold_start_max_duration=1000.0).cold_items(data)
    many = HrnnColdstart(cold_start_max_interactions=10_000, cold_start_max_duration=1000.0).cold_items(data)
    none = HrnnColdstart(cold_start_max_interactions=10_000, cold_start_relative_from="currentTime").cold_items(data)

    assert few.sum() < many.sum() == (data.item_counts > 0).sum()
    assert not none.any()


def test_coldstart_recommends_new_items_by_kind():
    data = worlds.tasteful(num_items=80, num_cold=8)
    model = HrnnColdstart().fit(data, Run(seed=2))
    genres, cold = worlds.item_genres(data), np.flatnonzero(data.item_counts == 0)
    best = cold[model.score(data.histories())[:, cold].argmax(axis=1)]

    assert (genres[best] == np.arange(120) % 4).mean() > 0.6
