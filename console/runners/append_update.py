"""UPDATE training: newer data under the ids of an older snapshot, so that what was learned by index stays valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.ingest.snapshot import Tables
from recipes.columns import Columns, Kind, take_rows
from recipes.data import Ids, Interactions, TrainingData
from recipes.impressions import SeenLists
from recipes.numerics.grouping import taken


def grown(tables: Tables, old: TrainingData, kinds: Mapping[str, Mapping[str, Kind]]) -> TrainingData:
    """The data of `tables` with all ids and event types of `old` first, in their order, whether they still occur or not."""
    items = _with_ids(tables.items, "ITEM_ID", old.item_ids)
    users = _with_ids(tables.users, "USER_ID", old.user_ids)
    data = TrainingData.from_tables(tables.interactions, items, users, _known(kinds, tables), tables.seen)
    data = replace(data, interactions=data.interactions.with_event_types_first(old.interactions.event_types))
    return reordered(data, _order(data.user_ids, old.user_ids), _order(data.item_ids, old.item_ids))


def reordered(data: TrainingData, users: NDArray[np.int64], items: NDArray[np.int64]) -> TrainingData:
    """The same data with other indexes: position p of `users` and `items` says which index becomes p."""
    new_user, new_item = np.argsort(users), np.argsort(items)
    events = data.interactions
    owner, item = taken(new_user, events.user_index, np.int32), taken(new_item, events.item_index, np.int32)
    order = np.argsort(owner, kind="stable")  # within a user, time stays in order
    lists, seen = events.impressions, data.seen
    if seen is not None:
        seen = SeenLists(new_user[seen.user_index], seen.timestamp, seen.impressions.reordered(new_item))
    sorted_events = Interactions(
        owner[order], item[order], events.timestamp[order], events.event_type[order],
        events.event_types, events.event_value[order], None if lists is None else lists.take(order).reordered(new_item),
        {name: take_rows(column, order) for name, column in events.columns.items()},
    )  # fmt: skip
    return TrainingData(
        Ids(data.user_ids.array.take(pa.array(users))), Ids(data.item_ids.array.take(pa.array(items))), sorted_events,
        _rows(data.items, items), _rows(data.users, users), seen,
    )  # fmt: skip


def _rows(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    return {name: take_rows(column, rows) for name, column in columns.items()}


def _order(new: Ids, old: Ids) -> NDArray[np.int64]:
    """Which index of `new` comes at each place: those of `old` first, then what is fresh."""
    first = new.indexes(old.array.to_pylist())
    fresh = np.ones(len(new), bool)
    fresh[first] = False
    return np.concatenate([first, np.flatnonzero(fresh)])


def _with_ids(table: pa.Table | None, key: str, ids: Ids) -> pa.Table:
    """The table with a row for every id, empty where it had none."""
    known = pc.cast(ids.array, pa.string())
    if table is None:
        return pa.table({key: known})
    missing = known.filter(pc.invert(pc.is_in(known, pc.cast(table[key], pa.string()).combine_chunks())))
    columns = {
        field.name: missing.cast(field.type) if field.name == key else pa.nulls(len(missing), field.type)
        for field in table.schema
    }
    return pa.concat_tables([pa.table(columns, schema=table.schema), table])


def _known(kinds: Mapping[str, Mapping[str, Kind]], tables: Tables) -> Mapping[str, Mapping[str, Kind]]:
    """Without the kinds of datasets that were not there: their tables hold ids only."""
    absent = {"ITEMS"} if tables.items is None else set()
    absent |= {"USERS"} if tables.users is None else set()
    return {kind: columns for kind, columns in kinds.items() if kind not in absent}
