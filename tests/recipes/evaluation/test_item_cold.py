"""What an evaluation says of items that nobody has taken yet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes import catalogue
from recipes.evaluation import evaluator, splits
from recipes.evaluation.item_cold import CONTENT_NDCG, MRR, NDCG
from recipes.run import Run
from recipes.simulation import Market, World

RECIPE = catalogue.get("aws-user-personalization")(mode="fast")


def evaluated(metadata, recipe=RECIPE, **changes):
    data = replace(Market.open(World(users=150, items=160, metadata=metadata), 1).data(), **changes)
    split = splits.amazon(data)
    return evaluator.evaluate_model(recipe.fit(split.train, Run()), split, data)


@pytest.fixture(scope="module")
def good():
    return evaluated("good")


def test_items_withheld_as_if_new_go_to_those_who_like_such_items(good):
    chance = good.baselines["popularity"]
    assert good.figures[NDCG] > 1.1 * chance[NDCG]
    assert good.figures[MRR] > chance[MRR]
    assert np.isfinite(good.figures[CONTENT_NDCG])


def test_metadata_that_say_nothing_are_worth_nothing(good):
    none = evaluated("none")
    gain, nothing = (found.figures[NDCG] - found.baselines["popularity"][NDCG] for found in (good, none))
    assert nothing < gain / 2


def test_nothing_is_said_of_new_items_without_metadata():
    assert NDCG not in evaluated("good", items={}).figures


def test_nothing_is_said_of_recipes_that_take_a_full_training_to_learn_anew():
    assert NDCG not in evaluated("good", catalogue.get("aws-popularity-count")()).figures
