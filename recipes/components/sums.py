"""Sums over users in three steps: partial(shard) → combine → finish.

What is learned as a sum over users (counts, Gram matrices) is computed for shards of users wherever those are, added up, and
finished once: in this process, or on a cluster (`recipes.executor`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Protocol, Self, TypeVar

import numpy as np

from recipes.data import Histories
from recipes.executor import current, prefetch


class Partial(Protocol):
    """The sum over some users."""

    def combine(self, other: Self) -> Self:
        """Return the sum over the users of both; neither is written to, as parts that come from a cluster are read-only."""


Sum = TypeVar("Sum", bound=Partial)


def over_users(partial: Callable[[Histories], Sum], histories: Histories, num_shards: int | None = None) -> Sum:
    """Combine the partial sums of shards of users, in the order of the users.

    Args:
        partial: the sum over the users of a shard.
        histories: all users'.
        num_shards: of about as many events each; as the executor says by default. A sum in float32 depends on their number in
            its last digits, so that one number must be kept for results that are to be equal.
    """
    num_shards = current().shards if num_shards is None else num_shards
    if num_shards == 1:
        return partial(histories)  # in this thread, to which alone a run may report
    return reduce(lambda whole, part: whole.combine(part), prefetch(partial, shards(histories, num_shards)))


def shards(histories: Histories, count: int) -> list[Histories]:
    """Up to `count` parts of consecutive users with about as many events each; at least one."""
    events = int(histories.offsets[-1] - histories.offsets[0])
    wanted = histories.offsets[0] + events * np.arange(1, count) // max(1, count)
    cuts = np.searchsorted(histories.offsets, wanted)
    bounds = sorted({0, len(histories), *(int(cut) for cut in cuts if 0 < cut < len(histories))})
    return [histories.rows(start, stop) for start, stop in pairwise(bounds)] or [histories]
