"""Randomised SVD against numpy's, implicit factors against the exact least-squares answer."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recipes.numerics.factorization import exact_rows, implicit_factors, improve_rows, truncated_svd
from recipes.run import Run


def random_matrix(rows=60, columns=40, density=0.2, seed=0):
    return sparse.random(rows, columns, density, "csr", np.float32, np.random.default_rng(seed))


def test_svd_finds_the_largest_directions():
    matrix = random_matrix()
    found, exact = truncated_svd(matrix, 5, iterations=20), np.linalg.svd(matrix.toarray())
    assert np.allclose(found.values, exact.S[:5], rtol=1e-3)
    best = (exact.U[:, :5] * exact.S[:5]) @ exact.Vh[:5]
    assert np.allclose((found.left * found.values) @ found.right, best, atol=0.02)


def test_svd_of_more_than_there_is_gives_all():
    matrix = random_matrix(6, 4, 1.0)
    found = truncated_svd(matrix, 10)
    assert found.values.shape == (4,)
    assert np.allclose((found.left * found.values) @ found.right, matrix.toarray(), atol=1e-5)


def test_rows_move_to_the_least_squares_answer():
    matrix, rng = random_matrix(5, 30), np.random.default_rng(1)
    others = rng.standard_normal((30, 4)).astype(np.float32)
    rows = np.zeros((5, 4), np.float32)
    improve_rows(rows, others, matrix, regularization=0.1, unobserved=0.3, steps=20)
    for row, weights in zip(rows, matrix.toarray(), strict=True):
        confidence = weights + 0.3
        ridge = 0.1 * (weights.sum() + 0.3 * 30)
        exact = np.linalg.solve(
            others.T * confidence @ others + ridge * np.eye(4), others.T @ (confidence * (weights > 0))
        )
        assert np.allclose(row, exact, atol=1e-3)
    assert np.allclose(rows, exact_rows(others, matrix, 0.1, 0.3), atol=1e-3)


def test_factors_tell_taken_from_untaken():
    taste = np.arange(40)[:, None] % 2 == np.arange(30)[None] % 2
    matrix = sparse.csr_matrix((taste & (np.random.default_rng(0).random(taste.shape) < 0.5)).astype(np.float32))
    factors = implicit_factors(matrix, 8, Run())
    scores = factors.users @ factors.items.T
    assert scores[taste].mean() > scores[~taste].mean() + 0.3
    again = implicit_factors(matrix, 8, Run())
    assert np.array_equal(factors.users, again.users)
