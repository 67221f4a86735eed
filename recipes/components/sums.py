"""Sums over users in three steps: partial(shard) → combine → finish.

What is learned as a sum over users (counts, Gram matrices) is computed for shards of users wherever those are, added up, and
finished once: in this process, or on a cluster (`recipes.executor`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import pairwise
from typing import Protocol, Self, TypeVar

import numpy as np

from recipes.data import Histories
from recipes.executor import current, prefetch

SHARD_EVENTS = 100_000  # of a shard, at least: fewer are summed up sooner than sent


class Partial(Protocol):
    """The sum over some users."""

    def combine(self, other: Self) -> Self:
        """Return the sum over the users of both; neither is written to, as parts that come from a cluster are read-only."""


Sum = TypeVar("Sum", bound=Partial)


def over_users(
    partial: Callable[[Histories], Sum],
    histories: Histories,
    num_shards: int | None = None,
    done: Callable[[float], None] | None = None,
) -> Sum:
    """Combine the partial sums of shards of users, in the order of the users.

    Args:
        partial: the sum over the users of a shard.
        histories: all users'.
        num_shards: of about as many events each; by default as the executor says, with `SHARD_EVENTS` each or more. A sum in
            float32 depends on their number in its last digits, so that one number must be kept for results that are to be equal.
        done: gets the share of the shards that are summed up, where there are several.
    """
    if num_shards is None:
        affordable = max(1, len(histories.item_index) // SHARD_EVENTS)
        num_shards = min(affordable, current().shards) if affordable > 1 else 1
    if num_shards == 1:
        return partial(histories)  # in this thread, to which alone a run may report
    parts = shards(histories, num_shards)
    return reduce(lambda whole, part: whole.combine(part), _reported(prefetch(partial, parts), len(parts), done))


def _reported(sums: Iterable[Sum], count: int, done: Callable[[float], None] | None) -> Iterator[Sum]:
    for number, part in enumerate(sums, start=1):
        if done is not None:
            done(number / count)
        yield part


def shards(histories: Histories, count: int) -> list[Histories]:
    """Up to `count` parts of consecutive users with about as many events each; at least one."""
    events = int(histories.offsets[-1] - histories.offsets[0])
    wanted = histories.offsets[0] + events * np.arange(1, count) // max(1, count)
    cuts = np.searchsorted(histories.offsets, wanted)
    bounds = sorted({0, len(histories), *(int(cut) for cut in cuts if 0 < cut < len(histories))})
    return [histories.rows(start, stop) for start, stop in pairwise(bounds)] or [histories]
