"""Metadata of items or users as sparse feature rows: categories by rarity, numbers in overlapping bins, words of texts.

Vectors stand beside them (recipes.content.vectors). Plain strings and booleans are left alone, as everywhere in training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.columns import Categorical, Columns, Kind, Numeric, Text
from recipes.content.text import PASSES, tf_idf
from recipes.content.vectors import holds_vectors
from recipes.numerics.arrays import Floats, unit, unit_rows
from recipes.numerics.factorization import truncated_svd

BINS = 8
NUMERIC_WEIGHT = 0.3  # of a number against a set of categories: closeness in price or year says less


def content_rows(columns: Columns, size: int) -> sparse.csr_matrix:
    """(N, F) one block of features per usable column, the length of a block's rows is its weight."""
    blocks = [sparse.csr_matrix((size, 0), dtype=np.float32)]
    for column in columns.values():
        match column:
            case Categorical() | Text() if holds_vectors(column):
                continue
            case Categorical(kind=Kind.CATEGORICAL):
                blocks.append(_categories(column))
            case Numeric():
                blocks.append(_bins(column.values) * np.float32(NUMERIC_WEIGHT))
            case Text():
                blocks.append(tf_idf(str(text) for text in column.values.to_pylist()))
            case _:
                continue
    return sparse.csr_matrix(sparse.hstack(blocks, format="csr"), dtype=np.float32)


def content_vectors(columns: Columns, size: int, dimension: int, seed: int = 0) -> Floats:
    """(N, D) unit vectors whose inner products are the similarities of items; zero for items without metadata."""
    rows = content_rows(columns, size)
    vectors = np.zeros((size, dimension), np.float32)
    if rows.nnz:
        svd = truncated_svd(rows, dimension, seed, iterations=PASSES)
        vectors[:, : len(svd.values)] = svd.left * np.sqrt(svd.values)  # damped: the first directions are the vaguest
    return unit(vectors)


def predict_from_content(vectors: Floats, content: Floats, counts: NDArray[np.int64], trust: float) -> Floats:
    """Average learned vectors with those that ridge regression predicts from content; the fewer events, the more of the latter.

    Args:
        vectors: (N, D) learned from events; zero where there were none.
        content: (N, C) zero where nothing is known.
        counts: (N,) events of each row.
        trust: events after which a row's own vector counts as much as the predicted one.

    Returns:
        (N, D); rows with neither events nor content stay zero.
    """
    if not content.any() or not vectors.any():
        return vectors
    learned, described = (np.any(rows != 0, axis=1) for rows in (vectors, content))
    weights = np.where(learned & described, counts, 0).astype(np.float32)[:, None]
    gram = content.T @ (weights * content) + np.float32(trust) * np.eye(content.shape[1], dtype=np.float32)
    predicted = content @ np.linalg.solve(gram, content.T @ (weights * vectors))
    own = np.where(learned, counts, 0).astype(np.float32)[:, None]
    other = np.where(described, trust, 0).astype(np.float32)[:, None]
    return np.asarray((own * vectors + other * predicted) / np.maximum(own + other, 1e-6), np.float32)


def _categories(column: Categorical) -> sparse.csr_matrix:
    size = len(column.offsets) - 1
    counts = np.bincount(column.codes, minlength=len(column.categories))
    rarity = np.log((1 + size) / (1 + counts)).astype(np.float32) + np.float32(0.1)
    places = (rarity[column.codes], column.codes, column.offsets)
    return unit_rows(sparse.csr_matrix(places, shape=(size, len(column.categories))))


def _bins(values: NDArray[np.float64]) -> sparse.csr_matrix:
    """(N, bins) each number shared between its two nearest quantiles; unknown ones are empty."""
    known = np.flatnonzero(np.isfinite(values))
    centres = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS))) if len(known) else np.zeros(0)
    if len(centres) < 2:
        return sparse.csr_matrix((len(values), 0), dtype=np.float32)
    place = np.interp(values[known], centres, np.arange(len(centres)))
    lower = np.minimum(place.astype(np.int64), len(centres) - 2)
    upper_share = place - lower
    rows = np.concatenate([known, known])
    shares = np.concatenate([1 - upper_share, upper_share]).astype(np.float32)
    return unit_rows(
        sparse.csr_matrix((shares, (rows, np.concatenate([lower, lower + 1]))), (len(values), len(centres)))
    )
