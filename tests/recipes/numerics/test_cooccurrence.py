"""Pairs of items taken close together: how likenesses weigh them."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.numerics.cooccurrence import Likeness, Pairs, Visits, close_pairs
from recipes.run import Run
from tests.recipes import worlds

USERS = np.array([4.0, 9.0, 1.0])
PAIRS = Pairs(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([4, 3, 1]), np.array([4.0, 3.0, 1.0]))


@pytest.mark.parametrize(
    ("likeness", "expected"),
    [
        (Likeness(), [0.0, 3 / 6, 1 / 2]),
        (Likeness(discount=1.0), [0.0, 3 / 18, 1 / 2]),
        (Likeness(fewest=2), [0.0, 3 / 6, 0.0]),
        (Likeness(doubt=1.0), [0.0, 3 / 6 * 3 / 4, 1 / 2 / 2]),
        (Likeness(strangers=5.0), [0.0, 3 / np.sqrt(9 * 14), 1 / np.sqrt(9 * 6)]),
    ],
)
def test_each_setting_weighs_pairs_as_it_says(likeness, expected):
    np.testing.assert_allclose(likeness.nearest(PAIRS, USERS, 0, 1).toarray(), [expected], rtol=1e-6)


def test_several_likenesses_are_what_each_alone_is(monkeypatch):
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_CELLS", 300)  # several blocks
    data = worlds.tasteful()
    likenesses = [Likeness(doubt=1.0, strangers=5.0), Likeness(fewest=2)]
    visits = Visits.of(data, np.ones(len(data.interactions), bool))
    together = close_pairs(visits, likenesses, Run())
    for likeness, found in zip(likenesses, together, strict=True):
        (alone,) = close_pairs(visits, [likeness], Run())
        assert found.shape == (data.num_items, data.num_items)
        assert (found != alone).nnz == 0
        assert found.nnz
