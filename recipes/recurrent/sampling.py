"""How training reads sequences: all users' events in one shuffled stream, cut into equal lanes and the lanes into chunks.

No padding, however uneven the histories are; a state is carried from chunk to chunk and reset where a user begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.numerics.arrays import Indexes

NO_TARGET = -1


@dataclass(frozen=True)
class Chunk:
    """T events of B lanes, time first.

    Attributes:
        events: (T, B) positions in the flat arrays of events.
        goes_on: (T, B) float32, 0 where a user's first event stands, else 1.
        has_target: (T, B) true where the next event is the same user's.
    """

    events: Indexes
    goes_on: NDArray[np.float32]
    has_target: NDArray[np.bool_]


def chunks(offsets: Indexes, lanes: int, length: int, rng: np.random.Generator) -> Iterator[Chunk]:
    """One epoch over all users in random order.

    Args:
        offsets: (U + 1,) where each user's events begin.
        lanes: B, at most; fewer where there are fewer events.
        length: T, the last chunk may be shorter.
        rng: shuffles the users.
    """
    yield from chunks_of(rng.permutation(np.flatnonzero(np.diff(offsets) >= 2)), offsets, lanes, length)


def chunks_of(order: Indexes, offsets: Indexes, lanes: int, length: int) -> Iterator[Chunk]:
    """The chunks of some users in this order, each of whom has two events or more."""
    sizes = np.diff(offsets)
    total = int(sizes[order].sum())
    starts = np.cumsum(sizes[order]) - sizes[order]
    stream = np.arange(total) + np.repeat(offsets[order] - starts, sizes[order])
    goes_on = np.ones(total, np.float32)
    goes_on[starts] = 0.0
    has_target = np.ones(total, bool)
    has_target[starts + sizes[order] - 1] = False
    lanes = max(1, min(lanes, total // 2))
    width = total // lanes
    cut = slice(0, lanes * width)
    laid = [array[cut].reshape(lanes, width).T for array in (stream, goes_on, has_target)]
    for begin in range(0, width, length):
        events, keep, target = (np.ascontiguousarray(array[begin : begin + length]) for array in laid)
        yield Chunk(events, keep, target)


def count_chunks(offsets: Indexes, lanes: int, length: int) -> int:
    """How many chunks an epoch has."""
    sizes = np.diff(offsets)
    total = int(sizes[sizes >= 2].sum())
    lanes = max(1, min(lanes, total // 2))
    return -(-(total // lanes) // length) if total else 0
