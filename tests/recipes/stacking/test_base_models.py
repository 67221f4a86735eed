"""What is tried: how much of it follows from the seconds there are, and what is alike is fitted once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from recipes import catalogue
from recipes.components.fit_context import MAX_DENSE_ITEMS, MIN_DENSE_ITEMS, max_dense_items
from recipes.numerics.machine import FLOPS_PER_SECOND, flops_per_second
from recipes.run import Run
from recipes.stacking.base_models import affordable, base_models, fit_all
from recipes.stacking.fit import open_fit
from tests.recipes import worlds


@pytest.fixture(scope="module")
def held_out():
    data = worlds.tasteful(num_users=100)
    settings = catalogue.get("aws-user-personalization")().engine_settings(data)
    return open_fit(settings, data, Run())


def test_ridges_read_differently_share_their_weights(held_out):
    every = base_models(held_out.context, len(held_out.histories.item_index))
    tried = {name: every[name] for name in ("lifetime, firmer", "recent profile", "lifetime")}
    fitted = dict(fit_all(tried, held_out.histories, held_out.context))
    assert fitted["recent profile"].weights is fitted["lifetime, firmer"].weights
    assert not np.array_equal(fitted["lifetime"].weights, fitted["lifetime, firmer"].weights)
    assert fitted["recent profile"].kernel.decay < fitted["lifetime, firmer"].kernel.decay


def test_base_models_that_share_counts_are_fitted_consecutively_and_nothing_is_kept_afterwards(held_out):
    every = base_models(held_out.context, len(held_out.histories.item_index))
    order = [every[name].pairs for name, _ in fit_all(every, held_out.training, held_out.context)]
    assert len(order) == len(every)
    changes = 1 + sum(now != before for before, now in pairwise(order))
    assert changes == len(set(order))
    assert not held_out.context._shared


def test_everything_is_tried_where_there_is_time_and_the_most_promising_where_there_is_none(held_out):
    context, histories = held_out.context, held_out.histories
    every, seconds = affordable(context, histories)
    assert list(every) == list(base_models(context, len(histories.item_index)))
    assert seconds > 0
    few, _ = affordable(replace(context, run=Run(max_seconds=1e-6)), histories)
    assert list(few) == list(every)[: len(few)]
    assert len(few) < len(every)


def test_a_machine_is_never_thought_faster_than_one_that_rests():
    assert flops_per_second(Run()) == FLOPS_PER_SECOND
    assert 0 < flops_per_second(Run(max_seconds=60)) <= FLOPS_PER_SECOND


def test_dense_ridges_know_fewer_items_where_time_is_short():
    assert max_dense_items(Run()) == MAX_DENSE_ITEMS
    assert max_dense_items(Run(max_seconds=1e-3)) == MIN_DENSE_ITEMS
    assert MIN_DENSE_ITEMS <= max_dense_items(Run(max_seconds=2)) <= max_dense_items(Run(max_seconds=3600))
