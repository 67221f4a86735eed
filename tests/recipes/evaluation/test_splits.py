"""Splits: who is asked, what is hidden, and that the same data ask the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes.base import RecipeError
from recipes.data import TrainingData
from recipes.evaluation import splits
from tests.recipes import worlds


def test_it_works():
    data = worlds.tasteful()
    split = splits.amazon(data)
    assert 0 < len(split.queries) < 0.25 * data.num_users
    assert len(split.queries.item_index) + len(split.truth.item_index) + len(split.train.interactions) == len(
        data.interactions
    )


def test_the_newest_tenth_of_each_held_out_users_events_is_the_truth_and_nothing_of_theirs_is_learnt():
    data = worlds.tasteful(events_per_user=25)
    split = splits.amazon(data)
    assert not np.isin(split.train.interactions.user_index, split.users).any()
    for row, user in enumerate(split.users):
        everything = data.histories(np.array([user]))
        asked = split.queries.rows(row, row + 1)
        told = split.truth.rows(row, row + 1)
        assert len(told.item_index) == 3  # 25 events: the oldest 22 (90 %, rounded down) are the query
        assert [*asked.item_index, *told.item_index] == everything.item_index.tolist()
        assert told.timestamp.min() >= asked.timestamp.max()


def test_a_users_place_does_not_change_when_others_come_and_go():
    small, large = worlds.tasteful(num_users=60), worlds.tasteful(num_users=240)
    asked_small = {small.user_ids[user] for user in splits.amazon(small).users}
    asked_large = {large.user_ids[user] for user in splits.amazon(large).users}
    assert asked_small == {name for name in asked_large if worlds.number(name) < 60}


def test_a_tenth_of_many_users_is_asked_and_another_salt_asks_others():
    data = worlds.tasteful(num_users=2000, events_per_user=2)
    first, second = splits.amazon(data), splits.amazon(data, salt="again")
    assert 150 < len(first.users) < 250
    assert len(np.intersect1d(first.users, second.users)) < 50


def test_no_more_users_are_asked_than_is_worth_while(monkeypatch):
    data = worlds.tasteful(num_users=500, events_per_user=2)
    everyone = splits.amazon(data).users
    monkeypatch.setattr(splits, "MOST_QUERIES", 10)
    few = splits.amazon(data)
    assert len(few.users) == 10
    assert np.isin(few.users, everyone).all()
    assert len(few.train.interactions) == len(data.interactions) - 20


def test_users_with_two_events_have_one_asked_and_those_with_one_are_never_asked():
    events = pa.table({"USER_ID": ["a", "a", "b"], "ITEM_ID": ["x", "y", "x"], "TIMESTAMP": [2, 1, 3]})
    split = splits.amazon(TrainingData.from_tables(events))
    assert split.users.tolist() == [0]
    assert [split.train.item_ids[item] for item in split.queries.item_index] == ["y"]
    assert [split.train.item_ids[item] for item in split.truth.item_index] == ["x"]


def test_it_says_when_there_is_nobody_to_ask():
    events = pa.table({"USER_ID": ["a", "b"], "ITEM_ID": ["x", "x"], "TIMESTAMP": [2, 1]})
    data = TrainingData.from_tables(events)
    for split in (splits.amazon, splits.leave_last_out, splits.segmentation):
        with pytest.raises(RecipeError):
            split(data)


def test_the_fingerprint_is_of_what_is_asked():
    data = worlds.tasteful()
    assert splits.amazon(data).fingerprint == splits.amazon(worlds.tasteful()).fingerprint
    others = [splits.amazon(data, salt="again"), splits.amazon(worlds.tasteful(seed=1)), splits.leave_last_out(data)]
    assert len({splits.amazon(data).fingerprint, *(split.fingerprint for split in others)}) == 4


def test_leave_last_out_hides_one_event_of_every_user():
    data = worlds.checkerboard(20)
    split = splits.leave_last_out(data)
    assert np.diff(split.truth.offsets).tolist() == [1] * 20
    assert len(split.train.interactions) == len(data.interactions) - 20
    assert split.train.histories().item_index.tolist() == split.queries.item_index.tolist()


def test_segmentation_hides_the_newest_fifth_of_each_user_and_asks_who_took_the_item():
    data = worlds.tasteful(events_per_user=10)
    split = splits.segmentation(data)
    assert np.bincount(split.train.interactions.user_index).tolist() == [8] * data.num_users
    told = {
        (int(item), int(user))
        for item, low, high in zip(split.items, split.offsets[:-1], split.offsets[1:], strict=True)
        for user in split.user_index[low:high]
    }
    late = {
        (int(item), user) for user in range(data.num_users) for item in data.histories(np.array([user])).item_index[8:]
    }
    assert told == late


def test_the_newest_window_is_what_a_trend_is_judged_by():
    data = worlds.tasteful()
    before, after = splits.newest_window(data, 5 * worlds.DAY)
    assert len(before.interactions) + len(after.interactions) == len(data.interactions)
    assert before.interactions.timestamp.max() < after.interactions.timestamp.min()
