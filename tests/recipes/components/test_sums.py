"""Sums over users: whatever the shards, combining them gives the sum over everybody."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest

from recipes.components.popularity import EventCounts
from recipes.components.repeats import RepeatCounts
from recipes.components.sequence_ridge import Moments
from recipes.components.sums import over_users, shards
from recipes.components.user_ridge import NormalEquations
from recipes.components.window_kernel import WindowKernel
from recipes.run import Run
from tests.recipes.components import fitted
from tests.recipes.components.fitted import ITEMS, USERS

FEATURES = np.random.default_rng(1).standard_normal((USERS, 3)).astype(np.float32)
FOLLOWING = np.random.default_rng(2).integers(0, ITEMS, USERS)
SUMS = {
    "moments of sequences": partial(Moments.partial, WindowKernel(5, 0.8, 3), ITEMS, Run()),
    "moments of profiles": partial(Moments.partial, WindowKernel(100, 1.0, profile=True), ITEMS, Run()),
    "normal equations": partial(NormalEquations.partial, FEATURES, ITEMS),
    "events": lambda histories: EventCounts.partial(histories, ITEMS, int(4e6), 1e6),
    "repeats": lambda histories: RepeatCounts.partial(histories, FOLLOWING[histories.user_index], ITEMS),
}


def histories():
    made = fitted.histories()
    return replace(made, weight=np.random.default_rng(3).random(len(made.item_index)).astype(np.float32))


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_shards_combine_to_the_whole(name, count):
    whole, combined = SUMS[name](histories()), over_users(SUMS[name], histories(), count)
    for field in fields(whole):
        if field.name != "kernel":
            assert getattr(combined, field.name) == pytest.approx(getattr(whole, field.name), abs=1e-3)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_shards_hold_every_user_once_and_no_history_is_cut(count):
    parts = shards(histories(), count)
    assert 1 <= len(parts) <= count
    assert np.concatenate([part.user_index for part in parts]).tolist() == list(range(USERS))
    assert np.concatenate([part.item_index for part in parts]).tolist() == histories().item_index.tolist()


def test_nobody_is_one_shard():
    assert len(shards(histories().rows(0, 0), 4)) == 1
