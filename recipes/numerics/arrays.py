"""Functions of arrays: some that numpy has, but slower, and unit vectors."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats: TypeAlias = NDArray[np.float32]
Indexes: TypeAlias = NDArray[np.int64]
EventIndexes: TypeAlias = NDArray[np.int32 | np.int64]  # of users or items, one for each event


def distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct values in rising order, as `np.unique`; that one hashes since numpy 2.3 and takes fifty times as long.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(keys, axis=None)
    is_first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


def pair_keys(first: NDArray[Any], second: NDArray[Any], size: int) -> Indexes:
    """`first * size + second` in 8 bytes: a number for each pair, where `second` is below `size`. In the 4 bytes of events' indexes it overflows.

    >>> pair_keys(np.array([2_000_000], np.int32), np.array([5], np.int32), 3_000_000).tolist()
    [6000000000005]
    """
    keys: Indexes = np.multiply(first, max(1, size), dtype=np.int64)
    keys += second
    return keys


def order_by(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order that sorts non-negative `keys`, equal ones as they came: a stable argsort by sorting plain integers.

    >>> order_by(np.array([2, 0, 2, 1])).tolist()
    [1, 3, 0, 2]
    """
    size = max(1, len(keys))
    if int(keys.max(initial=0)) >= np.iinfo(np.int64).max // size - 1:
        return np.argsort(keys, kind="stable").astype(np.int64)
    return np.sort(pair_keys(keys, np.arange(len(keys)), size)) % size


def strongest(matrix: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """The matrix with the `count` largest entries of each row; only rows that have more are looked into.

    >>> strongest(sparse.csr_matrix(np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 0.0]])), 2).toarray().tolist()
    [[3.0, 0.0, 2.0], [0.0, 5.0, 0.0]]
    """
    sizes = np.diff(matrix.indptr)
    long = np.flatnonzero(sizes > count)
    offsets, entries = ragged_positions(matrix.indptr.astype(np.int64), long)
    row = np.repeat(np.arange(len(long)), np.diff(offsets))
    keys = (row << 32) - _sortable(matrix.data[entries])
    bar = np.sort(keys)[offsets[:-1] + count - 1][
        row
    ]  # sorting integers takes a tenth of what sorting by two keys does
    stronger, level = keys < bar, keys == bar
    room = count - np.bincount(row[stronger], minlength=len(long))
    before = np.cumsum(level) - level
    kept = np.ones(matrix.nnz, bool)
    kept[entries] = stronger | (level & (before - before[offsets[:-1]][row] < room[row]))
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.minimum(sizes, count))])
    return sparse.csr_matrix((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def _sortable(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Integers of 32 bits in the order of the numbers."""
    bits = (np.asarray(values, np.float32) + np.float32(0.0)).view(np.int32)  # -0.0 becomes 0.0
    return (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)


def ragged_positions(offsets: NDArray[np.int64], rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """New offsets for the chosen `rows`, and where their elements stand in the old flat array."""
    sizes = offsets[rows + 1] - offsets[rows]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    positions = np.arange(int(starts[-1])) + np.repeat(offsets[rows] - starts[:-1], sizes)
    return starts.astype(np.int64), positions.astype(np.int64)


def unit(vectors: Floats) -> Floats:
    """(N, D) rows of length 1; rows of next to nothing become zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.where(norms > 1e-6, vectors / np.maximum(norms, 1e-6), 0), np.float32)


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The matrix with rows of length 1; empty rows stay empty."""
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sparse.diags(1 / np.maximum(norms, 1e-12)) @ matrix
    return sparse.csr_matrix(scaled, dtype=np.float32)
