"""Product quantisation: many rows in few bytes, and their approximate products with a vector (Jégou et al. 2011, "Product
quantization for nearest neighbor search").

Each row is cut into parts, and each part is replaced by the nearest of a few words, which k-means finds. A vector is then
multiplied with the words alone: a row's product is the sum of as many looked-up numbers as it has parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.weighted_rows import Sparse, add_product
from recipes.run import Run

PARTS = 4
WORDS = 256  # of a part
SAMPLE = 32 * WORDS  # rows that the words are learned from
PASSES = 6
BLOCK = 4096  # rows compared with all words at a time: their products stay in the processor's cache


@dataclass(frozen=True)
class Quantized:
    """N rows, each as the sum of P words.

    Attributes:
        words: (W, D), those of the first part first; a word is zero outside of its part.
        codes: (N, P) int32, the words of each row.
        spread: (D, D) mean outer product of what rows differ by from their sums of words.
    """

    words: Floats
    codes: NDArray[np.int32]
    spread: Floats

    @classmethod
    def of(cls, rows: Floats, run: Run) -> Self:
        """Learn words from a sample of (N, D) `rows`, and put all of them into words; about two seconds a million rows of 64."""
        rng = np.random.default_rng(run.seed)
        order = rng.permutation(len(rows))
        sample, others = rows[np.sort(order[:SAMPLE])], np.sort(order[-SAMPLE:])
        columns = np.array_split(np.arange(rows.shape[1]), PARTS)
        words = np.zeros((PARTS, min(WORDS, len(sample)), rows.shape[1]), np.float32)
        for number, part in enumerate(columns):
            run.report("quantizing", number / PARTS)
            words[number][:, part] = _k_means(np.ascontiguousarray(sample[:, part]), words.shape[1], rng)
        nothing = np.zeros((0, PARTS), np.int32), np.zeros((rows.shape[1], rows.shape[1]), np.float32)
        quantized = cls(words.reshape(-1, rows.shape[1]), *nothing).extended(rows)
        lost = rows[others] - quantized.words[quantized.codes[others]].sum(axis=1)
        return replace(quantized, spread=lost.T @ lost / np.float32(len(lost)))

    def extended(self, rows: Floats) -> Self:
        """The same words for (N, D) `rows`, the first of which have their codes already."""
        known = len(self.codes)
        by_part = self.words.reshape(PARTS, -1, rows.shape[1])
        columns = np.array_split(np.arange(rows.shape[1]), PARTS)
        codes = np.empty((len(rows), PARTS), np.int32)
        codes[:known] = self.codes
        for number, part in enumerate(columns):
            first = number * by_part.shape[1]
            codes[known:, number] = first + _nearest(rows[known:, part], by_part[number][:, part])
        return replace(self, codes=codes)

    def add_products(self, total: NDArray[np.float32], vector: NDArray[np.float32]) -> None:
        """Add the approximate products of all rows with (D,) `vector` to (N,) `total`, such that the sum of their exponentials is nearly right."""
        add_product(total, self._sums, self._word_products(vector))

    def products(self, rows: Indexes, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(K,) the same of some rows."""
        found: NDArray[np.float32] = self._word_products(vector)[self.codes[rows]].sum(axis=1)
        return found

    def _word_products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """(W,) with half the variance of what is lost in equal parts, as the mean of exp v is about exp(mean + variance / 2)."""
        return self.words @ vector + np.float32(vector @ self.spread @ vector / (2 * PARTS))

    @cached_property
    def _sums(self) -> Sparse:
        """(N, W) with ones at the words of each row."""
        offsets = np.arange(0, self.codes.size + 1, PARTS, dtype=np.int32)
        return Sparse(offsets, self.codes.reshape(-1), np.ones(self.codes.size, np.float32))


def _k_means(rows: Floats, count: int, rng: np.random.Generator) -> Floats:
    """(count, D) means of groups of near rows; a mean that is nearest to none stays where it is (Lloyd 1982)."""
    means = rows[np.sort(rng.permutation(len(rows))[:count])]
    for _ in range(PASSES):
        nearest = _nearest(rows, means)
        sizes = np.bincount(nearest, minlength=count)[:, None]
        groups = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (nearest, np.arange(len(rows)))), (count, len(rows))
        )
        means = np.where(sizes > 0, groups @ rows / np.maximum(sizes, 1), means).astype(np.float32)
    return means


def _nearest(rows: Floats, means: Floats) -> Indexes:
    """(N,) which of the means is nearest to each row."""
    nearest = np.empty(len(rows), np.int64)
    half = np.vecdot(means, means) / 2
    for start in range(0, len(rows), BLOCK):
        nearest[start : start + BLOCK] = (rows[start : start + BLOCK] @ means.T - half).argmax(axis=1)
    return nearest
