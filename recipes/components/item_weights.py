"""Item-to-item weights: the score of an item is a weighted sum over the newest events of a history.

Sequence ridges, co-occurrence neighbours and sparse ridges all end as a matrix B whose row is an item of the history and
whose column is the item scored. An event k places from the newest counts decay^k if k < window. Matrices that are read with
the same window and decay are added into one, so that a dozen base models cost two or three reads. Through the neighbours in
content the sum also reaches items that have no events: score(i) += w · Σ_j similarity(j, i) score(j).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.components.contract import Component, Tensors, Values, resized, sparse_matrix, sparse_tensors
from recipes.components.fit_context import FitContext
from recipes.components.sparse_ridge import KERNEL, RIDGE, sparse_ridge
from recipes.components.window_kernel import WindowKernel, history_weights
from recipes.data import Histories
from recipes.numerics.arrays import EventIndexes, Floats, Indexes, ragged_positions
from recipes.numerics.weighted_rows import Sparse, add_entries, add_product, add_rows, add_sparse_rows

MANY_TIMES = 4  # times as many items in the catalogue: adding to the covered ones is then faster than looking up all


@dataclass(frozen=True)
class DenseWeights:
    """Weights between the K most frequent items, row-major so that one history reads a few rows.

    Attributes:
        kernel: how a history is weighed.
        weights: (K, K), row = item of the history, column = item scored.
        members: (K,) the catalogue's indexes of the K items, rising.
        position: (N,) where an item of the catalogue stands in `members`, -1 elsewhere.
    """

    kernel: WindowKernel
    weights: Floats
    members: Indexes
    position: Indexes

    @classmethod
    def of(cls, kernel: WindowKernel, weights: Floats, members: Indexes, num_items: int) -> Self:
        """The weights over `members` of a catalogue of `num_items`."""
        position = np.full(num_items, -1, np.int64)
        position[members] = np.arange(len(members))
        return cls(kernel, weights, members, position)

    @cached_property
    def powers(self) -> NDArray[np.float32]:
        """Weights of events, the newest last."""
        return self.kernel.powers()

    def score(self, histories: Histories) -> Floats:
        """(B, N): the sum of the rows of each history's newest events; 0 for items that are not covered."""
        covered = np.zeros((len(histories), len(self.members)), np.float32)
        self.add_to(covered, histories, 1.0)
        if len(self.members) == len(self.position):
            return covered
        scores = np.zeros((len(histories), len(self.position)), np.float32)
        scores[:, self.members] = covered
        return scores

    def add_to(self, covered: Floats, histories: Histories, weight: float) -> None:
        """Add `weight` times the scores to (B, K) `covered`, the covered items in their order."""
        events, values, offsets = history_weights(histories, replace(self.kernel, window=len(self.powers)))
        values *= np.float32(weight)
        rows = self.position[histories.item_index[events]]
        if len(self.members) < len(self.position):
            outside = rows < 0
            values[outside] = rows[outside] = 0
        add_rows(covered, offsets, rows, values, self.weights)

    def add_to_row(
        self, covered: Floats, rows: Indexes, inside: NDArray[np.bool_] | None, powers: NDArray[np.float32]
    ) -> None:
        """The same for one history.

        Args:
            covered: (1, K), added to.
            rows: (E,) rows of the weights, oldest first.
            inside: (E,) false where the event's item is not covered; None if all are.
            powers: weights of events, the newest last.
        """
        size = min(len(powers), len(rows))
        values = powers[len(powers) - size :]
        if inside is not None:
            values = values * inside[len(inside) - size :]
        add_rows(covered, np.array([0, size]), rows[len(rows) - size :], values, self.weights)

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """(E,) how much each event of one history adds to the score of `item`; sums to it exactly."""
        shares = np.zeros(len(history.item_index), np.float32)
        events, values, _ = history_weights(history, self.kernel)
        rows = self.position[history.item_index[events]]
        if self.position[item] >= 0:
            shares[events] = np.where(rows >= 0, values * self.weights[rows, self.position[item]], 0.0)
        return shares


@dataclass(frozen=True)
class SparseWeights:
    """Weights of a few items for each: `matrix` (N, N), row = item of the history, column = item scored."""

    kernel: WindowKernel
    matrix: sp.csr_matrix

    @cached_property
    def powers(self) -> NDArray[np.float32]:
        """Weights of events, the newest last."""
        return self.kernel.powers()

    @cached_property
    def rows(self) -> Sparse:
        """The matrix as the loops for one history read it."""
        return Sparse.of(self.matrix)

    def score(self, histories: Histories) -> Floats:
        """(B, N): the sum of the rows of each history's newest events."""
        scores = np.zeros((len(histories), self.matrix.shape[0]), np.float32)
        self.add_to(scores, histories, 1.0)
        return scores

    def add_to(self, scores: Floats, histories: Histories, weight: float) -> None:
        """Add `weight` times the scores to (B, N) `scores`, touching only the neighbours of what is in the histories."""
        events, values, offsets = history_weights(histories, self.kernel)
        ends, entries = ragged_positions(self.matrix.indptr, histories.item_index[events])
        values *= np.float32(weight)
        products = self.matrix.data[entries]
        products *= np.repeat(values, np.diff(ends))
        add_entries(scores, ends[offsets], self.matrix.indices[entries], products)

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """(E,) how much each event of one history adds to the score of `item`."""
        shares = np.zeros(len(history.item_index), np.float32)
        events, values, _ = history_weights(history, self.kernel)
        shares[events] = values * self.matrix[history.item_index[events], item].toarray().ravel()
        return shares


@dataclass(frozen=True)
class ItemWeights(Component):
    """The weighted sum of item-to-item weights, and what of it reaches similar items.

    Attributes:
        dense: weights over the same members, one for each way to read a history.
        sparse: weights over the whole catalogue, likewise.
        content: (N, N) sparse, column i holds the similarities of the items whose scores reach i; None for none.
        weight: of the sum.
        content_weight: of the sum's scores of similar items.
    """

    key: ClassVar[str] = "item_weights"

    num_items: int
    dense: tuple[DenseWeights, ...] = ()
    sparse: tuple[SparseWeights, ...] = ()
    content: sp.csr_matrix | None = None
    weight: float = 1.0
    content_weight: float = 0.0

    @property
    def reads_item_metadata(self) -> bool:
        """True where scores reach similar items."""
        return self.content is not None

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add the weighted sum, directly and through similar items."""
        if self.content is None:
            self._add_sum(scores, histories)
            return
        total = np.zeros_like(scores)
        self._add_sum(total, histories)
        scores += total
        through = (self._similar @ total.T).T
        through *= np.float32(self.content_weight / self.weight)
        scores += through

    def add_to_row(self, scores: NDArray[np.float32], history: Histories) -> None:
        """The same for one history, with as few calls as there are matrices."""
        total = scores if self.content is None else np.zeros_like(scores)
        items = history.item_index[history.offsets[0] : history.offsets[1]]
        if self.dense:
            self._add_dense_row(total, items)
        for values, rows in self._sparse_rows:
            size = min(len(values), len(items))
            add_sparse_rows(total, items[len(items) - size :], values[len(values) - size :], rows)
        if self.content is not None:
            scores += total
            self._add_through(scores, total * np.float32(self.content_weight / self.weight))

    def _add_through(self, scores: NDArray[np.float32], total: NDArray[np.float32]) -> None:
        """Add what of (N,) `total` reaches similar items: from the items that have some, unless these are many."""
        sources = total.nonzero()[0]
        if MANY_TIMES * len(sources) < len(total):
            add_sparse_rows(scores, sources, total[sources], self._content_rows)
        else:
            add_product(scores, self._similar_rows, total)

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """Each event's share: its weight on the item and on the items through which the sum reaches it."""
        shares = np.zeros(len(history.item_index), np.float32)
        for part in self.parts:
            shares += np.float32(self.weight) * part.contributions(history, item)
            if self.content is not None:
                column = self.content[:, [item]].tocoo()
                for neighbour, similarity in zip(column.row, column.data, strict=True):
                    through = np.float32(self.content_weight * similarity)
                    shares += through * part.contributions(history, int(neighbour))
        return shares

    @property
    def parts(self) -> tuple[DenseWeights | SparseWeights, ...]:
        """All matrices."""
        return (*self.dense, *self.sparse)

    def sum_of_parts(self, histories: Histories) -> Floats:
        """(B, N) the sum before it is weighted."""
        total: Floats = np.sum([part.score(histories) for part in self.parts], axis=0, dtype=np.float32)
        return total

    def norms(self) -> Floats:
        """(N,) sum of the absolute weights of each scored item; 0 for items that are never scored."""
        total = np.zeros(self.num_items, np.float32)
        for dense in self.dense:
            total[dense.members] += np.abs(dense.weights).sum(axis=0)
        for sparse in self.sparse:
            absolute = np.abs(sparse.matrix.data)
            total += np.bincount(sparse.matrix.indices, absolute, minlength=self.num_items).astype(np.float32)
        return total

    def tensors(self) -> Tensors:
        """The matrices by number."""
        stored: Tensors = {}
        for number, part in enumerate(self.dense):
            stored |= {
                f"{self.key}.dense.{number}.weights": part.weights,
                f"{self.key}.dense.{number}.members": part.members,
            }
        for number, sparse in enumerate(self.sparse):
            stored |= sparse_tensors(f"{self.key}.sparse.{number}", sparse.matrix)
        return stored | (sparse_tensors(f"{self.key}.content", self.content) if self.content is not None else {})

    def values(self) -> Values:
        """The weights and the kernels."""
        return {
            "weight": self.weight,
            "content_weight": self.content_weight,
            "dense": [asdict(part.kernel) for part in self.dense],
            "sparse": [asdict(part.kernel) for part in self.sparse],
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        shape, key = (num_items, num_items), cls.key
        dense = [
            DenseWeights.of(
                WindowKernel(**kernel),
                tensors[f"{key}.dense.{number}.weights"],
                tensors[f"{key}.dense.{number}.members"],
                num_items,
            )
            for number, kernel in enumerate(values["dense"])
        ]
        sparse = [
            SparseWeights(WindowKernel(**kernel), sparse_matrix(f"{key}.sparse.{number}", tensors, shape))
            for number, kernel in enumerate(values["sparse"])
        ]
        content = sparse_matrix(f"{key}.content", tensors, shape) if f"{key}.content.data" in tensors else None
        return cls(num_items, tuple(dense), tuple(sparse), content, values["weight"], values["content_weight"])

    def enlarged(self, num_items: int, neighbours: sp.csr_matrix | None) -> Self:
        """The same weights over more items, which the sum reaches through `neighbours` if it reaches any."""
        content = None if self.content is None else resized(self.content, num_items)
        if content is not None and neighbours is not None:
            content = neighbours
        return replace(
            self,
            num_items=num_items,
            dense=tuple(DenseWeights.of(part.kernel, part.weights, part.members, num_items) for part in self.dense),
            sparse=tuple(replace(part, matrix=resized(part.matrix, num_items)) for part in self.sparse),
            content=content,
        )

    def refreshed(self, histories: Histories, context: FitContext) -> Self:
        """Add weights on the items that no matrix scores yet, at the level of the other items' weights for each event.

        This is how events with new items arrive between full trainings.
        """
        counts = np.bincount(histories.item_index, minlength=self.num_items)
        norms = self.norms()
        unscored = (norms == 0) & (counts > 0)
        if not unscored.any() or unscored.all():
            return self
        matrix = sparse_ridge(KERNEL, histories, np.flatnonzero(~unscored), self.num_items, RIDGE, context.run)
        own = np.bincount(matrix.indices, np.abs(matrix.data), minlength=self.num_items)
        reached = unscored & (own > 0)
        if not reached.any():
            return self
        others = ~unscored & (counts > 0)
        level = np.median(norms[others] / counts[others]) / np.median(own[reached] / counts[reached])
        return replace(self, sparse=(*self.sparse, SparseWeights(KERNEL, matrix * np.float32(level))))

    def _add_sum(self, total: Floats, histories: Histories) -> None:
        if self.dense and len(self._members) == self.num_items:
            for part in self.dense:
                part.add_to(total, histories, self.weight)
        elif self.dense:
            covered = np.zeros((len(histories), len(self._members)), np.float32)
            for part in self.dense:
                part.add_to(covered, histories, self.weight)
            self._spread(covered, total)
        for sparse in self.sparse:
            sparse.add_to(total, histories, self.weight)

    def _add_dense_row(self, total: NDArray[np.float32], items: EventIndexes) -> None:
        """The dense weights of one history; events outside the members get weight 0."""
        is_whole = len(self._members) == self.num_items
        padded = np.zeros(len(self._members) + 1, np.float32)
        covered = total[None, :] if is_whole else padded[None, :-1]
        rows = self.dense[0].position[items[-self._longest :]]
        inside = rows >= 0 if not is_whole and rows.min() < 0 else None
        if inside is not None:
            rows = np.where(inside, rows, 0)
        for part, powers in zip(self.dense, self._powers, strict=True):
            part.add_to_row(covered, rows, inside, powers)
        if not is_whole:
            self._spread_row(padded, total)

    def _spread(self, covered: Floats, total: Floats) -> None:
        """Add (B, K) scores of the members to (B, N): numpy takes several times as long for all rows at once."""
        padded = np.zeros(covered.shape[1] + 1, np.float32)
        for part, scores in zip(covered, total, strict=True):
            padded[:-1] = part
            self._spread_row(padded, scores)

    def _spread_row(self, padded: NDArray[np.float32], total: NDArray[np.float32]) -> None:
        """Add (K,) scores of the members, followed by a zero, to (N,)."""
        if MANY_TIMES * len(padded) < self.num_items:
            total[self._members] += padded[:-1]
        else:
            total += padded.take(self._places, mode="clip")

    @cached_property
    def _members(self) -> Indexes:
        return self.dense[0].members

    @cached_property
    def _places(self) -> Indexes:
        """(N,) where an item stands among the K members, K for the others."""
        position = self.dense[0].position
        return np.where(position < 0, len(self._members), position)

    @cached_property
    def _powers(self) -> list[NDArray[np.float32]]:
        return [part.powers * np.float32(self.weight) for part in self.dense]

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._powers))

    @cached_property
    def _sparse_rows(self) -> list[tuple[NDArray[np.float32], Sparse]]:
        return [(part.powers * np.float32(self.weight), part.rows) for part in self.sparse]

    @cached_property
    def _similar(self) -> sp.csr_matrix:
        """(N, N) row i: the items whose scores reach i."""
        assert self.content is not None  # noqa: S101  asked for by those who have looked
        return sp.csr_matrix(self.content.T)

    @cached_property
    def _similar_rows(self) -> Sparse:
        return Sparse.of(self._similar)

    @cached_property
    def _content_rows(self) -> Sparse:
        assert self.content is not None  # noqa: S101  asked for by those who have looked
        return Sparse.of(self.content)
