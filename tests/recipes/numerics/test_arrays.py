"""The faster array functions give what numpy's give."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recipes.numerics.arrays import distinct, order_by, strongest

KEYS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**62))).map(lambda values: np.array(values, np.int64))


@given(KEYS)
def test_distinct_values_are_those_of_numpy(keys):
    assert distinct(keys).tolist() == sorted(set(keys.tolist()))


@given(KEYS)
def test_the_order_is_that_of_a_stable_sort(keys):
    assert order_by(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@settings(deadline=None)  # building matrices takes longer than comparing numbers
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_the_strongest_entries_of_each_row_are_left(seed, count):
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((6, 9)) < 0.5, rng.random((6, 9)), 0)
    kept = strongest(sparse.csr_matrix(dense), count)
    bar = -np.sort(-dense, axis=1)[:, [min(count, 9) - 1]]

    assert np.array_equal(kept.toarray(), np.where(dense >= bar, dense, 0))
