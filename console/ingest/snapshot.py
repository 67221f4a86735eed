"""A group's data as one set of tables: bulk parts, then what was streamed; an item or user put one by one replaces its row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db.models import QuerySet

from console.errors import JobError
from console.ingest import parts
from console.ingest import schema as avro
from console.ingest.schema import DatasetSchema
from console.models import Dataset, DatasetGroup, Event, Record
from console.server_paths import reason_of
from recipes.columns import Kind
from recipes.tables.field import Field
from recipes.tables.values import value_of

BATCH = 50_000
TYPES = {pa.int64(): "long", pa.float64(): "double", pa.bool_(): "boolean"}
RETRIES = 3
EVENT_FIELDS: dict[str, tuple[pa.DataType, Callable[[Event], Any]]] = {
    "USER_ID": (pa.string(), lambda event: event.user_id),
    "ITEM_ID": (pa.string(), lambda event: event.item_id),
    "ACTION_ID": (pa.string(), lambda event: event.item_id),
    "TIMESTAMP": (pa.int64(), lambda event: event.timestamp),
    "EVENT_TYPE": (pa.string(), lambda event: event.event_type),
    "EVENT_VALUE": (pa.float64(), lambda event: event.event_value),
    "IMPRESSION": (pa.string(), lambda event: "|".join(event.impression) or None),
    "RECOMMENDATION_ID": (pa.string(), lambda event: event.recommendation_id),
    "EVENT_ATTRIBUTION_SOURCE": (pa.string(), lambda event: event.attribution_source),
}
STREAMED_TOO = ("EVENT_TYPE", "EVENT_VALUE", "IMPRESSION")  # live events have them whether the schema does or not


@dataclass(frozen=True)
class Tables:
    """A group's rows; `kinds` says by dataset type how each metadata column is read.

    `interactions` has USER_ID, ITEM_ID and TIMESTAMP even when there are no rows; the others are None where the group has
    no such dataset. `seen` are lists that users saw and that no event names.
    """

    interactions: pa.Table
    items: pa.Table | None
    users: pa.Table | None
    kinds: dict[str, dict[str, Kind]]
    actions: pa.Table | None = None
    action_interactions: pa.Table | None = None
    seen: pa.Table | None = None


def training_tables(group: DatasetGroup) -> Tables:
    """Read everything that models may learn from: what anonymous sessions did is left out until they say who they are.

    Raises:
        JobError: the parts were replaced several times while they were read.
    """
    kinds = {row.type: schema_of(row).kinds() for row in group.datasets.select_related("schema")}
    tables = {kind: dataset_table(group, kind, anonymous=False) for kind in kinds}
    interactions = tables.get("INTERACTIONS")
    if interactions is None:
        interactions = _streamed(
            group.events.filter(is_anonymous=False, is_action=False), avro_columns(None, "INTERACTIONS")
        )
    return Tables(
        interactions,
        tables.get("ITEMS"),
        tables.get("USERS"),
        kinds,
        tables.get("ACTIONS"),
        tables.get("ACTION_INTERACTIONS"),
    )


def dataset_table(
    group: DatasetGroup, kind: str, *, bulk: bool = True, streamed: bool = True, anonymous: bool = True
) -> pa.Table | None:
    """All rows of the group's dataset of a type, bulk and streamed or one of them; None if there is no such dataset.

    Streamed rows of `anonymous` sessions have the session's id in the place of the user's.
    """
    dataset = group.datasets.select_related("schema").filter(type=kind).first()
    if dataset is None:
        return None
    schema = schema_of(dataset)
    columns = avro_columns(schema, kind)
    rows = _bulk(dataset, schema.arrow()) if bulk else schema.arrow().empty_table()
    if not streamed:
        return rows
    if not schema.key:
        events = group.events.filter(is_action=kind == "ACTION_INTERACTIONS")
        live = _streamed(events if anonymous else events.filter(is_anonymous=False), columns)
        if live.num_rows == 0:
            return rows
        return pa.concat_tables([parts.fitted(rows, columns), live])
    return _with_records(rows, dataset, schema)


def schema_of(dataset: Dataset) -> DatasetSchema:
    """A dataset's schema, parsed."""
    return avro.parse(dataset.schema.text, dataset.schema.domain)


def avro_columns(schema: DatasetSchema | None, kind: str) -> pa.Schema:
    """The columns of streamed rows: the schema's, and for events their type, value and impression."""
    entity = "ACTION_ID" if kind == "ACTION_INTERACTIONS" else "ITEM_ID"
    fields = (
        list(schema.arrow()) if schema else [pa.field(n, EVENT_FIELDS[n][0]) for n in ("USER_ID", entity, "TIMESTAMP")]
    )
    if kind in {"INTERACTIONS", "ACTION_INTERACTIONS"}:
        known = {field.name for field in fields}
        fields += [pa.field(name, EVENT_FIELDS[name][0]) for name in STREAMED_TOO if name not in known]
    return pa.schema(fields)


def _bulk(dataset: Dataset, schema: pa.Schema) -> pa.Table:
    """The bulk rows. An import may replace the parts meanwhile; then the new list is read."""
    for attempt in range(RETRIES):
        try:
            return pa.concat_tables([schema.empty_table(), *(_part(key, schema) for key in dataset.parts)])
        except (JobError, FileNotFoundError):
            if attempt == RETRIES - 1:
                raise
            dataset.refresh_from_db(fields=["parts"])
        except (pa.ArrowInvalid, OSError) as error:
            raise JobError(
                f"The rows of the dataset {dataset.name} are damaged: {reason_of(error)}. Import its data again."
            ) from error
    raise AssertionError


def _part(key: str, schema: pa.Schema) -> pa.Table:
    with pq.ParquetFile(parts.local_path(key), page_checksum_verification=True) as file:
        known = [name for name in schema.names if name in file.schema_arrow.names]
        return parts.fitted(file.read(columns=known), schema)


def _streamed(events: QuerySet[Event], columns: pa.Schema) -> pa.Table:
    batches = (_event_table(batch, columns) for batch in _batches(events.order_by("pk")))
    return pa.concat_tables([columns.empty_table(), *batches])


def _event_table(events: list[Event], columns: pa.Schema) -> pa.Table:
    def values(name: str) -> list[Any]:
        if name in EVENT_FIELDS:
            return [EVENT_FIELDS[name][1](event) for event in events]
        return [event.properties.get(name) for event in events]

    return pa.table([_typed(values(field.name), field.type) for field in columns], schema=columns)


def _with_records(rows: pa.Table, dataset: Dataset, schema: DatasetSchema) -> pa.Table:
    fresh = [_record_table(batch, schema) for batch in _batches(dataset.records.order_by("pk"))]
    if not fresh:
        return rows
    put = pa.concat_tables(fresh)
    kept = rows.filter(pc.invert(pc.is_in(rows[schema.key], put[schema.key].combine_chunks())))
    return pa.concat_tables([kept, put])


def _record_table(records: list[Record], schema: DatasetSchema) -> pa.Table:
    columns = [
        [record.entity_id if field.name == schema.key else record.values.get(field.name) for record in records]
        for field in schema.fields
    ]
    arrow = schema.arrow()
    return pa.table([_typed(values, field.type) for values, field in zip(columns, arrow, strict=True)], schema=arrow)


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    """An array of `kind`; a value kept while the column had another type becomes null."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_fit(value, kind) for value in values], kind)


def _fit(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_string(kind):
        return str(value)
    try:
        return value_of(Field("", TYPES[kind], nullable=True), value)
    except ValueError:
        return None


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    batch = []
    for row in rows.iterator(chunk_size=BATCH):
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
