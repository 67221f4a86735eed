"""The engine as a whole: how much it learns from when time is short."""

from __future__ import annotations

import numpy as np
import pytest

from recipes import catalogue
from recipes.data import Histories
from recipes.run import Run
from recipes.stacking import fit
from recipes.stacking.fit import sampled_users
from tests.recipes import worlds


def test_some_users_are_kept_whole():
    histories = Histories.of([[0, 1, 2], [], [3, 4], [5], [6, 7, 8, 9]])
    kept = sampled_users(histories, 6, seed=1)
    sizes = np.diff(kept.offsets)

    assert len(kept) == len(histories)
    assert 0 < sizes.sum() <= 6
    for row, size in enumerate(sizes.tolist()):
        assert size in {0, histories.offsets[row + 1] - histories.offsets[row]}


@pytest.fixture
def slowly(monkeypatch):
    """A second affords fifty events."""
    monkeypatch.setattr(fit, "EVENTS_PER_SECOND", 50)
    monkeypatch.setattr(fit, "MIN_SAMPLE", 1)


def test_with_little_time_a_sample_of_the_users_is_learned_from_and_said_so(slowly):
    data, told = worlds.tasteful(num_users=200), []
    recipe = catalogue.get("aws-user-personalization")(mode="fast")
    model = recipe.fit(data, Run(max_seconds=20.0, on_progress=lambda progress: told.append(progress.message)))

    assert any(f"of {len(data.interactions):,} events: those of users drawn at random" in message for message in told)
    assert model.plan.max_events <= 1000
    best = np.argmax(model.score(data.histories()), axis=1)
    assert (worlds.item_genres(data)[best] == worlds.user_tastes(data)).mean() > 0.7
    served = recipe.refit(model, data, Run())
    assert served.plan.max_events == model.plan.max_events


def test_without_a_budget_all_events_are_learned_from(slowly):
    told = []
    recipe = catalogue.get("aws-user-personalization")(mode="fast")
    model = recipe.fit(worlds.tasteful(num_users=60), Run(on_progress=lambda progress: told.append(progress.message)))

    assert model.plan.max_events is None
    assert not any("drawn at random" in message for message in told)


def test_what_was_tried_answers_where_there_is_no_time_to_fit_it_again(monkeypatch):
    monkeypatch.setattr(fit, "REFIT_SHARE", 0.0)
    data = worlds.tasteful()
    model = catalogue.get("aws-user-personalization")(mode="fast").fit(data, Run(max_seconds=60.0))

    best = np.argmax(model.score(data.histories()), axis=1)
    assert (worlds.item_genres(data)[best] == worlds.user_tastes(data)).mean() > 0.7
