"""What a user has done, as the model and the filters see it: the snapshot's events, then those that streamed in since."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from console import transient
from console.models import Event
from console.serving.loader import LoadedModel
from recipes.data import Histories
from recipes.filters import Events, Target

LIVE_LIMIT = 500  # newest streamed events that a request looks at
LIVE = f"""
    SELECT user_id, item_id, event_type, timestamp FROM {Event._meta.db_table}
    WHERE dataset_group_id = %s AND user_id IN ({{users}}) AND (id > %s OR is_anonymous) AND is_action = %s
    ORDER BY timestamp DESC, id DESC
"""  # noqa: S608  the table's name; building it through the ORM takes longer than the rest of a request


class LiveEvent(NamedTuple):
    """A streamed event, oldest first in lists."""

    item_id: str
    event_type: str
    timestamp: int


@dataclass(frozen=True)
class UserHistory:
    """A user's events on items of the catalogue.

    Attributes:
        user: index in the snapshot, -1 for an unknown user.
        item: (E,) item indexes, -1 for items that the snapshot does not know; oldest first.
        timestamp: (E,) seconds.
        event_type: (E,) codes into `types`.
        types: names of the event types, the snapshot's first.
        kept: (E,) which of them the model's history is made of: those of learned types with known items; None for all.
        num_live: how many at the end streamed in after the snapshot.
        num_types: how many of `types` the snapshot knows; a model takes later ones as unknown.
        item_ids: of the live events, for showing.
    """

    user: int
    item: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    event_type: NDArray[np.int16 | np.int32]
    types: tuple[str, ...]
    kept: NDArray[np.bool_] | None
    num_live: int
    item_ids: tuple[str, ...]
    num_types: int

    def as_histories(self, context: Mapping[str, str] | None = None) -> Histories:
        """What the model is given: a batch of one."""
        items, times, types = self.item, self.timestamp, self.event_type
        if self.num_live:
            types = np.where(types < self.num_types, types, -1)
        if self.kept is not None:
            items, times, types = items[self.kept], times[self.kept], types[self.kept]
        return Histories(
            np.array([0, len(items)], np.int64), items, times, types.astype(np.int16, copy=False),
            np.array([self.user], np.int64), context or {},
        )  # fmt: skip

    def events(self) -> Events:
        """What filters are given."""
        return Events(self.item, self.event_type, self.types)

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing to personalise by."""
        return not (len(self.item) if self.kept is None else self.kept.any())


def history_of(loaded: LoadedModel, group_id: int, user_id: str | None) -> UserHistory:
    """All that is known of a user."""
    return histories_of(loaded, group_id, [user_id])[0]


def histories_of(
    loaded: LoadedModel, group_id: int, user_ids: Sequence[str | None], *, goes_on: bool = False
) -> list[UserHistory]:
    """All that is known of each user, of nobody for None; one indexed query for what streamed in, with items or with actions.

    With `goes_on`, the snapshot's events alone while the database does not answer.
    """
    known = {user_id for user_id in user_ids if user_id}
    live: Mapping[str, Sequence[LiveEvent]] = {}
    if known:
        actions = loaded.target is Target.ACTION
        try:
            live = live_events(group_id, known, loaded.newest_event, LIVE_LIMIT, actions=actions)
        except Exception as error:
            if not goes_on or not transient.passed_over("Reading live events", error):
                raise
    index = loaded.data.user_ids.index
    return [
        join(loaded, index(user_id), live.get(user_id, ())) if user_id else join(loaded, -1, ()) for user_id in user_ids
    ]


def changed(
    loaded: LoadedModel, history: UserHistory, without: Sequence[str] = (), added: Sequence[str] = ()
) -> UserHistory:
    """A history without the events on some items, and with an event on each of others at its end, of its newest event's type."""
    indexes = loaded.data.item_ids.indexes(without)
    stays = ~np.isin(history.item, indexes[indexes >= 0])
    live = np.array([name not in without for name in history.item_ids], bool)
    stays[len(stays) - len(live) :] &= live
    items = loaded.data.item_ids.indexes(added)
    counted = np.ones(len(history.item), bool) if history.kept is None else history.kept
    newest = np.flatnonzero(counted)[-1:]
    code = history.event_type[newest] if len(newest) else np.array([-1], np.int32)
    now = int(history.timestamp.max(initial=0)) or int(time.time())
    return replace(
        history,
        item=np.concatenate([history.item[stays], items]),
        timestamp=np.concatenate([history.timestamp[stays], now + 1 + np.arange(len(items), dtype=np.int64)]),
        event_type=np.concatenate([history.event_type[stays], np.repeat(code, len(items))]),
        kept=np.concatenate([counted[stays], items >= 0]),
        num_live=int(live.sum()) + len(items),
        item_ids=(*(name for name, is_kept in zip(history.item_ids, live, strict=True) if is_kept), *added),
    )


def join(loaded: LoadedModel, user: int, live: Sequence[LiveEvent]) -> UserHistory:
    """The snapshot's events of a user (by index), then the live ones."""
    events = loaded.data.interactions
    low, high = (int(loaded.data.offsets[user]), int(loaded.data.offsets[user + 1])) if user >= 0 else (0, 0)
    part = slice(low, high)
    if not live:
        return UserHistory(
            user, events.item_index[part].astype(np.int64), events.timestamp[part], events.event_type[part], events.event_types,
            None if loaded.learned is None else loaded.learned[part], 0, (), len(events.event_types),
        )  # fmt: skip
    learned = np.ones(high - low, bool) if loaded.learned is None else loaded.learned[part]
    codes = dict(loaded.codes)
    item_ids, event_types, timestamps = zip(*live, strict=True)
    types = np.array([codes.setdefault(event_type, len(codes)) for event_type in event_types], np.int32)
    wanted = loaded.types
    items = loaded.data.item_ids.indexes(item_ids)
    is_learned = items >= 0
    if wanted is not None:
        is_learned &= np.array([event_type.casefold() in wanted for event_type in event_types], bool)
    return UserHistory(
        user,
        np.concatenate([events.item_index[part], items]),
        np.concatenate([events.timestamp[part], np.array(timestamps, np.int64)]),
        np.concatenate([events.event_type[part], types]),
        tuple(codes),
        np.concatenate([learned, is_learned]),
        len(live),
        item_ids,
        len(events.event_types),
    )


def live_events(
    group_id: int, user_ids: Collection[str], after: int, limit: int, *, actions: bool
) -> dict[str, list[LiveEvent]]:
    """Users' newest streamed events (item, type, timestamp) with a row number above `after`, oldest first, `limit` each at most.

    What an anonymous session did counts whatever its number: no training has seen it.
    """
    found: dict[str, list[LiveEvent]] = {user: [] for user in user_ids}
    with connection.cursor() as cursor:
        cursor.execute(_live(len(found), limit), (group_id, *found, after, actions))
        rows = cursor.fetchall()
    for user, item_id, event_type, timestamp in rows:
        if len(found[user]) < limit:
            found[user].append(LiveEvent(item_id, event_type, timestamp))
    return {user: events[::-1] for user, events in found.items()}


@cache
def _live(users: int, limit: int) -> str:
    """The query for so many users; the limit of a single one is the query's."""
    text = LIVE.format(users=", ".join(["%s"] * users))
    return f"{text} LIMIT {limit}" if users == 1 else text
