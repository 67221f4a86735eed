"""Items and actions put one by one after a training: their new metadata reach filters and responses within a second."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from console import transient
from console.models import Dataset, Record
from console.serving.loader import LoadedModel
from recipes.columns import Categorical, Column, Columns, Kind, Numeric, Text
from recipes.filters import CompiledFilters, Target

FRESH_S = 0.5
STAMP = f"""
    SELECT COUNT(*), MAX(r.updated) FROM {Record._meta.db_table} r JOIN {Dataset._meta.db_table} d ON d.id = r.dataset_id
    WHERE d.dataset_group_id = %s AND d.type = %s
"""  # noqa: S608  names of our own tables


@dataclass(frozen=True)
class Catalog:
    """The items' metadata as they are now, and filters over them."""

    columns: Columns
    filters: CompiledFilters
    stamp: tuple[int, Any]
    checked: float


_current: weakref.WeakKeyDictionary[Any, Catalog] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def catalog_of(loaded: LoadedModel, group_id: int) -> Catalog:
    """The catalogue of a loaded model with the records that were put since; asks the database twice a second at most.

    While the database does not answer, it is what it was, or as at training.
    """
    known = _current.get(loaded.model)
    now = time.monotonic()
    if known is not None and now - known.checked < FRESH_S:
        return known
    try:
        return _refreshed(loaded, group_id, now)
    except Exception as error:
        if not transient.passed_over("Reading what was put for items", error):
            raise
        return known or _built(loaded, [], (-1, None), now)


def _refreshed(loaded: LoadedModel, group_id: int, now: float) -> Catalog:
    """The catalogue with what the database holds now."""
    kind = "ACTIONS" if loaded.target is Target.ACTION else "ITEMS"
    stamp = _stamp(group_id, kind)
    with _lock:
        known = _current.get(loaded.model)
        if known is not None and known.stamp == stamp:
            fresh = replace(known, checked=now)
        else:
            rows = Record.objects.filter(dataset__dataset_group_id=group_id, dataset__type=kind)
            fresh = _built(loaded, list(rows.values_list("entity_id", "values")), stamp, now)
        _current[loaded.model] = fresh
    return fresh


def _stamp(group_id: int, kind: str) -> tuple[int, Any]:
    """How many records there are and when the newest was put; SQL, as `console.serving.queries`."""
    with connection.cursor() as cursor:
        cursor.execute(STAMP, (group_id, kind))
        count, newest = cursor.fetchone()
    return count, newest


def _built(
    loaded: LoadedModel, records: list[tuple[str, Mapping[str, Any]]], stamp: tuple[int, Any], now: float
) -> Catalog:
    places = loaded.data.item_ids.indexes(entity for entity, _ in records)
    known = [(int(place), values) for place, (_, values) in zip(places, records, strict=True) if place >= 0]
    if not known:
        return Catalog(loaded.data.items, loaded.filters, stamp, now)
    rows = [place for place, _ in known]
    columns = {
        name: replace_rows(column, rows, [values.get(name) for _, values in known])
        for name, column in loaded.data.items.items()
    }
    filters = CompiledFilters(replace(loaded.filters.catalogue, columns=columns))
    return Catalog(columns, filters, stamp, now)


def replace_rows(column: Column, rows: Sequence[int], values: Sequence[Any]) -> Column:
    """A column with other values in the given rows; None where nothing is known."""
    changed = dict(sorted(zip(rows, values, strict=True), key=itemgetter(0)))
    match column:
        case Numeric():
            numbers = np.array(column.values)
            numbers[list(changed)] = [float("nan") if value is None else float(value) for value in changed.values()]
            return replace(column, values=numbers)
        case Text():
            is_changed = np.zeros(len(column.values), bool)
            is_changed[list(changed)] = True
            texts = ["" if value is None else str(value) for value in changed.values()]
            mask, others = pa.array(is_changed), pa.array(texts, column.values.type)
            return replace(column, values=pc.replace_with_mask(column.values, mask, others))
        case Categorical():
            return _replace_categories(column, changed)


def _replace_categories(column: Categorical, changed: Mapping[int, Any]) -> Categorical:
    words = {row: _words(value, column.kind) for row, value in changed.items()}
    wanted = dict.fromkeys(word for found in words.values() for word in found)
    codes = {name: code for code, name in enumerate(column.categories) if name in wanted}
    added = [word for word in wanted if word not in codes]
    codes |= {word: code for code, word in enumerate(added, len(column.categories))}
    fresh = {row: [codes[word] for word in found] for row, found in words.items()}
    sizes = np.diff(column.offsets)
    kept = np.ones(len(sizes), bool)
    kept[list(fresh)] = False
    new_sizes = sizes.copy()
    for row, found in fresh.items():
        new_sizes[row] = len(found)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(new_sizes)])
    joined = np.empty(int(offsets[-1]), np.int32)
    joined[np.repeat(kept, new_sizes)] = column.codes[np.repeat(kept, sizes)]
    for row, found in fresh.items():
        joined[offsets[row] : offsets[row + 1]] = found
    return replace(column, offsets=offsets, codes=joined, categories=(*column.categories, *added))


def _words(value: Any, kind: Kind) -> list[str]:
    if value is None or value == "":
        return []
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return [word for word in text.split("|") if word] if kind is Kind.CATEGORICAL else [text]
