"""The stack's score: the sum of what its components add, however many histories are scored at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recipes import artefact
from recipes.components.item_weights import ItemWeights
from recipes.components.recurrent import Recurrent
from recipes.components.user_ridge import UserRidge
from recipes.data import Histories
from recipes.methods.user_personalization import UserPersonalization
from recipes.run import Run
from recipes.stacking.model import StackedModel
from tests.recipes.components import fitted
from tests.recipes.components.fitted import ITEMS, USERS

FORMAT_2 = Path(__file__).parent / "format_2"


def stacked(components) -> StackedModel:
    return StackedModel(UserPersonalization(), ITEMS, components)


@pytest.fixture
def model() -> StackedModel:
    return stacked(fitted.stack())


def test_the_score_is_the_weighted_sum_of_the_components_own_scores(model):
    histories = fitted.histories().rows(1, USERS)
    weights, users, network = (model.component(kind) for kind in (ItemWeights, UserRidge, Recurrent))
    sums = weights.sum_of_parts(histories)
    plain = weights.weight * sums + weights.content_weight * (sums @ weights.content)
    plain += users.weight * users.score(histories) + network.weight * network.network.score(histories)
    for component in model.components:
        if component.key in {"unknown_items", "popularity"}:
            plain += component.constant
        if component.key == "repeats":
            component.add_scores(plain, histories)

    assert model.score(histories) == pytest.approx(plain, abs=2e-4)


def test_users_without_events_get_the_cold_scores(model):
    histories = replace(fitted.histories().rows(0, 1).rows(0, 1), user_index=np.array([3]))
    unknown = replace(histories, user_index=np.array([-1]))
    popularity, users = model.components[1], model.component(UserRidge)

    assert model.score(unknown)[0] == pytest.approx(popularity.cold, abs=1e-5)
    assert model.score(histories)[0] == pytest.approx(popularity.cold + users.cold_scores(np.array([3]))[0], abs=1e-5)


def test_a_block_of_rows_and_one_row_score_alike(model, monkeypatch):
    histories = replace(fitted.histories(), context={"DEVICE": "phone"})
    whole = model.score(histories)
    monkeypatch.setattr("recipes.stacking.model.BLOCK_SCORES", 3 * ITEMS)
    monkeypatch.setattr("recipes.stacking.model.MIN_ROWS", 2)

    assert model.score(histories) == pytest.approx(whole, abs=2e-4)
    for row in range(len(histories)):
        assert model.score(histories.rows(row, row + 1))[0] == pytest.approx(whole[row], abs=2e-4)


@pytest.mark.parametrize("case", fitted.every_component())
def test_a_stack_of_one_component_scores(case):
    model, histories = stacked([fitted.every_component()[case]]), fitted.histories()
    assert np.isfinite(model.score(histories)).all()
    assert model.score(histories.rows(5, 6)) == pytest.approx(model.score(histories)[5:6], abs=1e-4)


def test_a_stack_of_nothing_scores_zero():
    assert not stacked([]).score(fitted.histories()).any()


def test_explanations_add_up_where_every_component_is_additive():
    model = stacked([component for component in fitted.stack() if component.is_additive(0)])
    history = fitted.histories().rows(7, 8)
    for item in (0, int(history.item_index[-1]), 39):
        contributions = model.explain(history, item)
        assert sum(c.weight for c in contributions) == pytest.approx(model.score(history)[0, item], abs=1e-4)


def test_a_stored_model_keeps_the_states_it_computed_ahead(model):
    histories = fitted.histories()
    plain = model.score(histories)
    model.prepare(histories, Run())
    stored = StackedModel.from_state(model.recipe, ITEMS, model.state())

    assert stored.component(Recurrent).network.cache is not None
    assert stored.score(histories) == pytest.approx(plain, abs=2e-4)
    assert stored.score(histories.rows(5, 6)) == pytest.approx(plain[5:6], abs=2e-4)


def test_an_artefact_of_the_format_before_components_scores_as_it_did():
    """`format_2` holds a model with every part, written before components stored themselves, and what it scored then."""
    stored = artefact.load(FORMAT_2)
    histories, expected = stored.data.histories(), np.load(FORMAT_2 / "expected.npz")
    none = np.zeros(0, np.int64)
    cold = Histories(np.zeros(3, np.int64), none, none, none.astype(np.int16), np.array([2, -1]))

    assert stored.model.score(histories) == pytest.approx(expected["known"], abs=1e-4)
    assert stored.model.score(histories.tail(4)) == pytest.approx(expected["tail"], abs=1e-4)
    assert stored.model.score(cold) == pytest.approx(expected["cold"], abs=1e-4)
    on_tv = replace(histories.rows(0, 3), context={"DEVICE": "tv"})
    assert stored.model.score(on_tv) == pytest.approx(expected["context"], abs=1e-4)
    again = StackedModel.from_state(stored.model.recipe, ITEMS, stored.model.state())
    assert again.score(histories) == pytest.approx(expected["known"], abs=1e-4)
