"""Sorting block by block gives what numpy's sorts of everything give, wherever blocks end."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.numerics import grouping

SIZES = [1, 7, 10_000]


@pytest.fixture(params=SIZES, autouse=True)
def _block(request, monkeypatch):
    monkeypatch.setattr(grouping, "BLOCK", request.param)


@pytest.mark.parametrize("latest", [1, 1000, 2**62])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_events_are_ordered_by_group_then_time_then_as_they_came(latest, is_sorted):
    rng = np.random.default_rng(latest % 1000)
    group = rng.integers(0, 12, 500).astype(np.int32)
    time = rng.integers(-latest, latest, 500)
    if is_sorted:
        order = np.lexsort((time, group))
        group, time = group[order], time[order]
    found = grouping.order_by_group_and_time(group, time, 15)
    assert found.dtype == np.int32
    assert found.tolist() == np.lexsort((time, group)).tolist()


def test_nothing_is_ordered():
    none = np.zeros(0, np.int64)
    assert grouping.order_by_group_and_time(none, none, 0).tolist() == []
    assert list(grouping.whole_groups(none)) == []


def test_no_block_divides_a_group_and_none_is_left_out():
    group = np.repeat([5, 2, 9, 2], [20, 1, 3, 8])
    found = list(grouping.whole_groups(group))
    assert [block.start for block in found[1:]] == [block.stop for block in found[:-1]]
    assert (found[0].start, found[-1].stop) == (0, len(group))
    assert {block.start for block in found} <= {0, 20, 21, 24}


def test_values_are_grouped_counted_and_taken():
    rng = np.random.default_rng(1)
    group, values = rng.integers(0, 9, 300), rng.integers(0, 99, 300)
    counts = grouping.counted(group, 10)
    assert counts.tolist() == np.bincount(group, minlength=10).tolist()
    grouped = grouping.Grouping(counts, 99)
    for start in range(0, 300, 50):
        grouped.add(group[start : start + 50], values[start : start + 50])
    order = np.argsort(group, kind="stable")
    assert grouped.values.tolist() == values[order].tolist()
    assert grouping.taken(values, order, np.float32).tolist() == values[order].tolist()


def test_parts_are_joined_and_given_up():
    parts = [np.array([1, 2]), np.zeros(0, np.int64), np.array([3])]
    assert grouping.joined(parts).tolist() == [1, 2, 3]
    assert parts == []


def test_indexes_take_as_few_bytes_as_they_can():
    assert grouping.index_type(2**31 - 1) is np.int32
    assert grouping.index_type(2**31) is np.int64
