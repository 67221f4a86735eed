"""One test for several models: nobody has seen its answers, all are asked the same, and other indexes change nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes import catalogue
from recipes.base import RecipeError
from recipes.data import TrainingData
from recipes.evaluation import shared as shared_evaluation
from recipes.evaluation.shared import Translated
from recipes.run import Run
from tests.recipes.worlds import tasteful

NOW = 1_700_000_000


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return tasteful(num_users=300)


@pytest.fixture(scope="module")
def halves(data) -> tuple[np.ndarray, np.ndarray]:
    """What two models with different settings may learn from: all events, and those of even items."""
    return np.ones(len(data.interactions), bool), data.interactions.item_index % 2 == 0


def test_it_works(data, halves):
    test = shared_evaluation.refit(data, halves)
    fitted = [catalogue.get("aws-sims")().fit(test.training(own), Run()) for own in halves]
    first, second = (test.evaluate(model, own) for model, own in zip(fitted, halves, strict=True))
    assert first.fingerprint == second.fingerprint
    assert first.num_queries == second.num_queries == len(test.split.users)
    assert first.figures["recall_at_10"] > 0


def test_nobody_learns_or_is_told_what_is_asked_for(data, halves):
    test = shared_evaluation.refit(data, halves)
    owner = data.interactions.user_index
    assert not np.isin(owner[test.learned], test.split.users).any()
    asked = {user: set() for user in test.split.users}
    truth = test.split.truth
    for place, user in enumerate(test.split.users):
        low = int(truth.offsets[place])
        asked[user] = (int(truth.timestamp[low]), int(truth.offsets[place + 1]) - low)
    for user, (since, size) in asked.items():
        mine = (owner == user) & test.observed
        assert data.interactions.timestamp[mine].max(initial=0) <= since
        theirs = np.flatnonzero((owner == user) & halves[0] & halves[1])
        assert not test.observed[theirs[-size:]].any()
        assert test.observed[theirs[:-size]].all()


def test_what_is_asked_for_is_what_all_may_learn_from(data, halves):
    test = shared_evaluation.refit(data, halves)
    assert (test.split.truth.item_index % 2 == 0).all()


def test_models_with_nothing_in_common_cannot_be_asked(data, halves):
    with pytest.raises(RecipeError, match="none in common"):
        shared_evaluation.refit(data, (halves[1], ~halves[1]))


def test_newer_events_are_unseen_by_all(data, halves):
    times = data.interactions.timestamp
    until = int(np.quantile(times, 0.7))
    test = shared_evaluation.newer(data, halves[:1], until)
    assert test.split.truth.timestamp.min() > until
    assert times[test.observed].max() <= until
    assert len(test.split.queries) == len(test.split.users) == len(test.split.truth)
    assert (np.diff(test.split.queries.offsets) > 0).all()


def test_few_newer_events_are_not_enough(data, halves):
    assert shared_evaluation.newer(data, halves, int(data.interactions.timestamp.max())) is None


def test_a_model_answers_the_same_in_other_indexes(data):
    recipe = catalogue.get("aws-sims")()
    model = recipe.fit(data, Run())
    other = mirrored(data)
    asked = Translated(model, data, other)
    users = other.user_ids.indexes(data.user_ids.take(np.arange(20)))
    there = asked.score(other.histories(users))
    here = model.score(data.histories(np.arange(20)))
    items = other.item_ids.indexes(data.item_ids.array.to_pylist())
    assert np.allclose(there[:, items], here, atol=1e-6)
    stranger = other.item_ids.index("fresh")
    assert np.isneginf(there[:, stranger]).all()


def mirrored(data: TrainingData) -> TrainingData:
    """The same events with ids in another order, and an item that nobody knew."""
    events = data.interactions
    rows = np.arange(len(events))[::-1]
    table = {
        "USER_ID": data.user_ids.take(events.user_index[rows]),
        "ITEM_ID": data.item_ids.take(events.item_index[rows]),
        "TIMESTAMP": events.timestamp[rows],
    }
    items = pa.table({"ITEM_ID": ["fresh", *data.item_ids.array.to_pylist()]})
    return TrainingData.from_tables(pa.table(table), items)
