"""The faster array functions give what numpy's give."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recipes.arrays import distinct, order_by

KEYS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**62))).map(lambda values: np.array(values, np.int64))


@given(KEYS)
def test_distinct_values_are_those_of_numpy(keys):
    assert distinct(keys).tolist() == sorted(set(keys.tolist()))


@given(KEYS)
def test_the_order_is_that_of_a_stable_sort(keys):
    assert order_by(keys).tolist() == np.argsort(keys, kind="stable").tolist()
