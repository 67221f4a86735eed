"""A group's data as one set of tables: bulk parts, then what was streamed; an item or user put one by one replaces its row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import QuerySet

from console.errors import DamagedPartError, JobError
from console.ingest import parts
from console.ingest import schema as avro
from console.ingest.schema import DatasetSchema
from console.models import Dataset, DatasetGroup, Event, Record
from recipes.columns import Kind
from recipes.encoding import TextEncoder
from recipes.memory import give_back_memory
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


ENCODED = ("USER_ID", "ITEM_ID", "ACTION_ID", "EVENT_TYPE")  # of events that are learned from: four bytes a row


@dataclass
class Tables:
    """A group's rows; `kinds` says by dataset type how each metadata column is read.

    `interactions` has USER_ID, ITEM_ID and TIMESTAMP even when there are no rows; the others are None where the group has
    no such dataset. `seen` are lists that users saw and that no event names. Ids and types of events are dictionaries.
    """

    interactions: pa.Table
    items: pa.Table | None
    users: pa.Table | None
    kinds: dict[str, dict[str, Kind]]
    actions: pa.Table | None = None
    action_interactions: pa.Table | None = None
    seen: pa.Table | None = None

    def take_interactions(self) -> pa.Table:
        """The interactions, no longer held here: what encodes them can free each column when it is done with it."""
        table, self.interactions = self.interactions, self.interactions.schema.empty_table()
        return table


def training_tables(group: DatasetGroup) -> Tables:
    """Read everything that models may learn from: what anonymous sessions did is left out until they say who they are.

    Raises:
        JobError: the parts were replaced several times while they were read.
    """
    kinds = {row.type: schema_of(row).kinds() for row in group.datasets.select_related("schema")}
    tables = {kind: dataset_table(group, kind, anonymous=False, encoded=ENCODED) for kind in kinds}
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
    group: DatasetGroup,
    kind: str,
    *,
    bulk: bool = True,
    streamed: bool = True,
    anonymous: bool = True,
    encoded: Collection[str] = (),
) -> pa.Table | None:
    """All rows of the group's dataset of a type, bulk and streamed or one of them; None if there is no such dataset.

    Streamed rows of `anonymous` sessions have the session's id in the place of the user's. Columns of events that are
    `encoded` are dictionaries, which are made while the rows are read.
    """
    dataset = group.datasets.select_related("schema").filter(type=kind).first()
    if dataset is None:
        return None
    schema = schema_of(dataset)
    own = schema.arrow()
    if not schema.key:
        own = _with_dictionaries(own, encoded)
    rows = _bulk(dataset, own) if bulk else own.empty_table()
    if not streamed:
        return rows
    if not schema.key:
        events = group.events.filter(is_action=kind == "ACTION_INTERACTIONS")
        columns = avro_columns(schema, kind)
        live = _streamed(events if anonymous else events.filter(is_anonymous=False), columns)
        if live.num_rows == 0:
            return rows
        columns = _with_dictionaries(columns, encoded)
        return pa.concat_tables([parts.fitted(rows, columns), parts.fitted(live, columns)])
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


def _with_dictionaries(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    word = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([field.with_type(word) if field.name in names else field for field in schema])


def _bulk(dataset: Dataset, schema: pa.Schema) -> pa.Table:
    """The bulk rows. An import may replace the parts meanwhile; then the new list is read."""
    for attempt in range(RETRIES):
        try:
            return _read(dataset.parts, schema)
        except DamagedPartError as error:
            raise JobError(
                f"The rows of the dataset {dataset.name} are damaged: {error.reason}. Import its data again."
            ) from error
        except (JobError, FileNotFoundError):
            if attempt == RETRIES - 1:
                raise
            dataset.refresh_from_db(fields=["parts"])
    raise AssertionError


def _read(keys: Sequence[str], schema: pa.Schema) -> pa.Table:
    """The rows of several parts; a column that is to be a dictionary becomes one for all parts, block by block."""
    encoders = {field.name: TextEncoder() for field in schema if pa.types.is_dictionary(field.type)}
    plain = pa.schema([field for field in schema if field.name not in encoders])
    blocks = [plain.empty_table()]
    for key in keys:
        for block in parts.batches(parts.local_path(key), schema):
            for name, encoder in encoders.items():
                encoder.add(block[name])
            blocks.append(block.select(plain.names))
    table = pa.concat_tables(blocks)
    columns = [encoders.pop(name).finish_dictionary() if name in encoders else table[name] for name in schema.names]
    give_back_memory()  # of the files' pages
    return pa.table(columns, schema=schema)


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
