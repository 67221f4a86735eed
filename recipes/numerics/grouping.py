"""Sorting many events by few keys, block by block: beside its result it holds a block, where numpy's sorts hold whole copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.memory import give_back_pages
from recipes.numerics.arrays import Indexes, order_by

BLOCK = 1 << 19  # events that are looked at together
WIDEST_KEY = 2**62


class Grouping:
    """Values by the group of each, in the order they were added in (a counting sort)."""

    def __init__(self, counts: Indexes, largest: int) -> None:
        """Make room for `counts` (G,) values of each group, none of them greater than `largest`."""
        self.offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]).astype(np.int64)
        self.values: NDArray[Any] = np.empty(int(self.offsets[-1]), index_type(largest))
        self._next = self.offsets[:-1].copy()

    def add(self, groups: NDArray[Any], values: NDArray[Any]) -> None:
        """Put `values` behind those that the `groups` of each have already."""
        order = order_by(groups)
        ordered = groups[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        sizes = np.diff(first, append=len(ordered))
        own, rank = ordered[first], np.arange(len(ordered)) - np.repeat(first, sizes)
        self.values[np.repeat(self._next[own], sizes) + rank] = values[order]
        self._next[own] += sizes


def index_type(largest: int) -> type[np.signedinteger[Any]]:
    """The smaller of two types of integers that holds `largest`."""
    return np.int32 if largest <= np.iinfo(np.int32).max else np.int64


def blocks(size: int) -> Iterator[slice]:
    """Slices of BLOCK elements, and what is left."""
    return (slice(start, min(size, start + BLOCK)) for start in range(0, size, BLOCK))


def whole_groups(group: NDArray[Any]) -> Iterator[slice]:
    """Slices of about BLOCK elements, none of which divides equal elements that are together.

    >>> list(whole_groups(np.array([0, 0, 4])))
    [slice(0, 3, None)]
    """
    start = 0
    while start < len(group):
        stop = min(len(group), start + BLOCK)
        while stop < len(group) and group[stop] == group[stop - 1]:
            other = np.flatnonzero(group[stop : stop + BLOCK] != group[stop])
            stop = min(len(group), stop + (int(other[0]) if len(other) else BLOCK))
        yield slice(start, stop)
        start = stop


def joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """All parts in a row; the list is emptied, so that no two copies are held."""
    if len(parts) == 1:
        return parts.pop()
    whole, at = np.empty(sum(map(len, parts)), parts[0].dtype), 0
    while parts:
        part = parts.pop(0)
        whole[at : at + len(part)] = part
        at += len(part)
    return whole


def order_by_group_and_time(group: NDArray[Any], time: NDArray[np.int64], num_groups: int) -> NDArray[Any]:
    """The order that sorts events by group, then time, then as they came: `np.lexsort((time, group))` in 4 bytes an event.

    Args:
        group: (E,) integers from 0 to `num_groups` - 1.
        time: (E,).
        num_groups: G.

    >>> order_by_group_and_time(np.array([1, 0, 1]), np.array([8, 9, 7]), 2).tolist()
    [1, 2, 0]
    """
    grouping = Grouping(counted(group, num_groups), len(group))
    for block in blocks(len(group)):
        grouping.add(group[block], np.arange(block.start, block.stop))
    order, offsets = grouping.values, grouping.offsets
    start = 0
    while start < num_groups:
        stop = int(np.searchsorted(offsets, offsets[start] + BLOCK, side="right")) - 1
        stop = min(num_groups, max(start + 1, stop))
        low, high = int(offsets[start]), int(offsets[stop])
        order[low:high] = _by_time(order[low:high], group, time)
        start = stop
    return order


def _by_time(rows: NDArray[Any], group: NDArray[Any], time: NDArray[np.int64]) -> NDArray[Any]:
    """The rows of some whole groups, which are together, with those of each by time."""
    own, when = group[rows], time[rows]
    is_later = (when[1:] >= when[:-1]) | (own[1:] != own[:-1])
    if is_later.all():
        return rows
    earliest, latest = int(when.min()), int(when.max())
    if (int(own[-1]) - int(own[0]) + 1) * (latest - earliest + 1) >= WIDEST_KEY:
        return rows[np.lexsort((when, own))]
    key = (own - own[0]).astype(np.int64) * (latest - earliest + 1) + (when - earliest)
    return rows[order_by(key)]


def counted(group: NDArray[Any], num_groups: int) -> Indexes:
    """(G,) the number of elements of each group: `np.bincount`, which copies what is not int64 as a whole."""
    counts = np.zeros(num_groups, np.int64)
    for block in blocks(len(group)):
        counts += np.bincount(group[block], minlength=num_groups)
    return counts


def taken(values: NDArray[Any], order: NDArray[Any], kind: Any) -> NDArray[Any]:
    """`values[order].astype(kind)`, without what is in between."""
    found = np.empty(len(order), kind)
    for block in blocks(len(order)):
        found[block] = values[order[block]]
    return found


def kept(arrays: Mapping[str, NDArray[Any]], mask: NDArray[np.bool_]) -> dict[str, Any]:
    """The elements of each array where the mask is true; of arrays that are mapped from a file few pages are held at a time."""
    size, at = int(np.count_nonzero(mask)), 0
    found = {name: np.empty(size, array.dtype) for name, array in arrays.items()}
    for block in blocks(len(mask)):
        places = np.flatnonzero(mask[block])
        for name, array in arrays.items():
            found[name][at : at + len(places)] = array[block][places]
            give_back_pages(array)
        at += len(places)
    return found
