"""What was tried without the held-out events is fitted again as far as time allows, and stays as it is where it does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from recipes import catalogue
from recipes.run import Run
from recipes.stacking import trial as trial_module
from recipes.stacking.base_models import base_models
from recipes.stacking.fit import open_fit
from recipes.stacking.trial import fit_again, try_base_models
from tests.recipes import worlds

NAMES = ("closeness", "cosine", "coming", "lifetime")


@pytest.fixture(scope="module")
def held_out():
    data = worlds.tasteful(num_users=100)
    settings = catalogue.get("aws-user-personalization")().engine_settings(data)
    return open_fit(settings, data, Run())


@pytest.fixture(scope="module")
def models(held_out):
    every = base_models(held_out.context, len(held_out.histories.item_index))
    return {name: every[name] for name in NAMES}


@pytest.fixture(scope="module")
def trial(held_out, models):
    return try_base_models(held_out, models, keeps=True)


def test_all_that_is_tried_is_timed_and_kept(trial):
    assert set(trial.scores) == set(trial.seconds) == set(trial.fitted) == set(NAMES)


def test_only_what_may_be_needed_again_is_kept(held_out, models):
    assert not try_base_models(held_out, models, keeps=False).fitted


def test_time_that_no_network_needs_goes_to_more_base_models(held_out, models, monkeypatch):
    """Each look at the clock takes a second: half of the time suffices for more models than a fifth."""
    monkeypatch.setattr(
        trial_module, "NETWORK_SECONDS", 0.0
    )  # in auto mode a network follows, however slow this machine is
    tried = {}
    for mode in ("auto", "fast"):
        ticks = count()
        slow = Run(max_seconds=40.0, started=0.0, clock=lambda ticks=ticks: float(next(ticks)))
        settings = replace(held_out.context.settings, mode=mode)
        slowed = replace(held_out, context=replace(held_out.context, run=slow, settings=settings))
        tried[mode] = len(try_base_models(slowed, models, keeps=True).scores)
    assert 0 < tried["auto"] < tried["fast"]


def test_with_time_everything_is_fitted_again(held_out, models, trial):
    again = dict(fit_again(models, trial, held_out, Run()))
    assert not any(again[name] is trial.fitted[name] for name in NAMES)


def test_without_time_everything_stays_as_it_was_tried(held_out, models, trial):
    again = dict(fit_again(models, trial, held_out, Run(max_seconds=0.0)))
    assert all(again[name] is trial.fitted[name] for name in NAMES)


def test_what_the_time_suffices_for_is_fitted_again_and_nothing_after_it(held_out, models, trial):
    ticks = count()
    slow = Run(max_seconds=2.5, started=0.0, clock=lambda: float(next(ticks)))  # a second at each look
    again = list(fit_again(models, trial, held_out, slow))
    is_tried = [fitted is trial.fitted[name] for name, fitted in again]
    assert is_tried == sorted(is_tried)
    assert len(set(is_tried)) == 2


def test_a_fit_again_that_runs_out_of_time_leaves_the_model_that_was_measured():
    data, ticks, told = worlds.tasteful(num_users=60), count(), []
    recipe = catalogue.get("aws-user-personalization")(mode="fast")
    model = recipe.fit(data, Run())
    slow = Run(
        max_seconds=model.plan.seconds + 1.5,
        started=0.0,
        clock=lambda: float(next(ticks)),
        on_progress=lambda progress: told.append(progress.message),
    )
    assert recipe.refit(model, data, slow) is model
    assert any("No time" in message for message in told)
