"""Scores by the context of a request: how much more often each item is taken on that device, at that hour, in that cabin.

An item's count under a value of a context column is held against the count that its popularity alone would give; both are
raised by the same pseudo-count, so that rare items and rare values say little (the posterior mean of a Poisson rate with a
gamma prior; cf. DuMouchel 1999, "Bayesian Data Mining in Large Frequency Tables"). Where a user's taste and the
context are independent given the item, as in naive Bayes, the logarithm of that ratio is what to add to the user's score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.columns import Categorical, Column, Numeric
from recipes.components.contract import Component, Tensors, Values, sparse_matrix, sparse_tensors
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats

PSEUDO_COUNT = 5.0  # events' worth of belief that the context does not matter
MAX_VALUES = 100  # of a column; rarer ones say nothing
BINS = 8  # of a numeric column, of equal size


@dataclass(frozen=True)
class ContextColumn:
    """A column's values in the order of its rows in the counts; a numeric one has the upper edges of its bins instead."""

    name: str
    values: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()

    def row(self, given: str) -> int:
        """Which of the column's rows a request's value is, -1 for none."""
        if not self.edges:
            return self.values.index(given) if given in self.values else -1
        try:
            number = float(given)
        except ValueError:
            return -1
        return int(np.searchsorted(self.edges, number)) if np.isfinite(number) else -1

    @property
    def size(self) -> int:
        """How many rows of the counts are its own."""
        return len(self.edges) + 1 if self.edges else len(self.values)


@dataclass(frozen=True)
class Context(Component):
    """Counts of items under the values of the context columns.

    Attributes:
        columns: the context columns.
        counts: (V, N) events of each item under each value, the columns' rows one after the other.
        items: (N,) events of each item.
    """

    key: ClassVar[str] = "context"

    columns: tuple[ContextColumn, ...]
    counts: sp.csr_matrix
    items: Floats

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add the lifts of the request's values to every row, whether it has events or not."""
        lift = self.lift(histories.context) if histories.context else None
        if lift is not None:
            scores += lift

    def lift(self, context: Mapping[str, str]) -> Floats | None:
        """(N,) what to add to log scores in this context; None where nothing is known of its values."""
        given = {plain(name): value for name, value in context.items()}
        lifts = [self._lift(row) for row in self._rows(given)]
        return np.sum(lifts, axis=0, dtype=np.float32) if lifts else None

    def _rows(self, given: Mapping[str, str]) -> list[int]:
        rows, start = [], 0
        for column in self.columns:
            row = column.row(given[plain(column.name)]) if plain(column.name) in given else -1
            if row >= 0:
                rows.append(start + row)
            start += column.size
        return rows

    def _lift(self, row: int) -> Floats:
        counts = self.counts[[row]].toarray()[0]
        expected = self.items * (counts.sum() / max(1.0, float(self.items.sum())))
        lift: Floats = np.log((counts + PSEUDO_COUNT) / (expected + PSEUDO_COUNT))
        return lift

    def tensors(self) -> Tensors:
        """The counts."""
        return {f"{self.key}.items": self.items} | sparse_tensors(self.key, self.counts)

    def values(self) -> Values:
        """The columns."""
        return {"columns": [{"name": c.name, "values": list(c.values), "edges": list(c.edges)} for c in self.columns]}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        columns = tuple(ContextColumn(c["name"], tuple(c["values"]), tuple(c["edges"])) for c in values["columns"])
        shape = (sum(column.size for column in columns), num_items)
        return cls(columns, sparse_matrix(cls.key, tensors, shape), tensors[f"{cls.key}.items"])


def plain(name: str) -> str:
    """A column's name without case and underscores: programs send DEVICE_TYPE, device_type and deviceType.

    >>> plain("DEVICE_TYPE") == plain("deviceType")
    True
    """
    return name.replace("_", "").casefold()


def count_context(data: TrainingData) -> Context | None:
    """Count items under each value of the interactions' metadata columns; None where there are none."""
    columns, matrices = [], []
    for name, column in data.interactions.columns.items():
        described_events = _events(name, column)
        if described_events is None:
            continue
        described, event, row = described_events
        ones = np.ones(len(event), np.float32)
        items = data.interactions.item_index[event]
        matrices.append(sp.csr_matrix((ones, (row, items)), shape=(described.size, data.num_items)))
        columns.append(described)
    if not columns:
        return None
    counts = sp.csr_matrix(sp.vstack(matrices, format="csr"))
    return Context(tuple(columns), counts, data.item_counts.astype(np.float32))


def _events(name: str, column: Column) -> tuple[ContextColumn, NDArray[np.int64], NDArray[np.int64]] | None:
    """A column's rows, and which events belong to which of them; None if it cannot tell requests apart."""
    match column:
        case Numeric():
            known = np.flatnonzero(np.isfinite(column.values))
            if not len(known):
                return None
            values = column.values[known]
            edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
            described = ContextColumn(name, edges=tuple(edges.tolist()))
            return described, known, np.searchsorted(edges, values).astype(np.int64)
        case Categorical(kind=kind) if kind == "categorical":
            counts = np.bincount(column.codes, minlength=len(column.categories))
            kept = np.argsort(-counts, kind="stable")[:MAX_VALUES]
            kept = kept[counts[kept] > 0]
            if not len(kept):
                return None
            row = np.full(len(column.categories), -1, np.int64)
            row[kept] = np.arange(len(kept))
            event = np.repeat(np.arange(len(column.offsets) - 1), np.diff(column.offsets))
            rows = row[column.codes]
            described = ContextColumn(name, tuple(column.categories[code] for code in kept))
            return described, event[rows >= 0], rows[rows >= 0]
        case _:
            return None
