"""64-bit hashes of whole rows, vectorised: how duplicates are found in bounded memory (8 bytes a row).

A string's hash is the sum of its bytes, each times a random number of its position (Carter & Wegman 1979), then mixed
(splitmix64, Steele et al. 2014). Among 20 million different rows two share a hash with a chance near 1e-5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recipes.numerics.arrays import Indexes

Hashes = NDArray[np.uint64]
POSITIONS = 1 << 16
RANGES = 16  # of hashes, where rows are many; a power of two
RANGE_ROWS = 1 << 20  # that are looked at at once
SLICE_BYTES = 1 << 20
_FACTORS = np.random.default_rng(20261122).integers(0, 2**64, POSITIONS, np.uint64)
_NULL = np.uint64(0x9E3779B97F4A7C15)


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
    pieces = [(np.arange(total), np.concatenate(parts))] if total <= RANGE_ROWS else _by_range(parts)
    spare = np.concatenate([_spare(rows, hashes, last=last) for rows, hashes in pieces])
    if not len(spare):
        return None
    keep = np.ones(total, bool)
    keep[spare] = False
    return keep


def _by_range(parts: Sequence[Hashes]) -> Iterator[tuple[Indexes, Hashes]]:
    """The numbers of the rows whose hashes are in each range, rising, and these hashes."""
    begins = np.cumsum([0, *map(len, parts[:-1])])
    for number in range(RANGES):
        inside = [np.flatnonzero(part & np.uint64(RANGES - 1) == number) for part in parts]
        rows = [begin + places for begin, places in zip(begins, inside, strict=True)]
        yield np.concatenate(rows), np.concatenate([part[places] for part, places in zip(parts, inside, strict=True)])


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
