"""Low-rank models of sparse matrices, numpy and scipy only: randomised SVD, and implicit matrix factorisation.

Both are linear in the entries of the matrix and need no dense array of users by items or items by items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recipes.numerics.arrays import Floats
from recipes.run import Run

OVERSAMPLING = 10
VANISHING = 1e-7  # of the largest squared singular value: below is rounding
CONJUGATE_STEPS = 3
GATHERED_BYTES = 32 * 2**20  # of factor rows gathered at a time


@dataclass(frozen=True)
class Svd:
    """left (M, D) @ diag(values (D,)) @ right (D, N); D is the rank asked for, or the matrix's smaller side."""

    left: Floats
    values: Floats
    right: Floats


def truncated_svd(matrix: sparse.csr_matrix, rank: int, seed: int = 0, iterations: int = 4) -> Svd:
    """The largest singular values and vectors by randomised subspace iteration (Halko et al. 2011, alg. 4.4 and 5.1).

    Args:
        matrix: (M, N).
        rank: how many.
        seed: of the random start.
        iterations: of the power method; more where the spectrum falls slowly.
    """
    matrix = matrix.astype(np.float32)
    backwards = sparse.csr_matrix(matrix.T)
    width = min(rank + OVERSAMPLING, *matrix.shape)
    start = np.random.default_rng(seed).standard_normal((matrix.shape[1], width), np.float32)
    basis = _orthonormal(matrix @ start)  # (M, width)
    for _ in range(iterations):
        basis = _orthonormal(matrix @ _orthonormal(backwards @ basis))
    basis = _orthonormal(basis)  # once more, as each pass is only nearly so
    across = backwards @ basis  # (N, width)
    turn, values, inverse = _principal(across)
    kept = min(rank, width)
    left, right = basis @ turn[:, :kept], (across @ (turn * inverse)[:, :kept]).T
    return Svd(left, values[:kept], np.ascontiguousarray(right))


def _orthonormal(block: Floats) -> Floats:
    """A basis of what the columns of (M, W) span; by its (W, W) Gram matrix, which is several times faster than QR."""
    turn, _, inverse = _principal(block)
    return np.asarray(block @ (turn * inverse), np.float32)


def _principal(block: Floats) -> tuple[Floats, Floats, Floats]:
    """Right singular vectors (W, W), singular values (W,), largest first, and their inverses, 0 where they vanish."""
    squares, vectors = np.linalg.eigh((block.T @ block).astype(np.float64))
    squares, vectors = squares[::-1], vectors[:, ::-1]
    real = squares > VANISHING * max(squares.max(initial=0), 1e-30)
    values = np.sqrt(np.where(real, squares, 0))
    inverse = np.where(real, 1 / np.where(real, values, 1), 0)
    return vectors.astype(np.float32), values.astype(np.float32), inverse.astype(np.float32)


@dataclass(frozen=True)
class Factors:
    """users (U, D) · items (N, D): the affinity of a user to an item is their inner product."""

    users: Floats
    items: Floats


def implicit_factors(
    matrix: sparse.csr_matrix,
    dimension: int,
    run: Run,
    *,
    regularization: float = 0.05,
    unobserved: float = 0.1,
    sweeps: int = 12,
) -> Factors:
    """Factorise what users did, in which every absent pair is weak evidence against (iALS: Hu et al. 2008; Rendle et al. 2022).

    Each side in turn is moved by a few conjugate-gradient steps for all its rows at once (Takács et al. 2011). An observed
    pair has target 1 and its entry as weight, an absent one target 0 and weight `unobserved`; regularisation grows with a row's share.

    Args:
        matrix: (U, N) confidences, positive where there was something.
        dimension: D.
        run: seed, budget and watcher.
        regularization: weight of the squared norms, per unit of confidence.
        unobserved: weight of an absent pair.
        sweeps: how often both sides are moved; fewer when the budget runs out.
    """
    rng = np.random.default_rng(run.seed)
    users = rng.standard_normal((matrix.shape[0], dimension), np.float32) / np.float32(dimension)
    items = rng.standard_normal((matrix.shape[1], dimension), np.float32) / np.float32(dimension)
    by_user = sparse.csr_matrix(matrix, dtype=np.float32)
    by_item = sparse.csr_matrix(by_user.T)
    for sweep in range(sweeps):
        improve_rows(users, items, by_user, regularization, unobserved)
        improve_rows(items, users, by_item, regularization, unobserved)
        run.report("training", (sweep + 1) / sweeps, epoch=sweep + 1)
        if run.seconds_left <= 0:
            break
    return Factors(users, items)


def improve_rows(
    rows: Floats,
    others: Floats,
    matrix: sparse.csr_matrix,
    regularization: float,
    unobserved: float,
    steps: int = CONJUGATE_STEPS,
) -> None:
    """Move `rows` (R, D), in place, towards the least-squares answer to `matrix` (R, C) given `others` (C, D).

    Solves (u·YᵀY + Σ w y yᵀ + λ) x = Σ (u + w) y for every row x, sums over the row's entries w, by conjugate gradients.
    """
    gram = unobserved * (others.T @ others)  # (D, D)
    ridge = _ridges(matrix, regularization, unobserved)[:, None]
    target = matrix.copy()
    target.data = target.data + np.float32(unobserved)
    size = max(1, int(GATHERED_BYTES / 4 / others.shape[1] / max(1.0, matrix.nnz / max(1, matrix.shape[0]))))
    for start in range(0, len(rows), size):
        part = slice(start, min(start + size, len(rows)))
        confidences, wanted = matrix[part], target[part] @ others
        rows[part] = _conjugate(rows[part], wanted, others, confidences, gram, ridge[part], steps)


def exact_rows(others: Floats, matrix: sparse.csr_matrix, regularization: float, unobserved: float) -> Floats:
    """(R, D) the least-squares answer that `improve_rows` moves towards, each row by itself; for a few rows."""
    gram = unobserved * (others.T @ others).astype(np.float64)
    ridges = _ridges(matrix, regularization, unobserved)
    found = np.zeros((matrix.shape[0], others.shape[1]), np.float32)
    for row in range(matrix.shape[0]):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        mine = others[matrix.indices[part]].astype(np.float64)
        weights = matrix.data[part].astype(np.float64)
        normal = gram + mine.T @ (weights[:, None] * mine)
        normal[np.diag_indices_from(normal)] += ridges[row]
        found[row] = np.linalg.solve(normal, mine.T @ (weights + unobserved))
    return found


def _ridges(matrix: sparse.csr_matrix, regularization: float, unobserved: float) -> Floats:
    """(R,) weight of each row's squared norm: in proportion to the confidence it has."""
    confidence = np.asarray(matrix.sum(axis=1)).ravel() + unobserved * matrix.shape[1]
    return np.asarray(np.maximum(regularization * confidence, 1e-6), np.float32)


def _conjugate(
    x: Floats,
    wanted: Floats,
    others: Floats,
    confidences: sparse.csr_matrix,
    gram: Floats,
    ridge: Floats,
    steps: int,
) -> Floats:
    row = np.repeat(np.arange(len(x)), np.diff(confidences.indptr))
    gathered = others[confidences.indices]  # (E, D)

    def apply(vectors: Floats) -> Floats:
        products = np.einsum("ed,ed->e", gathered, vectors[row])
        weighted = sparse.csr_matrix(
            (confidences.data * products, confidences.indices, confidences.indptr), confidences.shape
        )
        found: Floats = vectors @ gram + ridge * vectors + weighted @ others
        return found

    residual = wanted - apply(x)
    direction = residual.copy()
    size = np.einsum("rd,rd->r", residual, residual)
    for _ in range(steps):
        image = apply(direction)
        along = np.einsum("rd,rd->r", direction, image)
        step = np.where(along > 0, size / np.where(along > 0, along, 1), 0)[:, None]
        x = x + step * direction
        residual = residual - step * image
        fresh = np.einsum("rd,rd->r", residual, residual)
        direction = residual + np.where(size > 0, fresh / np.where(size > 0, size, 1), 0)[:, None] * direction
        size = fresh
    return x.astype(np.float32)
