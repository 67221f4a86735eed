from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from recipes.numerics import weighted_rows


@pytest.fixture
def ragged():
    """Histories of no, one and many rows, some of them again and again."""
    rng = np.random.default_rng(2)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 30, 40))])
    size = int(offsets[-1])
    return offsets, rng.integers(0, 23, size), rng.random(size, np.float32), rng.random((23, 17), np.float32)


def by_hand(offsets, places, values, matrix):
    parts = [slice(*ends) for ends in pairwise(offsets)]
    return 1 + np.array([values[part] @ matrix[places[part]] for part in parts])


@pytest.mark.parametrize("many", [1, 1000])
def test_rows_are_added_one_by_one_or_in_blocks(ragged, monkeypatch, many):
    for name, value in {"MANY": many, "LONG": 1, "HEIGHT": 5, "WIDTH": 4}.items():
        monkeypatch.setattr(weighted_rows, name, value)
    total = np.ones((40, 17), np.float32)
    weighted_rows.add_rows(total, *ragged)

    assert total == pytest.approx(by_hand(*ragged), abs=1e-4)


def test_a_matrix_may_be_mapped_read_only(ragged):
    offsets, places, values, matrix = ragged
    matrix.flags.writeable = False
    total = np.ones((40, 17), np.float32)
    weighted_rows.add_rows(total, offsets, places, values, matrix)

    assert total == pytest.approx(by_hand(*ragged), abs=1e-4)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_entries_are_added_as_often_as_they_occur(ragged, dtype):
    offsets, places, values, _ = ragged
    total = np.ones((40, 23), np.float32)
    weighted_rows.add_entries(total, offsets, places.astype(dtype), values)

    assert total == pytest.approx(by_hand(offsets, places, values, np.eye(23)), abs=1e-4)


def test_sparse_rows_and_products_are_added_to_what_is_there():
    rng = np.random.default_rng(2)
    matrix = sp.random(30, 30, 0.2, "csr", np.float32, rng)
    wide = sp.csr_matrix((matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)), matrix.shape)
    places, values = np.array([3, 3, 29, 0]), rng.random(4, np.float32)
    start, vector = rng.random(30, np.float32), rng.random(30, np.float32)
    for kept in (weighted_rows.Sparse.of(matrix), weighted_rows.Sparse.of(wide)):
        total = start.copy()
        weighted_rows.add_sparse_rows(total, places, values, kept)
        assert total == pytest.approx(start + values @ matrix.toarray()[places], abs=1e-5)
        weighted_rows.add_sparse_rows(total, places[:0], values[:0], kept)
        weighted_rows.add_product(total, kept, vector)
        expected = start + values @ matrix.toarray()[places] + matrix.toarray() @ vector
        assert total == pytest.approx(expected, abs=1e-5)
