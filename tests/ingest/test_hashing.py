"""Row hashes: equal rows agree, others do not, and duplicates are found whichever way they lie."""

from __future__ import annotations

import tracemalloc
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.ingest import hashing


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=40))
def test_strings_differ_exactly_when_their_hashes_do(values):
    hashes = hashing.strings(pa.array(values, pa.string())).tolist()

    assert len(set(zip(values, hashes, strict=True))) == len(set(values)) == len(set(hashes))


def test_a_slice_hashes_as_the_whole():
    values = pa.array([f"user {n}" for n in range(100)], pa.string())

    assert hashing.strings(values.slice(30, 20)).tolist() == hashing.strings(values)[30:50].tolist()


def test_long_strings_take_several_slices():
    values = pa.array(["x" * (hashing.SLICE_BYTES + n) for n in range(3)] + ["", "y"], pa.string())

    assert len(set(hashing.strings(values).tolist())) == 5


def test_columns_and_nulls_count():
    first = pa.array([1, 1, None, 0, 1])
    second = pa.array(["a", "b", "a", "a", "a"]).dictionary_encode()

    hashes = hashing.combined([hashing.column(first), hashing.column(second)])

    assert hashes[0] == hashes[4]
    assert len(set(hashes.tolist())) == 4


def test_the_first_or_the_last_of_equal_rows_stays():
    hashes = np.array([5, 7, 5, 9, 7], np.uint64)

    assert np.asarray(hashing.first_positions([hashes], last=False)).tolist() == [True, True, False, True, False]
    assert np.asarray(hashing.first_positions([hashes], last=True)).tolist() == [False, False, True, True, True]
    assert hashing.first_positions([np.arange(4, dtype=np.uint64)], last=True) is None


@pytest.mark.parametrize("rows", [0, hashing.RANGE_ROWS], ids=["ranges", "one look"])
@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=30), min_size=1, max_size=6), st.booleans())
def test_each_hash_stays_once_however_many_there_are(rows, numbers, last):
    parts = [np.array(part, np.uint64) for part in numbers]
    flat = [number for part in numbers for number in part]
    kept = {number: row for row, number in enumerate(flat)} if last else {}
    for row, number in enumerate(flat):
        kept.setdefault(number, row)

    with mock.patch.object(hashing, "RANGE_ROWS", rows):
        keep = hashing.first_positions(parts, last=last)

    assert (np.arange(len(flat)) if keep is None else np.flatnonzero(keep)).tolist() == sorted(kept.values())


def test_hashes_that_are_collected_block_by_block_come_back_in_order():
    with mock.patch.object(hashing, "RANGE_ROWS", 5):
        collected, given = hashing.Collected(), np.arange(23, dtype=np.uint64)
        assert collected.parts() == []
        for block in np.split(given, [0, 1, 9, 9, 20]):
            collected.add(block)
        parts = collected.parts()
    assert collected.rows == 23
    assert [len(part) for part in parts] == [5, 5, 5, 5, 3]
    assert np.concatenate(parts).tolist() == given.tolist()


def test_memory_is_that_of_the_hashes_and_of_one_range():
    rows, block = 1 << 20, np.arange(1 << 16, dtype=np.uint64)
    with mock.patch.object(hashing, "RANGE_ROWS", len(block)):
        tracemalloc.start()
        collected = hashing.Collected()
        for number in range(rows // len(block)):
            collected.add(block + np.uint64(number * len(block)))
        assert hashing.first_positions(collected.parts(), last=False) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10 * rows
