"""Next best action: probabilities that follow who takes what, and the rules of readiness, expiry and repetition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes import artefact
from recipes.base import RecipeError
from recipes.data import Histories, TrainingData
from recipes.methods.action_history import Kinds
from recipes.methods.next_best_action import DAY, NextBestAction
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes.worlds import ACTIONS, START, action_world


def index(data, name):
    return data.item_ids.index(name)


def test_it_works():
    data = action_world()
    model = NextBestAction().fit(data, Run())
    club, news, rare = (index(data, name) for name in ACTIONS)
    new_gold, new_free = data.user_ids.indexes(["u300", "u301"])
    shown = model.probabilities(model.score(Histories.of([[], []], user_index=[new_gold, new_free])))
    assert shown[0, club] > shown[0, news] + 0.15
    assert shown[1, news] > shown[1, club] + 0.15
    assert (shown[:, rare] == 0).all(), "it has too few events"


def test_conduct_counts_for_users_without_metadata():
    data = action_world()
    model = NextBestAction().fit(data, Run())
    club, taken, declined = index(data, ACTIONS[0]), *map(data.interactions.event_types.index, ("Taken", "Not Taken"))
    eager, reluctant = (
        Histories(np.array([0, 3]), np.full(3, club), np.array([1, 2, 3]), np.full(3, kind, np.int16), np.array([-1]))
        for kind in (taken, declined)
    )
    assert model.score(eager)[0, club] > model.score(reluctant)[0, club]


def test_equal_scores_rank_by_value():
    data = action_world(num_users=20)
    model = NextBestAction().fit(data, Run())
    scores = model.score(Histories.of([[]]))
    assert (model.probabilities(scores) == 0).all(), "nothing has fifty events of both kinds"
    assert [data.item_ids[action] for action in top_k(scores, 3).items[0]] == ["rare offer", "newsletter", "join club"]


def test_only_the_newest_six_weeks_make_an_action_ready():
    model = NextBestAction().fit(action_world(spread_days=2000), Run())
    assert not model.actions.ready.any()


def test_expired_and_repeated_actions_are_left_out():
    data = action_world(ACTION_EXPIRATION_TIMESTAMP=[None, START + 100 * DAY, None], REPEAT_FREQUENCY=[10, None, None])
    model = NextBestAction().fit(data, Run())
    club, news, _ = (index(data, name) for name in ACTIONS)
    history = Histories(
        np.array([0, 1, 1]), np.array([club]), np.array([START]), np.array([0], np.int16), np.array([-1, -1])
    )
    early, late = (model.score_at(history, START + days * DAY) for days in (9, 101))
    assert np.isneginf(early[0, club])
    assert np.isfinite(early[1, [club, news]]).all()
    assert np.isfinite(late[0, club])
    assert np.isneginf(late[:, news]).all()
    assert model.probabilities(late)[0, news] == 0


def test_the_period_decides_what_was_taken_in_time():
    data = action_world(delay_days=10)
    short, long = (
        NextBestAction(action_optimization_period=days).fit(data, Run()).score(Histories.of([[]])) for days in (7, 28)
    )
    club = index(data, ACTIONS[0])
    assert short[0, club] < long[0, club]


def test_event_types_are_read_in_any_spelling():
    kinds = Kinds.of(("TAKEN", "NOT_TAKEN", "Not Taken", "viewed", "shared"))
    types = np.array([0, 1, 2, 3, 4, -1], np.int16)
    assert kinds.taken(types).tolist() == [True, False, False, False, False, False]
    assert kinds.declined(types).tolist() == [False, True, True, True, False, False]


def test_it_needs_actions():
    empty = pa.table(
        {
            "USER_ID": pa.array([], pa.string()),
            "ITEM_ID": pa.array([], pa.string()),
            "TIMESTAMP": pa.array([], pa.int64()),
        }
    )
    with pytest.raises(RecipeError, match="There are no actions"):
        NextBestAction().fit(TrainingData.from_tables(empty), Run())


def test_it_starts_without_any_interaction():
    empty = pa.table(
        {
            "USER_ID": pa.array([], pa.string()),
            "ITEM_ID": pa.array([], pa.string()),
            "TIMESTAMP": pa.array([], pa.int64()),
        }
    )
    data = TrainingData.from_tables(empty, pa.table({"ITEM_ID": ["a", "b"], "VALUE": [1, 5]}))
    model = NextBestAction().fit(data, Run())
    assert top_k(model.score(Histories.of([[]])), 2).items.tolist() == [[1, 0]]


def test_it_comes_back_from_disk(tmp_path):
    data = action_world()
    model = NextBestAction().fit(data, Run())
    artefact.save(tmp_path / "model", model, data)
    loaded = artefact.load(tmp_path / "model").model
    assert np.array_equal(loaded.score(data.histories()), model.score(data.histories()))
