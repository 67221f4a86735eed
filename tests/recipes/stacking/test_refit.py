"""Refitting: what was chosen on a part is fitted on everything, in less time than choosing anew."""

from __future__ import annotations

from time import monotonic

import numpy as np
import pytest

from recipes import catalogue
from recipes.evaluation import splits
from recipes.run import Run
from tests.recipes import worlds


@pytest.fixture(scope="module")
def data():
    return worlds.tasteful(num_users=200)


@pytest.fixture(scope="module")
def judged(data):
    recipe = catalogue.get("aws-user-personalization")()
    began = monotonic()
    model = recipe.fit(splits.amazon(data).train, Run())
    return recipe, model, monotonic() - began


def test_it_works(data, judged):
    recipe, model, _ = judged
    served = recipe.refit(model, data, Run())
    assert served.plan.meta == model.plan.meta
    scores = served.score(data.histories())
    best = np.argmax(scores, axis=1)
    assert (worlds.item_genres(data)[best] == worlds.user_tastes(data)).mean() > 0.8


def test_everybody_was_learned_from(data, judged):
    recipe, model, _ = judged
    served = recipe.refit(model, data, Run())
    assert not np.array_equal(served.score(data.histories()), model.score(data.histories()))


def test_the_same_seed_gives_the_same_model(data, judged):
    recipe, model, _ = judged
    first, second = (recipe.refit(model, data, Run()).score(data.histories()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_plan_is_stored_with_the_model(data, judged):
    recipe, model, _ = judged
    restored = type(model).from_state(recipe, model.num_items, model.state())
    assert restored.plan.weights == model.plan.weights
    assert recipe.refit(restored, data, Run()).num_items == data.num_items


@pytest.mark.parametrize(
    "name", ["aws-user-personalization-v2", "aws-personalized-ranking", "aws-personalized-ranking-v2"]
)
def test_what_is_built_on_the_engine_refits_too(data, name):
    recipe = catalogue.get(name)(mode="fast")
    model = recipe.fit(splits.amazon(data).train, Run())
    assert np.isfinite(recipe.refit(model, data, Run()).score(data.histories())).all()


def test_without_time_to_fit_again_the_model_that_was_measured_serves(data, judged):
    recipe, model, _ = judged
    told = []
    out_of_time = Run(max_seconds=0.0, on_progress=lambda progress: told.append(progress.message))
    assert recipe.refit(model, data, out_of_time) is model
    assert any("No time" in message for message in told)
