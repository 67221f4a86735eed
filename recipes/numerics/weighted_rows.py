"""Weighted sums of a matrix's rows, added in place: the inner loop of scoring histories by item-to-item weights.

These are the loops behind `csr_matrix @ dense` and `csr_matrix.toarray()`. Asked for directly they add to what is there: no
temporary of the result's size, and none of the checks, which cost a single history more than its products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import _sparsetools

from recipes.numerics.arrays import EventIndexes, Floats, Indexes, order_by, pair_keys

HEIGHT, WIDTH = 256, 512  # of a block of the matrix, half a MiB: it stays in the processor's cache for all histories
MANY = 256  # histories from which on blocks pay for their copies
LONG = 64  # events a history, on average, from which on


def add_rows(total: Floats, offsets: Indexes, rows: EventIndexes, values: NDArray[np.float32], matrix: Floats) -> None:
    """total[b] += Σ values[e] · matrix[rows[e]] over e from offsets[b] to offsets[b + 1].

    Args:
        total: (B, K), contiguous.
        offsets: (B + 1,) from 0 on.
        rows: (E,) rows of the matrix.
        values: (E,) their weights.
        matrix: (R, K), contiguous.
    """
    if len(total) >= MANY and len(rows) >= LONG * len(total):
        _add_in_blocks(total, offsets, rows, values, matrix)
    else:
        _add(total, offsets, rows, values, matrix)


def add_entries(total: Floats, offsets: Indexes, columns: Indexes, values: NDArray[np.float32]) -> None:
    """total[b, columns[e]] += values[e] over e from offsets[b] to offsets[b + 1]; columns may occur again.

    Args:
        total: (B, N), contiguous.
        offsets: (B + 1,) from 0 on.
        columns: (E,) integers.
        values: (E,).
    """
    _sparsetools.csr_todense(*total.shape, offsets.astype(columns.dtype), columns, values, total)


@dataclass(frozen=True)
class Sparse:
    """A matrix whose offsets and columns are of one type, as scipy's loops take them.

    Attributes:
        offsets: (R + 1,).
        columns, values: (E,) each row's entries.
    """

    offsets: NDArray[Any]
    columns: NDArray[Any]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: sp.csr_matrix) -> Sparse:
        """Another view of a matrix, which is not copied where it is stored as scipy stores it."""
        return cls(matrix.indptr.astype(matrix.indices.dtype, copy=False), matrix.indices, matrix.data)


def add_sparse_rows(
    total: NDArray[np.float32], rows: EventIndexes, values: NDArray[np.float32], matrix: Sparse
) -> None:
    """Add Σ values[e] · matrix[rows[e]] to (N,) `total`, for (E,) rows and their values."""
    counts = matrix.offsets[rows + 1] - matrix.offsets[rows]
    starts = np.zeros(len(rows) + 1, matrix.columns.dtype)
    counts.cumsum(out=starts[1:])
    columns, entries = np.empty(int(starts[-1]), matrix.columns.dtype), np.empty(int(starts[-1]), np.float32)
    taken = rows.astype(matrix.columns.dtype)
    _sparsetools.csr_row_index(len(rows), taken, matrix.offsets, matrix.columns, matrix.values, columns, entries)
    _sparsetools.csc_matvec(len(total), len(rows), starts, columns, entries, values, total)


def add_product(total: NDArray[np.float32], matrix: Sparse, vector: NDArray[np.float32]) -> None:
    """Add matrix · vector to (R,) `total`."""
    size = len(total), len(vector)
    _sparsetools.csr_matvec(*size, matrix.offsets, matrix.columns, matrix.values, vector, total)


def _add(total: Floats, offsets: Indexes, rows: EventIndexes, values: NDArray[np.float32], matrix: Floats) -> None:
    """The rows one after the other."""
    flat = matrix.reshape(-1), total.reshape(-1)
    _sparsetools.csr_matvecs(len(total), len(matrix), total.shape[1], offsets, rows, values, *flat)


def _add_in_blocks(
    total: Floats, offsets: Indexes, rows: EventIndexes, values: NDArray[np.float32], matrix: Floats
) -> None:
    """The same for many long histories: all products with one block of the matrix, then with the next."""
    size = len(total)
    block = rows // HEIGHT
    key = pair_keys(block, np.repeat(np.arange(size), np.diff(offsets)), size)
    order = order_by(key)
    counts = np.bincount(key, minlength=size * -(-len(matrix) // HEIGHT))
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    inside, values = (rows - block * HEIGHT)[order], values[order]
    for left in range(0, total.shape[1], WIDTH):
        columns = np.zeros((size, min(WIDTH, total.shape[1] - left)), np.float32)
        for number, top in enumerate(range(0, len(matrix), HEIGHT)):
            part = np.ascontiguousarray(matrix[top : top + HEIGHT, left : left + WIDTH])
            own = ends[number * size : (number + 1) * size + 1]
            events = slice(int(own[0]), int(own[-1]))
            _add(columns, own - own[0], inside[events], values[events], part)
        total[:, left : left + WIDTH] += columns
