"""Semantic similarity: texts decide, popularity and freshness as asked."""

from __future__ import annotations

import numpy as np
import pytest

from recipes import artefact
from recipes.base import RecipeError
from recipes.methods.semantic_similarity import SemanticSimilarity, item_age_days
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes.worlds import checkerboard, item_genres, tasteful


def test_it_works():
    data = tasteful()
    genres, items = item_genres(data), np.arange(data.num_items)
    top = top_k(SemanticSimilarity().fit(data, Run()).related(items), 5).items
    assert (genres[top] == genres[:, None]).mean() > 0.95


def test_influence_moves_the_ranking():
    data = tasteful()
    model, items = SemanticSimilarity().fit(data, Run()), np.arange(data.num_items)
    plain, popular, fresh = (
        top_k(model.influenced(items, **influence), 5).items
        for influence in ({}, {"popularity": 1.0}, {"freshness": 1.0})
    )
    assert np.array_equal(plain, top_k(model.related(items), 5).items)
    assert data.item_counts[popular].mean() > data.item_counts[plain].mean()
    assert item_age_days(data)[fresh].mean() < item_age_days(data)[plain].mean()
    with pytest.raises(ValueError, match="FRESHNESS is 2, allowed is a number from 0 to 1"):
        model.influenced(items, freshness=2)


def test_it_needs_texts():
    with pytest.raises(RecipeError, match="no column of the Items dataset is textual"):
        SemanticSimilarity().fit(checkerboard(10), Run())


def test_it_comes_back_from_disk(tmp_path):
    data = tasteful()
    model = SemanticSimilarity().fit(data, Run())
    artefact.save(tmp_path / "model", model, data)
    loaded = artefact.load(tmp_path / "model").model
    items = np.array([3, -1])
    assert np.array_equal(loaded.influenced(items, freshness=0.5), model.influenced(items, freshness=0.5))


def test_new_items_join_by_update():
    data = tasteful(num_items=64)
    recipe = SemanticSimilarity()
    model = recipe.update(recipe.fit(tasteful(), Run()), data, Run())
    assert model.num_items == 64
