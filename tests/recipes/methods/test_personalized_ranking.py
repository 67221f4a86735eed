from __future__ import annotations

import numpy as np
import pytest

from recipes.base import RecipeType
from recipes.methods.personalized_ranking import PersonalizedRanking, PersonalizedRankingV2
from recipes.run import Run
from tests.recipes import worlds


@pytest.mark.parametrize("recipe", [PersonalizedRanking, PersonalizedRankingV2])
def test_it_orders_a_list_by_taste(recipe):
    data = worlds.tasteful()
    model = recipe(mode="fast").fit(data, Run())
    genres = worlds.item_genres(data)
    listed = np.array([np.flatnonzero(genres == genre)[0] for genre in range(4)])
    scores = model.score(data.histories())[:, listed]

    assert recipe.type is RecipeType.PERSONALIZED_RANKING
    assert (scores.argmax(axis=1) == np.arange(120) % 4).mean() > 0.9


def test_it_neither_explores_nor_updates():
    assert not PersonalizedRanking.explores
    model = PersonalizedRanking(mode="fast").fit(worlds.tasteful(), Run())

    with pytest.raises(TypeError, match="UPDATE"):
        PersonalizedRanking().update(model, worlds.tasteful(), Run())
