"""What is tried: how much of it follows from the seconds there are, and what is alike is fitted once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes import catalogue
from recipes.run import Run
from recipes.stacking.base_models import FLOPS_A_SECOND, candidates, flops_a_second, planned
from recipes.stacking.fit import _open as open_workshop
from recipes.stacking.fit_context import FEWEST_DENSE_ITEMS, MAX_DENSE_ITEMS, _most_dense
from tests.recipes import worlds


@pytest.fixture(scope="module")
def workshop():
    data = worlds.tasteful(num_users=100)
    settings = catalogue.get("aws-user-personalization")().engine_settings(data)
    return open_workshop(settings, data, Run())


def test_ridges_read_differently_share_their_weights(workshop):
    tried = {name: candidates(workshop)[name] for name in ("lifetime, firmer", "recent profile", "lifetime")}
    fitted = dict(workshop.fit_ridges(tried, workshop.histories))
    assert fitted["recent profile"].weights is fitted["lifetime, firmer"].weights
    assert not np.array_equal(fitted["lifetime"].weights, fitted["lifetime, firmer"].weights)
    assert fitted["recent profile"].kernel.decay < fitted["lifetime, firmer"].kernel.decay


def test_everything_is_tried_where_there_is_time_and_the_most_promising_where_there_is_none(workshop):
    every, seconds = planned(workshop)
    assert list(every) == list(candidates(workshop))
    assert seconds > 0
    few, _ = planned(replace(workshop, run=Run(max_seconds=1e-6)))
    assert list(few) == list(every)[: len(few)]
    assert len(few) < len(every)


def test_a_machine_is_never_thought_faster_than_one_that_rests():
    assert flops_a_second(Run()) == FLOPS_A_SECOND
    assert 0 < flops_a_second(Run(max_seconds=60)) <= FLOPS_A_SECOND


def test_dense_ridges_know_fewer_items_where_time_is_short():
    assert _most_dense(Run()) == MAX_DENSE_ITEMS
    assert _most_dense(Run(max_seconds=1e-3)) == FEWEST_DENSE_ITEMS
    assert FEWEST_DENSE_ITEMS <= _most_dense(Run(max_seconds=2)) <= _most_dense(Run(max_seconds=3600))
