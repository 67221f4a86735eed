from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recipes.components.cooccurrence_knn import cosine_neighbours, inside
from recipes.data import Histories
from recipes.run import Run

ITEMS = 9


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return Histories.of([rng.integers(0, ITEMS, rng.integers(0, 12)).tolist() for _ in range(30)])


def test_cosines_are_those_of_the_sets_of_users(sequences, monkeypatch):
    monkeypatch.setattr("recipes.components.cooccurrence_knn.MIN_ROWS", 2)
    monkeypatch.setattr("recipes.components.cooccurrence_knn.CELLS", 1)
    taken = np.zeros((len(sequences), ITEMS))
    taken[sequences.row, sequences.item_index] = 1
    together = taken.T @ taken
    counts = np.diag(together)
    expected = together / np.sqrt(np.outer(counts, counts))
    np.fill_diagonal(expected, 0)

    assert cosine_neighbours(sequences, ITEMS, Run()).toarray() == pytest.approx(expected, abs=1e-6)


def test_only_the_nearest_are_kept(sequences, monkeypatch):
    monkeypatch.setattr("recipes.components.cooccurrence_knn.NEIGHBOURS", 2)
    found = cosine_neighbours(sequences, ITEMS, Run())

    assert np.diff(found.indptr).max() <= 2


def test_a_matrix_is_parted_without_loss():
    matrix = sp.random(ITEMS, ITEMS, 0.4, "csr", np.float32, np.random.default_rng(1))
    position = np.full(ITEMS, -1)
    position[[1, 4, 7]] = [0, 1, 2]
    dense, rest = inside(matrix, position)
    again = rest.toarray()
    again[np.ix_([1, 4, 7], [1, 4, 7])] += dense

    assert again == pytest.approx(matrix.toarray())
    assert not rest[[1, 4, 7]][:, [1, 4, 7]].toarray().any()
