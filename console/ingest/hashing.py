"""64-bit hashes of whole rows, vectorised: how duplicates are found in bounded memory (8 bytes a row).

A string's hash is the sum of its bytes, each times a random number of its position (Carter & Wegman 1979), then mixed
(splitmix64, Steele et al. 2014). Among 20 million different rows two share a hash with a chance near 1e-5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recipes.numerics.arrays import Indexes
from recipes.numerics.grouping import joined

Hashes = NDArray[np.uint64]
POSITIONS = 1 << 16
RANGES = 16  # of hashes, where rows are many; a power of two
RANGE_ROWS = 1 << 20  # that are looked at at once
SLICE_BYTES = 1 << 20
_FACTORS = np.random.default_rng(20261122).integers(0, 2**64, POSITIONS, np.uint64)
_NULL = np.uint64(0x9E3779B97F4A7C15)


class Collected:
    """The hashes of all rows so far, in one piece that grows where it stands: pieces between what is freed would hold that, too."""

    def __init__(self) -> None:
        """Have none."""
        self._room: Hashes = np.empty(0, np.uint64)
        self.rows = 0

    def add(self, hashes: Hashes) -> None:
        """Put more behind them."""
        end = self.rows + len(hashes)
        if end > len(self._room):
            self._room.resize(end + RANGE_ROWS, refcheck=False)
        self._room[self.rows : end] = hashes
        self.rows = end

    def parts(self) -> list[Hashes]:
        """All of them, as views of RANGE_ROWS rows each."""
        return [self._room[start : min(start + RANGE_ROWS, self.rows)] for start in range(0, self.rows, RANGE_ROWS)]


def combined(columns: Iterable[Hashes]) -> Hashes:
    """One hash a row over the hashes of all its cells."""
    first, *others = columns
    for own in others:
        first = _mix(first * np.uint64(0x9DDFEA08EB382D69) + own)
    return first


def column(values: pa.Array, known: Hashes | None = None) -> Hashes:
    """One hash a cell; of a dictionary-encoded column `known` are its dictionary's hashes."""
    valid = None if values.null_count == 0 else np.asarray(values.is_valid())
    if isinstance(values, pa.DictionaryArray):
        known = strings(values.dictionary) if known is None else known
        codes = np.asarray(values.indices.fill_null(0))
        found = known[codes] if len(known) else np.zeros(len(values), np.uint64)
    elif pa.types.is_string(values.type):
        found = strings(values)
    else:
        numbers = values.fill_null(False) if pa.types.is_boolean(values.type) else values.fill_null(0)
        plain = numbers.to_numpy(zero_copy_only=False)
        found = _mix(plain.astype(np.int64 if plain.dtype == bool else plain.dtype).view(np.uint64))
    return found if valid is None else np.where(valid, found, _NULL)


def strings(values: pa.Array) -> Hashes:
    """One hash a string."""
    offsets, data = _buffers(values)
    found = np.empty(len(values), np.uint64)
    start = 0
    while start < len(values):
        stop = int(np.searchsorted(offsets, offsets[start] + SLICE_BYTES, "right"))
        stop = min(max(stop - 1, start + 1), len(values))
        found[start:stop] = _slice(offsets[start : stop + 1], data)
        start = stop
    return found


def distinct(parts: Sequence[Hashes]) -> Hashes:
    """Each hash once, sorted; by sorting, as np.unique's own table is several times slower on hashes."""
    ordered = np.concatenate(parts)
    ordered.sort()
    fresh = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return ordered[fresh]


def first_positions(parts: Sequence[Hashes], *, last: bool) -> NDArray[np.bool_] | None:
    """Which of the rows of all parts to keep so that each hash stays once (its first or last row); None if all do.

    Hashes are looked at range by range, so that only the copies of one range are held at a time.
    """
    total = sum(map(len, parts))
    if total <= RANGE_ROWS:
        spare = _spare(np.arange(total), np.concatenate(parts), last=last)
    else:
        spare = np.concatenate([_spare_of_range(parts, number, last=last) for number in range(RANGES)])
    if not len(spare):
        return None
    keep = np.ones(total, bool)
    keep[spare] = False
    return keep


def _spare_of_range(parts: Sequence[Hashes], number: int, *, last: bool) -> Indexes:
    """The spare rows among those whose hashes are in one range; which rows they are is looked up only where there are any."""
    ordered = joined([part[_is_in_range(part, number)] for part in parts])
    ordered.sort()
    if not (ordered[1:] == ordered[:-1]).any():
        return np.zeros(0, np.int64)
    del ordered
    begins = np.cumsum([0, *map(len, parts[:-1])])
    inside = [np.flatnonzero(_is_in_range(part, number)) for part in parts]
    hashes = np.concatenate([part[places] for part, places in zip(parts, inside, strict=True)])
    rows = np.concatenate([begin + places for begin, places in zip(begins, inside, strict=True)])
    return _spare(rows, hashes, last=last)


def _is_in_range(hashes: Hashes, number: int) -> NDArray[np.bool_]:
    return np.asarray(hashes & np.uint64(RANGES - 1) == number, bool)


def _spare(rows: Indexes, hashes: Hashes, *, last: bool) -> Indexes:
    """The rows, given in rising order, whose hash another row stands for."""
    ordered = np.sort(hashes)
    if not (ordered[1:] == ordered[:-1]).any():
        return rows[:0]
    order = np.argsort(hashes, kind="stable")
    equal = hashes[order[1:]] == hashes[order[:-1]]
    spare: Indexes = rows[order[:-1][equal] if last else order[1:][equal]]
    return spare


def _mix(values: Hashes) -> Hashes:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _buffers(values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    width = np.int64 if pa.types.is_large_string(values.type) else np.int32
    _, offset_buffer, data_buffer = values.buffers()
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.zeros(0, np.uint8)
    if not len(values):
        return np.zeros(1, np.int64), data
    offsets = np.frombuffer(offset_buffer, width)[values.offset : values.offset + len(values) + 1]
    return offsets.astype(np.int64), data


def _slice(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> Hashes:
    sizes = np.diff(offsets)
    low, high = int(offsets[0]), int(offsets[-1])
    position = np.arange(high - low) - np.repeat(offsets[:-1] - low, sizes)
    products = (data[low:high].astype(np.uint64) + np.uint64(1)) * _FACTORS[position & (POSITIONS - 1)]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(products)])
    return _mix(sums[offsets[1:] - low] - sums[offsets[:-1] - low] + sizes.astype(np.uint64))
