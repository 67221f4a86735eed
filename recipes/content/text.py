"""Text as numbers without any download: words, word pairs and characters of unspaced scripts, weighted by rarity (TF-IDF).

Meaning beyond shared words comes from a truncated SVD over the catalogue (latent semantic analysis, Deerwester et al. 1990).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.numerics.arrays import Floats, unit, unit_rows
from recipes.numerics.factorization import truncated_svd

BUCKETS = 2**18
COMMON = 0.5  # a word in more than this share of the texts says nothing
PAIR_WEIGHT = 0.5
PASSES = 2  # over the texts when they are factorised; more changes little
TAG = re.compile(r"<[^<>]*>")
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
ENDINGS = re.compile(r"(?<=...)(?:ies|es|s|ing|ed)$")


def words(text: str) -> list[str]:
    """The words of a text, lower case, without markup and the commonest English endings; characters where no spaces are.

    >>> words("<p>Two Wandering Ghosts</p>")
    ['two', 'wander', 'ghost']
    """
    return [ENDINGS.sub("", word) for word in WORD.findall(TAG.sub(" ", text).lower())]


def tf_idf(texts: Iterable[str]) -> sparse.csr_matrix:
    """(N, W) unit rows of sublinear term frequency times rarity; W are the hashed words and pairs that occur usefully.

    Words are hashed to 2¹⁸ buckets, so that memory does not grow with the vocabulary; those in one text only tell
    nothing about similarity and are left out, as are those in more than half of many texts.
    """
    counts = _hashed_counts(texts)
    number = counts.shape[0]
    document_frequency = np.bincount(counts.indices, minlength=BUCKETS)
    ceiling = COMMON * number if number >= 20 else number
    useful = np.flatnonzero((document_frequency >= min(2, number)) & (document_frequency <= ceiling))
    weighted = sparse.csr_matrix(counts[:, useful])
    rarity = np.log((1 + number) / (1 + document_frequency[useful])).astype(np.float32) + np.float32(0.1)
    weighted.data = np.sqrt(weighted.data) * rarity[weighted.indices]
    return unit_rows(weighted)


def text_vectors(texts: Iterable[str], dimension: int, seed: int = 0) -> Floats:
    """(N, D) unit vectors whose inner products say how alike texts are; zero for texts without a useful word."""
    matrix = tf_idf(texts)
    if matrix.nnz == 0:
        return np.zeros((matrix.shape[0], dimension), np.float32)
    svd = truncated_svd(matrix, dimension, seed, iterations=PASSES)
    vectors = np.zeros((matrix.shape[0], dimension), np.float32)
    vectors[:, : len(svd.values)] = svd.left * np.sqrt(svd.values)  # damped: the first topics are the vaguest
    return unit(vectors)


def _hashed_counts(texts: Iterable[str]) -> sparse.csr_matrix:
    buckets: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float32]] = []
    for text in texts:
        found = list(_terms(words(text)))
        buckets.append(np.fromiter((bucket for bucket, _ in found), np.int64, len(found)))
        weights.append(np.fromiter((weight for _, weight in found), np.float32, len(found)))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(row) for row in buckets], dtype=np.int64)])
    columns = np.concatenate([np.zeros(0, np.int64), *buckets])
    values = np.concatenate([np.zeros(0, np.float32), *weights])
    counts = sparse.csr_matrix((values, columns, offsets), (len(buckets), BUCKETS), dtype=np.float32)
    counts.sum_duplicates()
    return counts


def _terms(tokens: list[str]) -> Iterator[tuple[int, float]]:
    for token in tokens:
        yield crc32(token.encode()) % BUCKETS, 1.0
    for first, second in pairwise(tokens):
        yield crc32(f"{first} {second}".encode()) % BUCKETS, PAIR_WEIGHT
