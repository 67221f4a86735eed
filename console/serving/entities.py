"""What is known of items, by id: the records put last, else the bulk rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import pyarrow.parquet as pq

from console.errors import JobError
from console.ingest import parts
from console.models import DatasetGroup, Record

KEPT_COLUMNS = 8


def item_number(group: DatasetGroup, item_id: str, column: str) -> float | None:
    """The value of a numeric column of Items for one item; None if it is not known."""
    dataset = group.datasets.filter(type="ITEMS").first()
    if dataset is None:
        return None
    record = Record.objects.filter(dataset=dataset, entity_id=item_id).first()
    if record is not None:
        return _number(record.values.get(column))
    return _bulk_numbers(tuple(dataset.parts), column).get(item_id)


def item_numbers(group: DatasetGroup, column: str) -> Mapping[str, float]:
    """The values of a numeric column of Items, by item."""
    dataset = group.datasets.filter(type="ITEMS").first()
    if dataset is None:
        return {}
    found = dict(_bulk_numbers(tuple(dataset.parts), column))
    for entity, values in dataset.records.values_list("entity_id", "values"):
        found.pop(entity, None)
        number = _number(values.get(column))
        if number is not None:
            found[entity] = number
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


@lru_cache(maxsize=KEPT_COLUMNS)
def _bulk_numbers(keys: tuple[str, ...], column: str) -> dict[str, float]:
    """A column of the bulk rows by item; kept, as parts never change under their keys."""
    found: dict[str, float] = {}
    for key in keys:
        try:
            table = pq.read_table(parts.local_path(key), columns=["ITEM_ID", column])
        except (JobError, FileNotFoundError):  # an import has replaced the parts meanwhile
            continue
        known = table.filter(table[column].is_valid())
        found.update(zip(known["ITEM_ID"].to_pylist(), map(float, known[column].to_pylist()), strict=True))
    return found
