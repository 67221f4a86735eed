"""Lists that were shown: those that events came from, and those that users saw and took nothing from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.columns import Kind, encode_categories
from recipes.numerics.arrays import ragged_positions

Lookup = Callable[[Iterable[str]], NDArray[np.int64]]


@dataclass(frozen=True)
class Impressions:
    """Items of E lists, ragged: `items[offsets[e]:offsets[e + 1]]`, indexes into the catalogue."""

    offsets: NDArray[np.int64]
    items: NDArray[np.int64]

    def __len__(self) -> int:
        """E."""
        return len(self.offsets) - 1

    @classmethod
    def encode(cls, column: pa.ChunkedArray, item_indexes: Lookup) -> Impressions:
        """Read lists of ids separated by "|"; ids of which `item_indexes` says -1 are left out."""
        texts = pc.fill_null(pc.cast(column, pa.string()).combine_chunks(), "")
        categories = encode_categories(texts, Kind.CATEGORICAL)
        known = item_indexes(categories.categories) if categories.categories else np.zeros(0, np.int64)
        items = known[categories.codes]
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(items >= 0)])
        return cls(counts[categories.offsets], items[items >= 0])

    def take(self, rows: NDArray[np.int64]) -> Impressions:
        """The lists at `rows`."""
        offsets, positions = ragged_positions(self.offsets, rows)
        return Impressions(offsets, self.items[positions])

    def reordered(self, new_item: NDArray[np.int64]) -> Impressions:
        """The same lists where item i has the index `new_item[i]`."""
        return Impressions(self.offsets, new_item[self.items])


@dataclass(frozen=True)
class SeenLists:
    """Lists that users saw and that no event names: (L,) user and time in seconds, and what was in them."""

    user_index: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    impressions: Impressions

    def __len__(self) -> int:
        """L."""
        return len(self.user_index)

    @classmethod
    def encode(cls, table: pa.Table, user_indexes: Lookup, item_indexes: Lookup) -> SeenLists:
        """Read USER_ID, TIMESTAMP and IMPRESSION; lists of unknown users are left out."""
        users = user_indexes(table["USER_ID"].to_pylist())
        timestamps = table["TIMESTAMP"].cast(pa.int64()).to_numpy()
        lists = cls(users, timestamps, Impressions.encode(table["IMPRESSION"], item_indexes))
        return lists.keep(users >= 0)

    def keep(self, lists: NDArray[np.bool_]) -> SeenLists:
        """Only the lists where the (L,) mask is true."""
        return self.take(np.flatnonzero(lists))

    def take(self, rows: NDArray[np.int64]) -> SeenLists:
        """The lists at `rows`."""
        return SeenLists(self.user_index[rows], self.timestamp[rows], self.impressions.take(rows))
