"""Training data as arrays: ids are mapped to indexes once, here, and everything behind works on integers.

Interactions are sorted by user, then time, so that a user's history is a slice. Items and users that only their own
dataset knows are part of the catalogue too: they are the cold ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.columns import Columns, Kind, encode_column, take_rows
from recipes.encoding import encode_texts
from recipes.impressions import Impressions, SeenLists
from recipes.memory import give_back_memory
from recipes.numerics.arrays import EventIndexes, ragged_positions
from recipes.numerics.grouping import BLOCK, counted, kept, order_by_group_and_time, taken

RESERVED = {
    "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE",
    "ACTION_ID",
}  # fmt: skip
MAX_EVENT_TYPE_CODES = 2**15 - 1  # codes are int16; further types are unknown ones
ARRAYS = ("user_index", "item_index", "timestamp", "event_type", "event_value", "weight")  # of events
DTYPES = {"timestamp": np.int64, "item_index": np.int32, "event_type": np.int16, "event_value": np.float32}


class Ids:
    """External ids by index, and back. Order is the index."""

    def __init__(self, values: pa.Array | Sequence[str]) -> None:
        """Keep `values`, unique strings; the position is the index."""
        self.array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self.array)

    def __getitem__(self, index: int) -> str:
        """The id at `index`."""
        return str(self.array[int(index)].as_py())

    @cached_property
    def _names(self) -> list[str]:
        return list(self.positions)

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The index of each id."""
        return {value: index for index, value in enumerate(self.array.to_pylist())}

    def index(self, value: str) -> int:
        """The index of one id, -1 if it is unknown."""
        return self.positions.get(value, -1)

    def indexes(self, values: Iterable[str]) -> NDArray[np.int64]:
        """The indexes of several ids, -1 where unknown."""
        return np.fromiter((self.positions.get(value, -1) for value in values), np.int64)

    def take(self, indexes: NDArray[np.integer[Any]]) -> list[str]:
        """The ids at `indexes`."""
        return list(map(self._names.__getitem__, indexes.tolist()))


@dataclass(frozen=True)
class Histories:
    """What B users have done, ragged, oldest first: row b is `item_index[offsets[b]:offsets[b + 1]]`.

    Attributes:
        offsets: (B + 1,) int64.
        item_index: (E,) int32 where they are a view of the training data, else int64.
        timestamp: (E,) int64, seconds.
        event_type: (E,) int16 codes into the data's `event_types`, -1 unknown.
        user_index: (B,) int64, -1 for users the model never saw.
        context: categorical or numeric values of the request, by column name.
        weight: (E,) float32 what each event is worth as an answer, 1 on average; None where all are alike. Only training
            reads it.
    """

    offsets: NDArray[np.int64]
    item_index: EventIndexes
    timestamp: NDArray[np.int64]
    event_type: NDArray[np.int16]
    user_index: NDArray[np.int64]
    context: Mapping[str, str] = field(default_factory=dict)
    weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """B, the number of users."""
        return len(self.offsets) - 1

    @classmethod
    def of(cls, item_lists: Sequence[Sequence[int]], *, user_index: Sequence[int] | None = None) -> Self:
        """Histories of bare item lists, oldest first, one second apart; handy for tests and single requests."""
        offsets = np.cumsum([0, *map(len, item_lists)]).astype(np.int64)
        items = np.fromiter((item for items in item_lists for item in items), np.int64, count=int(offsets[-1]))
        users = np.full(len(item_lists), -1, np.int64) if user_index is None else np.asarray(user_index, np.int64)
        return cls(offsets, items, np.arange(len(items), dtype=np.int64), np.full(len(items), -1, np.int16), users)

    @classmethod
    def concatenate(cls, parts: Sequence[Histories]) -> Histories:
        """All rows of `parts` one after the other, to be scored: weights are left behind."""
        starts = np.cumsum([0, *(len(part.item_index) for part in parts)])
        offsets = [part.offsets[1:] - part.offsets[0] + start for part, start in zip(parts, starts[:-1], strict=True)]
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("item_index", "timestamp", "event_type", "user_index")
        }
        return cls(
            np.concatenate([np.zeros(1, np.int64), *offsets]), **joined, context=parts[0].context if parts else {}
        )

    def rows(self, start: int, stop: int) -> Histories:
        """Rows `start` to `stop`."""
        low, high = int(self.offsets[start]), int(self.offsets[min(stop, len(self))])
        return replace(
            self,
            offsets=self.offsets[start : stop + 1] - low,
            item_index=self.item_index[low:high],
            timestamp=self.timestamp[low:high],
            event_type=self.event_type[low:high],
            user_index=self.user_index[start:stop],
            weight=None if self.weight is None else self.weight[low:high],
        )

    def keep(self, events: NDArray[np.bool_]) -> Histories:
        """The same users with only the events where the (E,) mask is true."""
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(events)])
        return replace(
            self,
            offsets=counts[self.offsets].astype(np.int64),
            item_index=self.item_index[events],
            timestamp=self.timestamp[events],
            event_type=self.event_type[events],
            weight=None if self.weight is None else self.weight[events],
        )

    def without(self, position: int) -> Histories:
        """A one-row batch without the event at `position`."""
        events = np.ones(len(self.item_index), bool)
        events[position] = False
        return self.keep(events)

    def tail(self, length: int) -> Histories:
        """The newest `length` events of each row."""
        sizes = np.diff(self.offsets)
        age = np.repeat(self.offsets[1:], sizes) - np.arange(int(self.offsets[0]), int(self.offsets[-1]))
        return self.keep(age <= length)

    @property
    def row(self) -> NDArray[np.int64]:
        """(E,) the row that each event belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))


@dataclass(frozen=True)
class Interactions:
    """All events, sorted by user, then time, then the order they came in.

    Attributes:
        user_index, item_index: (E,) int32; int64 in artefacts of earlier releases. Products of them are made by `pair_keys`.
        timestamp: (E,) int64, epoch seconds.
        event_type: (E,) int16 codes into `event_types`, -1 unknown.
        event_types: names of the event types.
        event_value: (E,) float32, NaN unknown.
        impressions: ragged item indexes shown with each event (offsets (E + 1,), codes into the item catalogue), or None.
        columns: context columns, one row an event.
        weight: (E,) float32 what each event is worth against the others, 1 on average; None where all are alike.
    """

    user_index: EventIndexes
    item_index: EventIndexes
    timestamp: NDArray[np.int64]
    event_type: NDArray[np.int16]
    event_types: tuple[str, ...]
    event_value: NDArray[np.float32]
    impressions: Impressions | None = None
    columns: Columns = field(default_factory=dict)
    weight: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """E, the number of events."""
        return len(self.user_index)

    def with_event_types_first(self, first: tuple[str, ...]) -> Interactions:
        """The same events with the event types `first` at the first codes, whether they still occur or not.

        >>> import numpy as np
        >>> none = np.zeros(2, np.int64)
        >>> events = Interactions(none, none, none, np.array([0, 1], np.int16), ("buy", "view"), none.astype(np.float32))
        >>> grown = events.with_event_types_first(("view", "click"))
        >>> grown.event_types, grown.event_type.tolist()
        (('view', 'click', 'buy'), [2, 0])
        """
        joined = tuple(dict.fromkeys(first + self.event_types))[:MAX_EVENT_TYPE_CODES]
        codes = {name: code for code, name in enumerate(joined)}
        moved = np.array([*(codes.get(name, -1) for name in self.event_types), -1], np.int16)  # the last one is for -1
        return replace(self, event_type=moved[self.event_type], event_types=joined)

    def keep(self, events: NDArray[np.bool_]) -> Interactions:
        """Only the events where the (E,) mask is true; itself where it is all true."""
        if events.all():
            return self
        rows = np.flatnonzero(events if self.impressions is not None or self.columns else events[:0])
        arrays = {name: array for name in ARRAYS if (array := getattr(self, name)) is not None}
        return replace(
            self,
            **kept(arrays, events),
            impressions=None if self.impressions is None else self.impressions.take(rows),
            columns={name: take_rows(column, rows) for name, column in self.columns.items()},
        )


@dataclass(frozen=True)
class TrainingData:
    """One frozen snapshot of a dataset group. `items` and `users` have one row for each id, in index order.

    `seen` are the lists that users saw and took nothing from, as far as known; those that events came from stand with
    the events.
    """

    user_ids: Ids
    item_ids: Ids
    interactions: Interactions
    items: Columns = field(default_factory=dict)
    users: Columns = field(default_factory=dict)
    seen: SeenLists | None = None

    @property
    def num_users(self) -> int:
        """U."""
        return len(self.user_ids)

    @property
    def num_items(self) -> int:
        """N, items without interactions included."""
        return len(self.item_ids)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(U + 1,) where each user's events begin in `interactions`."""
        users = self.interactions.user_index
        bounds = np.arange(self.num_users + 1, dtype=users.dtype)  # of the same type, so that `users` is not copied
        return np.searchsorted(users, bounds).astype(np.int64)

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """(N,) events per item."""
        return counted(self.interactions.item_index, self.num_items)

    @cached_property
    def item_weight(self) -> NDArray[np.float64]:
        """(N,) what the events of each item are worth together; their number where all are alike."""
        events = self.interactions
        return np.bincount(events.item_index, events.weight, minlength=self.num_items).astype(np.float64)

    def histories(self, users: NDArray[np.int64] | None = None) -> Histories:
        """The full histories of `users` (all by default), oldest first."""
        events = self.interactions
        if users is None:
            everyone = np.arange(self.num_users, dtype=np.int64)
            return Histories(
                self.offsets,
                events.item_index,
                events.timestamp,
                events.event_type,
                everyone,
                weight=events.weight,
            )
        offsets, rows = ragged_positions(self.offsets, users)
        return Histories(
            offsets,
            events.item_index[rows],
            events.timestamp[rows],
            events.event_type[rows],
            users.astype(np.int64),
            weight=None if events.weight is None else events.weight[rows],
        )

    def keep(self, events: NDArray[np.bool_]) -> TrainingData:
        """The same catalogue and users with only the events where the (E,) mask is true."""
        return replace(self, interactions=self.interactions.keep(events))

    @classmethod
    def from_tables(
        cls,
        interactions: pa.Table,
        items: pa.Table | None = None,
        users: pa.Table | None = None,
        kinds: Mapping[str, Mapping[str, Kind]] | None = None,
        seen: pa.Table | None = None,
    ) -> Self:
        """Map ids, sort, and encode the metadata of tables with AWS's column names.

        Args:
            interactions: USER_ID, ITEM_ID, TIMESTAMP; EVENT_TYPE, EVENT_VALUE, IMPRESSION and metadata where there are.
            items: ITEM_ID and metadata; the last row of an id wins.
            users: USER_ID and metadata; the last row of an id wins.
            kinds: by "INTERACTIONS", "ITEMS", "USERS": how to read each column; guessed where nothing is said, and a
                column left out of a given dataset's mapping is dropped.
            seen: USER_ID, TIMESTAMP and IMPRESSION of the lists that users saw and took nothing from.
        """
        kinds, columns = kinds or {}, dict(zip(interactions.column_names, interactions.columns, strict=True))
        del interactions  # each column is freed when it is encoded, unless the caller keeps the table
        user_ids, users_of = _encode_ids(columns.pop("USER_ID"), users, "USER_ID")
        item_ids, items_of = _encode_ids(columns.pop("ITEM_ID"), items, "ITEM_ID")
        codes: dict[str, NDArray[Any]] = {"user_index": users_of, "item_index": items_of}
        del users_of, items_of
        events = _encode_events(columns, codes, kinds.get("INTERACTIONS"), user_ids, item_ids)
        return cls(
            user_ids,
            item_ids,
            events,
            _entity_columns(items, "ITEM_ID", item_ids, kinds.get("ITEMS")),
            _entity_columns(users, "USER_ID", user_ids, kinds.get("USERS")),
            SeenLists.encode(seen, user_ids.indexes, item_ids.indexes) if seen is not None and seen.num_rows else None,
        )


def _encode_ids(column: pa.ChunkedArray, entities: pa.Table | None, name: str) -> tuple[Ids, NDArray[np.int32]]:
    """Ids of the interactions in order of first appearance, then those that only the entity table has."""
    codes, known = encode_texts(column)
    if entities is not None:
        listed = pc.drop_null(pc.unique(pc.cast(entities[name], pa.string())))
        fresh = listed.filter(pc.invert(pc.is_in(listed, known)))
        known = pa.concat_arrays([known, fresh.combine_chunks() if isinstance(fresh, pa.ChunkedArray) else fresh])
    return Ids(known), codes


def _encode_events(
    columns: dict[str, pa.ChunkedArray],
    codes: dict[str, NDArray[Any]],
    kinds: Mapping[str, Kind] | None,
    user_ids: Ids,
    item_ids: Ids,
) -> Interactions:
    """Encode and sort one column after the other, taking each out of `columns` or `codes`: no two copies of all are held."""
    event_types: tuple[str, ...] = ()
    if "EVENT_TYPE" in columns:
        type_codes, types = encode_texts(columns.pop("EVENT_TYPE"))
        codes["event_type"] = np.where(type_codes < MAX_EVENT_TYPE_CODES, type_codes, -1).astype(np.int16)
        event_types = tuple(types.slice(0, MAX_EVENT_TYPE_CODES).to_pylist())
        del type_codes
    if "EVENT_VALUE" in columns:
        values = pc.cast(columns.pop("EVENT_VALUE"), pa.float32(), safe=False).to_numpy()
        codes["event_value"] = values.astype(np.float32, copy=False)
        del values
    codes["timestamp"] = columns.pop("TIMESTAMP").cast(pa.int64(), safe=False).to_numpy()
    _tidy(len(codes["timestamp"]))
    order = order_by_group_and_time(codes["user_index"], codes["timestamp"], len(user_ids))
    lists, impressions = columns.pop("IMPRESSION", None), None
    if lists is not None and lists.null_count < len(lists):
        impressions = Impressions.encode(lists, item_ids.indexes).take(order)
    wanted = [name for name in columns if name not in RESERVED and (kinds is None or name in kinds)]
    context = {name: take_rows(encode_column(columns.pop(name), (kinds or {}).get(name)), order) for name in wanted}
    sizes = counted(codes.pop("user_index"), len(user_ids))
    _tidy(len(order))
    placed = {name: taken(codes.pop(name), order, DTYPES[name]) for name in DTYPES if name in codes}
    unknown = {"event_type": -1, "event_value": np.nan}
    placed |= {name: np.full(len(order), unknown[name], DTYPES[name]) for name in unknown if name not in placed}
    _tidy(len(order))
    del order
    return Interactions(
        np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        placed["item_index"],
        placed["timestamp"],
        placed["event_type"],
        event_types,
        placed["event_value"],
        impressions,
        context,
    )


def _tidy(events: int) -> None:
    """Give back what was freed of many events: allocators keep it, and it would lie beside what is made next."""
    if events > BLOCK:
        give_back_memory()


def _entity_columns(table: pa.Table | None, key: str, ids: Ids, kinds: Mapping[str, Kind] | None) -> Columns:
    if table is None:
        return {}
    positions = {value: row for row, value in enumerate(pc.cast(table[key], pa.string()).to_pylist())}
    rows = pa.array([positions.get(value) for value in ids.array.to_pylist()], pa.int64())
    wanted = [name for name in table.column_names if name != key and (kinds is None or name in kinds)]
    return {name: encode_column(table[name].take(rows), (kinds or {}).get(name)) for name in wanted}
