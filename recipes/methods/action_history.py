"""What a user did with actions so far, as features of the next one: in general, with its type, with the action itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories, Interactions
from recipes.numerics.arrays import EventIndexes, Floats, pair_keys

TAKEN, DECLINED = 1, 2
MEANING = {"taken": TAKEN, "nottaken": DECLINED, "viewed": DECLINED}
NUM_FEATURES = 4


@dataclass(frozen=True)
class Kinds:
    """What each event type means: (T + 1,) TAKEN, DECLINED or 0; the last is for unknown types, coded -1."""

    codes: NDArray[np.int64]

    @classmethod
    def of(cls, event_types: tuple[str, ...]) -> Self:
        """Read the names without case, space or underscore."""
        plain = [name.casefold().replace(" ", "").replace("_", "") for name in event_types]
        return cls(np.array([*(MEANING.get(name, 0) for name in plain), 0], np.int64))

    def taken(self, event_type: NDArray[np.int16]) -> NDArray[np.bool_]:
        """(E,) which events are takings."""
        return np.asarray(self.codes[event_type] == TAKEN)

    def declined(self, event_type: NDArray[np.int16]) -> NDArray[np.bool_]:
        """(E,) which events are exposures that were not takings."""
        return np.asarray(self.codes[event_type] == DECLINED)


@dataclass(frozen=True)
class Conduct:
    """Events of B users: `row` (E,), `action` (E,), whether `taken` or `declined` (E,)."""

    row: NDArray[np.int64]
    action: EventIndexes
    taken: NDArray[np.bool_]
    declined: NDArray[np.bool_]

    @classmethod
    def of(cls, histories: Histories, kinds: Kinds) -> Self:
        """From a batch of histories."""
        types = histories.event_type
        return cls(histories.row, histories.item_index, kinds.taken(types), kinds.declined(types))


def features_before(events: Interactions, kinds: Kinds, types: NDArray[np.int64]) -> Floats:
    """(E, 4) the features of each event's action from what its user did before it."""
    taken, declined = kinds.taken(events.event_type), kinds.declined(events.event_type)
    same_user = events.user_index
    same_type = pair_keys(same_user, types[events.item_index], int(types.max(initial=0)) + 1)
    same_action = pair_keys(same_user, events.item_index, len(types))
    counts = [
        (_counts_before(key, taken), _counts_before(key, declined)) for key in (same_user, same_type, same_action)
    ]
    return _features(counts)


def features_now(conduct: Conduct, size: int, types: NDArray[np.int64]) -> Floats:
    """(B, A, 4) the features of every action from all that each of B users did."""
    number = len(types)
    by_action = []
    for outcome in (conduct.taken, conduct.declined):
        places = conduct.row[outcome] * number + conduct.action[outcome]
        by_action.append(np.bincount(places, minlength=size * number).reshape(size, number).astype(np.float32))
    kinds, type_of = np.unique(types, return_inverse=True)
    members = np.zeros((number, len(kinds)), np.float32)
    members[np.arange(number), type_of] = 1
    shape = (size, number)
    counts = [
        tuple(np.broadcast_to(each.sum(axis=1, keepdims=True), shape) for each in by_action),
        tuple((each @ members)[:, type_of] for each in by_action),
        tuple(by_action),
    ]
    return _features([(pair[0], pair[1]) for pair in counts])


def _features(counts: list[tuple[Floats, Floats]]) -> Floats:
    """Log-odds of taking in general and for the type, each smoothed; log counts for the action itself."""
    general, of_type, of_action = counts
    parts = [
        np.log((general[0] + 1) / (general[1] + 1)),
        np.log((of_type[0] + 1) / (of_type[1] + 1)),
        np.log1p(of_action[0]),
        np.log1p(of_action[1]),
    ]
    return np.stack(parts, axis=-1).astype(np.float32)


def _counts_before(key: EventIndexes, counted: NDArray[np.bool_]) -> Floats:
    """(E,) how many earlier events of the same key are counted; events are in order of time within a key."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    before = np.concatenate([np.zeros(1), np.cumsum(counted[order])])[:-1]
    first = np.searchsorted(ordered, ordered)
    found = np.empty(len(key), np.float32)
    found[order] = before - before[first] if len(key) else before
    return found
