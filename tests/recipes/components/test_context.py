"""The context of a request: what is taken on the phone is recommended on the phone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from recipes.columns import Kind
from recipes.components.context import Context, count_context
from recipes.data import Histories, TrainingData
from recipes.methods.hrnn import Hrnn, HrnnMetadata
from recipes.methods.personalized_ranking import PersonalizedRanking
from recipes.methods.user_personalization import UserPersonalization
from recipes.run import Run
from recipes.stacking.model import StackedModel
from tests.recipes import worlds

KINDS = {"INTERACTIONS": {"DEVICE_TYPE": Kind.CATEGORICAL, "HOUR": Kind.NUMERIC, "NOTE": Kind.LABEL}}
ITEMS = 30


@cache
def devices() -> TrainingData:
    """Items 0 to 9 are taken on the phone in the morning, 10 to 19 on the tv in the evening, the others anywhere."""
    rng = np.random.default_rng(5)
    device = rng.choice(["phone", "tv", ""], 3000, p=[0.4, 0.4, 0.2])
    low = np.select([device == "phone", device == "tv"], [0, 10], 20)
    hour = np.select([device == "phone", device == "tv"], [8.0, 20.0], 14.0)
    table = pa.table(
        {
            "USER_ID": [f"u{user}" for user in rng.integers(0, 100, 3000)],
            "ITEM_ID": [f"i{item:02}" for item in low + rng.integers(0, 10, 3000)],
            "TIMESTAMP": worlds.START + 60 * np.arange(3000),
            "DEVICE_TYPE": device,
            "HOUR": hour,
            "NOTE": ["x"] * 3000,
        }
    )
    return TrainingData.from_tables(table, pa.table({"ITEM_ID": [f"i{i:02}" for i in range(ITEMS)]}), None, KINDS)


@cache
def fitted(recipe: type[UserPersonalization]) -> StackedModel:
    model = recipe(mode="fast").fit(devices(), Run(seed=1))
    assert isinstance(model, StackedModel)
    return model


def best(model: StackedModel, histories: Histories, **context: str) -> np.ndarray:
    scores = model.score(replace(histories, context=context))
    ids = devices().item_ids.take(np.argsort(-scores, axis=1)[:, :5].ravel())
    return np.array([int(name[1:]) for name in ids])


@pytest.mark.parametrize("recipe", [UserPersonalization, PersonalizedRanking, HrnnMetadata])
def test_it_works(recipe):
    histories = devices().histories().rows(0, 20)
    assert np.mean(best(fitted(recipe), histories, DEVICE_TYPE="phone") < 10) > 0.8
    on_tv = best(fitted(recipe), histories, DEVICE_TYPE="tv")
    assert np.mean((on_tv >= 10) & (on_tv < 20)) > 0.8


def test_names_may_be_written_as_programs_write_them():
    histories = devices().histories().rows(0, 3)
    model = fitted(UserPersonalization)
    expected = best(model, histories, DEVICE_TYPE="tv")
    assert np.array_equal(best(model, histories, deviceType="tv"), expected)
    assert np.array_equal(best(model, histories, device_type="tv"), expected)


def test_numbers_count_by_their_bin():
    histories = devices().histories().rows(0, 20)
    assert np.mean(best(fitted(UserPersonalization), histories, HOUR="8") < 10) > 0.8
    assert np.mean(best(fitted(UserPersonalization), histories, HOUR="7.5") < 10) > 0.8


@pytest.mark.parametrize("context", [{}, {"DEVICE_TYPE": "fridge"}, {"HOUR": "noon"}, {"NOTE": "x"}, {"MOON": "full"}])
def test_what_is_unknown_changes_nothing(context):
    histories = devices().histories().rows(0, 5)
    model = fitted(UserPersonalization)
    assert np.array_equal(model.score(replace(histories, context=context)), model.score(histories))


def test_an_unknown_user_is_served_by_the_context_alone():
    none = np.zeros(0, np.int64)
    stranger = Histories(np.zeros(2, np.int64), none, none, none.astype(np.int16), np.array([-1]))
    assert np.all(best(fitted(UserPersonalization), stranger, DEVICE_TYPE="phone") < 10)


def test_plain_hrnn_reads_interactions_only():
    assert fitted(Hrnn).component(Context) is None


def test_a_stored_model_knows_the_context():
    model = fitted(UserPersonalization)
    again = StackedModel.from_state(model.recipe, model.num_items, model.state())
    asked = replace(devices().histories().rows(0, 5), context={"DEVICE_TYPE": "tv"})
    assert np.allclose(again.score(asked), model.score(asked), atol=1e-5)


def test_rare_values_say_little():
    """Three events on a watch: a factor of two at most for what was taken there, nearly none for the rest."""
    table = pa.table(
        {
            "USER_ID": ["u"] * 203,
            "ITEM_ID": ["a", "b"] * 100 + ["a"] * 3,
            "TIMESTAMP": worlds.START + np.arange(203),
            "DEVICE": ["phone"] * 200 + ["watch"] * 3,
        }
    )
    found = count_context(TrainingData.from_tables(table, None, None, {"INTERACTIONS": {"DEVICE": Kind.CATEGORICAL}}))
    assert isinstance(found, Context)
    lift = found.lift({"DEVICE": "watch"})
    assert lift is not None
    assert 0 < lift[0] < np.log(2)
    assert -0.3 < lift[1] < 0
