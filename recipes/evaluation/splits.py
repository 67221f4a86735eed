"""Which events a model may learn from and which it is evaluated on; a split says by its fingerprint what was asked.

`amazon` is the protocol of Amazon Personalize for everything but segmentation, `segmentation` the one for user segments,
`leave_last_out` that of the literature, `newest_window` what a trend is evaluated by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recipes.base import RecipeError
from recipes.data import Histories, Ids, TrainingData
from recipes.numerics.arrays import distinct, pair_keys
from recipes.numerics.grouping import taken

HASH_BITS = 64
MOST_QUERIES = 20_000  # users asked at most; more would tell nothing new and take their time


@dataclass(frozen=True)
class Truth:
    """What each query is to find, ragged, oldest first: query q holds `item_index[offsets[q]:offsets[q + 1]]`.

    Attributes:
        offsets: (Q + 1,) int64.
        item_index: (T,) int64; an item may stand there more than once.
        event_type: (T,) int16 codes into the data's event types, -1 unknown.
        event_value: (T,) float32, NaN unknown.
        timestamp: (T,) int64, seconds.
    """

    offsets: NDArray[np.int64]
    item_index: NDArray[np.int64]
    event_type: NDArray[np.int16]
    event_value: NDArray[np.float32]
    timestamp: NDArray[np.int64]

    def __len__(self) -> int:
        """Q, the number of queries."""
        return len(self.offsets) - 1

    @property
    def row(self) -> NDArray[np.int64]:
        """(T,) the query that each true event belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    def rows(self, start: int, stop: int) -> Truth:
        """The truth of queries `start` to `stop`."""
        low, high = int(self.offsets[start]), int(self.offsets[min(stop, len(self))])
        return Truth(
            self.offsets[start : stop + 1] - low,
            self.item_index[low:high],
            self.event_type[low:high],
            self.event_value[low:high],
            self.timestamp[low:high],
        )


@dataclass(frozen=True)
class Split:
    """A test of recommendations: learn from `train`, be given `queries`, find `truth`.

    Attributes:
        protocol: how it was made.
        train: the data without what is asked; same catalogue and users.
        queries: Q histories.
        truth: what those users did next.
        users: (Q,) int64 indexes of the users asked for.
    """

    protocol: str
    train: TrainingData
    queries: Histories
    truth: Truth
    users: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over users, catalogue, queries and truth: equal for equal tests, whatever the model."""
        asked = self.train.user_ids.array.take(pa.array(self.users))
        arrays = (self.queries.offsets, self.queries.item_index, self.truth.offsets, self.truth.item_index)
        return _fingerprint(self.protocol, (asked, self.train.item_ids.array), arrays)


@dataclass(frozen=True)
class SegmentSplit:
    """A test of user segments: learn from `train`, find for each query item the users who took it later.

    Attributes:
        protocol: how it was made.
        train: the older share of each user's events.
        items: (Q,) int64 query items, those taken by someone in the newer share.
        offsets: (Q + 1,) int64 into `user_index`.
        user_index: (T,) int64 distinct users of each query item in the newer share.
    """

    protocol: str
    train: TrainingData
    items: NDArray[np.int64]
    offsets: NDArray[np.int64]
    user_index: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over users, catalogue, query items and truth."""
        ids = (self.train.user_ids.array, self.train.item_ids.array)
        return _fingerprint(self.protocol, ids, (self.items, self.offsets, self.user_index))


def amazon(data: TrainingData, share: float = 0.1, salt: str = "") -> Split:
    """Hold out about `share` of the users, known by a hash of their id, and the newest tenth of their events.

    A user's membership depends on the id alone, so it stays the same in every later snapshot. Users with one event cannot be
    asked, and at most `MOST_QUERIES` are. The model learns from all events of the other users only.

    Args:
        data: the snapshot.
        share: of the users, 0 to 1.
        salt: another text gives another draw, for means over several splits.

    Raises:
        RecipeError: no user has two events.
    """
    sizes = np.diff(data.offsets)
    eligible = np.flatnonzero(sizes >= 2)
    if len(eligible) == 0:
        raise RecipeError("No user has two interactions or more, so there is nothing to test on.")
    positions = _positions(data.user_ids, eligible, salt)
    wanted = int(np.clip(np.count_nonzero(positions < share), 1, MOST_QUERIES))
    users = np.sort(eligible[np.argsort(positions, kind="stable")[:wanted]])
    held_out = np.zeros(data.num_users, bool)
    held_out[users] = True
    split = _asked(data, users, sizes[users] - np.floor(sizes[users] * 0.9 + 1e-9).astype(np.int64), "amazon")
    return _with_train(split, data, taken(~held_out, data.interactions.user_index, bool))


def leave_last_out(data: TrainingData, users: NDArray[np.int64] | None = None) -> Split:
    """Hold out the newest event of each of `users` (all with two events or more by default); learn from all others."""
    sizes = np.diff(data.offsets)
    asked = np.flatnonzero(sizes >= 2) if users is None else users[sizes[users] >= 2]
    if len(asked) == 0:
        raise RecipeError("No user has two interactions or more, so there is nothing to test on.")
    split = _asked(data, asked, np.ones(len(asked), np.int64), "leave-last-out")
    kept = np.ones(len(data.interactions), bool)
    kept[data.offsets[asked + 1] - 1] = False
    return _with_train(split, data, kept)


def newest_window(data: TrainingData, seconds: int) -> tuple[TrainingData, TrainingData]:
    """The data before and within the newest `seconds`; what the window shows is what a trend has to predict."""
    timestamps = data.interactions.timestamp
    late = timestamps > timestamps.max(initial=0) - seconds
    return data.keep(~late), data.keep(late)


def segmentation(data: TrainingData, share: float = 0.2) -> SegmentSplit:
    """Hold out the newest `share` of each user's events (none of a user with one event only).

    Raises:
        RecipeError: no user has enough events to split.
    """
    sizes = np.diff(data.offsets)
    kept_sizes = np.maximum(np.ceil(sizes * (1 - share) - 1e-9), np.minimum(sizes, 1)).astype(np.int64)
    position = np.arange(len(data.interactions)) - np.repeat(data.offsets[:-1], sizes)
    late = position >= np.repeat(kept_sizes, sizes)
    if not late.any():
        raise RecipeError(f"No user has enough interactions to hold out {share:.0%} of them.")
    events = data.interactions
    pairs = distinct(pair_keys(events.item_index[late], events.user_index[late], data.num_users))
    items, counts = np.unique(pairs // data.num_users, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return SegmentSplit("segmentation", data.keep(~late), items, offsets, pairs % data.num_users)


def _positions(ids: Ids, indexes: NDArray[np.int64], salt: str) -> NDArray[np.float64]:
    """Where the hash of each id falls between 0 and 1."""
    digests = b"".join(hashlib.blake2b((salt + name).encode(), digest_size=8).digest() for name in ids.take(indexes))
    return np.frombuffer(digests, np.uint64) / 2.0**HASH_BITS


def _asked(data: TrainingData, users: NDArray[np.int64], truths: NDArray[np.int64], protocol: str) -> Split:
    """Queries of all but the newest `truths` events of each user; the training data are still those given."""
    everything = data.histories(users)
    sizes = np.diff(everything.offsets)
    newness = np.repeat(everything.offsets[1:], sizes) - np.arange(int(everything.offsets[-1]))
    hidden = newness <= np.repeat(truths, sizes)
    rows = np.repeat(data.offsets[users] - everything.offsets[:-1], sizes) + np.arange(int(everything.offsets[-1]))
    chosen, events = rows[hidden], data.interactions
    truth = Truth(
        np.concatenate([[0], np.cumsum(truths)]).astype(np.int64),
        events.item_index[chosen].astype(np.int64),
        events.event_type[chosen],
        events.event_value[chosen],
        events.timestamp[chosen],
    )
    return Split(protocol, data, everything.keep(~hidden), truth, users.astype(np.int64))


def _with_train(split: Split, data: TrainingData, kept: NDArray[np.bool_]) -> Split:
    return Split(split.protocol, data.keep(kept), split.queries, split.truth, split.users)


def _fingerprint(protocol: str, ids: tuple[pa.Array, ...], arrays: tuple[NDArray[Any], ...]) -> str:
    digest = hashlib.sha256(protocol.encode())
    for column in ids:
        digest.update("\n".join(column.to_pylist()).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array, "<i8").tobytes())
    return digest.hexdigest()
