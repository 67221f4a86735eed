"""Indexes of users and items take four bytes; what is computed of both together needs more where users times items pass 2³¹.

Few events of many users and items: what is made of them must be what indexes of eight bytes give.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from recipes.cold_start.profiles import Takers
from recipes.cold_start.relevance import _came_by_themselves
from recipes.data import Ids, Interactions, TrainingData
from recipes.evaluation import splits
from recipes.impressions import Impressions
from recipes.methods.action_history import Kinds, features_before
from recipes.methods.item_affinity import Owners
from recipes.methods.next_best_action import Actions, NextBestAction
from recipes.methods.popularity import distinct_users, weighted_users
from recipes.numerics.arrays import order_by
from recipes.numerics.cooccurrence import FirstEvents, windowed_cooccurrence
from recipes.numerics.cooccurrence_embedding import nearest_cooccurrence

USERS, ITEMS, EVENTS = 2_000_000, 3_000_000, 3_000
APART = 1_431, 1_967_296  # users and items of two pairs of them that are 2³² apart, which four bytes take for one
TYPES = ("Taken", "Not taken", "Viewed")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    is_later = np.arange(EVENTS) >= EVENTS // 2
    user = np.sort(USERS - 1 - rng.integers(0, 200, EVENTS) - APART[0] * ~is_later).astype(np.int32)
    item = (7_001 * rng.integers(0, 40, EVENTS) + APART[1] * is_later + 700_000).astype(np.int32)
    lists = Impressions(np.minimum(np.arange(EVENTS + 1), 1_000), item[:1_000].astype(np.int64))
    events = Interactions(
        user, item, np.arange(EVENTS), rng.integers(0, 3, EVENTS).astype(np.int16), TYPES,
        np.full(EVENTS, np.nan, np.float32), lists, weight=rng.random(EVENTS, np.float32),
    )  # fmt: skip
    users, items = (Ids(pa.array(np.arange(size)).cast(pa.string())) for size in (USERS, ITEMS))
    return TrainingData(users, items, events)


def popularity(data):
    return (distinct_users(data),)


def weighted(data):
    return (weighted_users(data),)


def order(data):
    return (order_by(data.interactions.item_index),)


def segmentation(data):
    split = splits.segmentation(data)
    return split.items, split.offsets, split.user_index


def owners(data):
    found = Owners.of_data(data, last=True)
    return found.offsets, found.users


def conduct(data):
    types = np.arange(data.num_items) % 2_000
    return (features_before(data.interactions, Kinds.of(TYPES), types),)


def samples(data):
    none = np.zeros(data.num_items)
    actions = Actions(none > 0, none.astype(np.float32), none, none, none.astype(np.int64))
    found = NextBestAction()._samples(data, Kinds.of(TYPES), actions, np.zeros((data.num_users, 1), np.float32))
    return found.action, found.conduct, found.taken


def by_themselves(data):
    takers, every = Takers.of(data.histories(), data.num_items), np.arange(data.num_items)
    return (_came_by_themselves(data, takers, every),)


def first_events(data):
    events = data.interactions
    found = FirstEvents.of(events.user_index, events.item_index, data.num_items, events.weight)
    return found.laid, found.by_item, found.users


def pairs(data):
    events, weights = data.interactions, np.ones(3)
    found = windowed_cooccurrence(events.user_index, events.item_index, data.num_items, weights)
    return found.indptr, found.indices, found.data


def nearest(data):
    found = nearest_cooccurrence(data.interactions.user_index, data.interactions.item_index, data.num_items)
    return found.indptr, found.indices, found.data


@pytest.mark.parametrize(
    "made_of",
    [
        popularity, weighted, order, segmentation, owners, conduct, samples, by_themselves, first_events, pairs, nearest,
    ],
)  # fmt: skip
def test_four_bytes_give_what_eight_do(data, made_of):
    events = data.interactions
    assert events.user_index.dtype == events.item_index.dtype == np.int32
    wide = replace(events, user_index=events.user_index.astype(np.int64), item_index=events.item_index.astype(np.int64))
    for narrow, expected in zip(made_of(data), made_of(replace(data, interactions=wide)), strict=True):
        np.testing.assert_array_equal(narrow, expected)


def test_encoded_events_take_22_bytes():
    table = pa.table({"USER_ID": ["a", "b"], "ITEM_ID": ["x", "y"], "TIMESTAMP": [2, 1]})
    events = TrainingData.from_tables(table).interactions
    arrays = (events.user_index, events.item_index, events.timestamp, events.event_type, events.event_value)
    assert sum(array.itemsize for array in arrays) == 22
