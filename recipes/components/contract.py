"""The contract of a component: a base model of the stack that is fitted, weighted and ready to score.

The score of an item for a history is the sum of what the components add; each holds the weight that the meta-model gave it.
A component has a batch path (`add_scores`) and a path for one history (`add_to_row`), side by side in its file. Components
are immutable: `enlarged`, `refreshed`, `prepared` and `forget_users` return a new one, or the same where nothing changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.components.fit_context import FitContext
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run

Tensors: TypeAlias = dict[str, NDArray[Any]]
Values: TypeAlias = dict[str, Any]
Correction: TypeAlias = Callable[[Indexes], NDArray[np.float32]]


class Component(ABC):
    """A fitted and weighted base model over a catalogue of N items.

    Class attributes:
        key: the component's name in artefacts; prefix of its tensors.
    """

    key: ClassVar[str]

    @property
    def constant(self) -> Floats | None:
        """(N,) what is added to the scores of every history that has events; None for nothing."""
        return None

    @property
    def reads_item_metadata(self) -> bool:
        """Whether items without any events get scores by their metadata."""
        return False

    @abstractmethod
    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add to (B, N) `scores`, in place, what depends on the histories; rows without events are left to `cold_scores`.

        The scores of items that it `replaces` are those of the components before it, which are changed in all rows.
        """

    def add_to_row(self, scores: NDArray[np.float32], history: Histories) -> None:
        """Add to (N,) `scores`, in place, what depends on one history with events; equals `add_scores` of one row."""
        self.add_scores(scores[None, :], history)

    @property
    def approximates(self) -> bool:
        """Whether `add_approximately` is cheaper than `add_to_row`."""
        return False

    def add_approximately(self, scores: NDArray[np.float32], history: Histories) -> Correction | None:
        """Add nearly the same where it `approximates`; return what tells how much (K,) items lack then, None for nothing."""
        self.add_to_row(scores, history)
        return None

    def kept_share(self, items: Indexes) -> NDArray[np.float32] | None:
        """(K,) the share of what the components before it say that stays in the scores of `items`; None for all of it."""
        return None

    def cold_scores(self, users: Indexes) -> Floats | None:
        """(B, N) what is added for `users` (B,) without events, -1 for unknown users; None for nothing."""
        return None

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """(E,) what each event of one history adds to the score of `item`."""
        return np.zeros(len(history.item_index), np.float32)

    def replaces(self, item: int) -> bool:
        """Whether it puts a score of its own in the place of what the components before it say of the item."""
        return False

    def is_additive(self, item: int) -> bool:
        """Whether each event adds a share of its own to the item's score, so that `contributions` are exact."""
        return not self.replaces(item)

    @abstractmethod
    def tensors(self) -> Tensors:
        """The arrays to store; their names begin with `key` and a dot."""

    def values(self) -> Values:
        """The plain JSON values to store."""
        return {}

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """Rebuild the component from all tensors of the model, which may be read-only memory maps, and its own values."""

    def enlarged(self, num_items: int, neighbours: sp.csr_matrix | None) -> Self:
        """Return the component over a catalogue of `num_items`, whose first items are today's.

        Args:
            num_items: N of the larger catalogue.
            neighbours: (N, N) column i: weights of the items whose metadata are most similar to item i's, or None.
        """
        return self

    def refreshed(self, histories: Histories, context: FitContext) -> Self:
        """Return the component with its counts taken anew from today's data, as far as that takes seconds."""
        return self

    def prepared(self, histories: Histories, run: Run) -> Self:
        """Return the component with what it can compute ahead for these users; see `Model.prepare`."""
        return self

    def forget_users(self, users: Indexes) -> Self:
        """Return the component without any row or count of the users with these indexes."""
        return self


def sparse_tensors(name: str, matrix: sp.csr_matrix) -> Tensors:
    """The three arrays of a sparse matrix, by the names `sparse_matrix` reads."""
    return {
        f"{name}.data": matrix.data,
        f"{name}.indices": matrix.indices.astype(np.int32),
        f"{name}.indptr": matrix.indptr.astype(np.int64),
    }


def sparse_matrix(name: str, tensors: Mapping[str, NDArray[Any]], shape: tuple[int, int]) -> sp.csr_matrix:
    """The sparse matrix that `sparse_tensors` stored; the arrays are not copied."""
    return sp.csr_matrix(tuple(tensors[f"{name}.{part}"] for part in ("data", "indices", "indptr")), shape=shape)


def resized(matrix: sp.csr_matrix, size: int) -> sp.csr_matrix:
    """A square sparse matrix with empty rows and columns added."""
    offsets = np.pad(matrix.indptr, (0, size - matrix.shape[0]), mode="edge")
    return sp.csr_matrix((matrix.data, matrix.indices, offsets), shape=(size, size))


def padded(rows: Floats, size: int) -> Floats:
    """(N, …) rows with zeros added up to `size` rows."""
    return np.pad(rows, ((0, size - len(rows)), *((0, 0) for _ in rows.shape[1:])))
