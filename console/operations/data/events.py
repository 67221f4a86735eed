"""What clients stream: events, action interactions, and single items, users and actions.

Events with an id that is known already change nothing. An anonymous session's events become the user's as soon as the
session says who it is. Properties are read leniently: a JSON string (or, as some SDKs send it, a string encoded twice),
keys in camelCase or as the schema has them, numbers also as strings.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db.models import F

from console import notices, telemetry
from console.errors import InvalidInputException
from console.ingest import schema as schemas
from console.ingest.schema import DatasetSchema, plain
from console.json_values import json_kind
from console.models import Account, Dataset, DatasetGroup, Event, EventTracker, Record
from console.models.base import JSONDict
from console.operations.base import operation
from console.operations.data.event_rows import identify, insert_new, new_event
from console.operations.data.group_commit import WRITER
from console.operations.data.values import column_value, event_seconds
from console.operations.data.visitors import Visitor, visitor_of
from console.serving import impressions
from console.serving.attribution import attribute
from console.serving.caches import REQUEST_CACHE
from recipes.json_text import read_json
from recipes.tables.cells import NO_IDS
from recipes.tables.field import Field

FORBIDDEN = {"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"}
MOST_SHOWN, LONGEST_SHOWN = 10, 50
ACTION_EVENT_TYPES = {"viewed": "Viewed", "taken": "Taken", "nottaken": "Not Taken"}
IDENTIFY = "identify"
EVENT_VALUE, TEXT = Field("EVENT_VALUE", "double", nullable=True), Field("", "string")
KEYS = {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}
EVENT_COLUMNS = {"USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID"}


@operation
def put_events(
    account: Account,
    *,
    tracking_id: str,
    session_id: str,
    event_list: Sequence[JSONDict],
    user_id: str | None = None,
) -> None:
    """Take up to ten item interactions of one session."""
    group, schema = REQUEST_CACHE.get(("tracker", account.pk, tracking_id), partial(_tracked, account, tracking_id))
    user_id = user_id or next(filter(None, map(_identified, event_list)), None)
    event_list = [event for event in event_list if not _identified(event)]
    who = visitor_of(session_id, user_id)
    rows = [
        _event(group, schema, who if who.has_session else visitor_of(session_id, user_id), event, f"eventList[{place}]")
        for place, event in enumerate(event_list)
    ]
    impressions.join(group.pk, rows)  # here, not in the writer, which waits for nothing but the disk

    is_attributed = getattr(group, "metric_attribution", None) is not None

    def write() -> None:
        new = insert_new(group, rows, event_list, tells=is_attributed)
        identify(group, {who})
        attribute(group, new)

    WRITER.run(write)
    _acknowledged("PutEvents", len(rows))


@operation
def put_action_interactions(account: Account, *, tracking_id: str, action_interactions: Sequence[JSONDict]) -> None:
    """Take up to ten interactions with actions; the tracking id is that of the Action_Interactions dataset."""
    datasets = Dataset.objects.for_account(account).select_related("dataset_group")
    dataset = datasets.filter(tracking_id=tracking_id, type="ACTION_INTERACTIONS").first()
    if dataset is None:
        raise InvalidInputException(
            f"No Action_Interactions dataset has the tracking id {tracking_id}; DescribeDataset tells it.",
            field="trackingId",
        )
    group = dataset.dataset_group
    rows = [_action_event(group, entry, place) for place, entry in enumerate(action_interactions)]
    visitors = {visitor_of(entry["sessionId"], entry.get("userId")) for entry in action_interactions}
    impressions.join(group.pk, rows)

    def write() -> None:
        insert_new(group, rows, action_interactions, tells=False)
        identify(group, visitors)

    WRITER.run(write)
    _acknowledged("PutActionInteractions", len(rows))


@operation
def put_items(account: Account, *, dataset_arn: str, items: Sequence[JSONDict]) -> None:
    """Add items, or replace them whole."""
    _put_records(account, dataset_arn, "ITEMS", [(item["itemId"], item.get("properties")) for item in items])


@operation
def put_users(account: Account, *, dataset_arn: str, users: Sequence[JSONDict]) -> None:
    """Add users, or replace them whole."""
    _put_records(account, dataset_arn, "USERS", [(user["userId"], user.get("properties")) for user in users])


@operation
def put_actions(account: Account, *, dataset_arn: str, actions: Sequence[JSONDict]) -> None:
    """Add actions, or replace them whole."""
    _put_records(account, dataset_arn, "ACTIONS", [(entry["actionId"], entry.get("properties")) for entry in actions])


def _acknowledged(operation: str, count: int) -> None:
    telemetry.EVENTS.labels(operation).inc(count)


class Tracked(NamedTuple):
    """Where a tracking id's events go: the group, and its interactions' schema, None where any property is kept."""

    group: DatasetGroup
    schema: DatasetSchema | None


def _tracked(account: Account, tracking_id: str) -> Tracked:
    trackers = EventTracker.objects.for_account(account).select_related("dataset_group__metric_attribution")
    tracker = trackers.filter(tracking_id=tracking_id).first()
    if tracker is None:
        raise InvalidInputException(
            f"No event tracker has the tracking id {tracking_id}; CreateEventTracker returns one.", field="trackingId"
        )
    group: DatasetGroup = tracker.dataset_group
    dataset = group.datasets.select_related("schema").filter(type="INTERACTIONS").first()
    return Tracked(group, schemas.parse(dataset.schema.text, group.domain) if dataset else None)


def _identified(event: JSONDict) -> str:
    """The user whom Amplify's event Identify names, which is about no item; "" for any other event."""
    if event["eventType"].strip().lower() != IDENTIFY or event.get("itemId"):
        return ""
    properties = _properties(event.get("properties"), "eventList.properties")
    if list(properties) != ["userId"] or not properties["userId"]:
        return ""
    return _identifier(properties["userId"], "eventList.properties.userId")


def _event(group: DatasetGroup, schema: DatasetSchema | None, who: Visitor, event: JSONDict, path: str) -> Event:
    properties = _properties(event.get("properties"), f"{path}.properties")
    if refused := [key for key in properties if key.lower() in FORBIDDEN]:
        raise InvalidInputException(
            f"The key {refused[0]} is not allowed in {path}.properties; it has a member of its own.", field="eventList"
        )
    item_id = event.get("itemId") or _taken(properties, "itemId", "ITEM_ID")
    if item_id is None:
        raise InvalidInputException(f"{path}.itemId is missing; give it here or in the properties.", field="eventList")
    value = event.get("eventValue", _taken(properties, "eventValue", "EVENT_VALUE"))
    return new_event(
        group,
        event_id=event.get("eventId") or uuid.uuid4().hex,
        item_id=_entity(_identifier(item_id, f"{path}.itemId"), f"{path}.itemId"),
        event_type=event["eventType"].strip(),
        event_value=None if value is None else column_value(EVENT_VALUE, value, f"{path}.eventValue"),
        timestamp=event_seconds(event["sentAt"], f"{path}.sentAt"),
        recommendation_id=event.get("recommendationId"),
        impression=[item.strip() for item in event.get("impression", [])],
        attribution_source=event.get("metricAttribution", {}).get("eventAttributionSource"),
        properties=_columns(schema, properties, f"{path}.properties", apart_from=EVENT_COLUMNS),
        **_ids(who),
    )


def _action_event(group: DatasetGroup, entry: JSONDict, place: int) -> Event:
    word = re.sub(r"[\s_-]", "", entry["eventType"]).lower()
    if word not in ACTION_EVENT_TYPES:
        raise InvalidInputException(
            f"actionInteractions[{place}].eventType is {entry['eventType']}, allowed is one of "
            f"{', '.join(ACTION_EVENT_TYPES.values())}.",
            field="actionInteractions",
        )
    path = f"actionInteractions[{place}].properties"
    action_id = _entity(entry["actionId"], f"actionInteractions[{place}].actionId")
    return new_event(
        group,
        event_id=entry.get("eventId") or uuid.uuid4().hex,
        **_ids(visitor_of(entry["sessionId"], entry.get("userId"))),
        is_action=True,
        item_id=action_id,
        event_type=ACTION_EVENT_TYPES[word],
        timestamp=event_seconds(entry["timestamp"], f"actionInteractions[{place}].timestamp"),
        recommendation_id=entry.get("recommendationId"),
        impression=[action.strip() for action in entry.get("impression", [])],
        properties=_columns(None, _properties(entry.get("properties"), path), path),
    )


def _ids(who: Visitor) -> JSONDict:
    return {"user_id": who.user_id, "session_id": who.session_id, "is_anonymous": who.is_anonymous}


def _put_records(account: Account, arn: str, kind: str, entries: Iterable[tuple[str, object]]) -> None:
    rows = Dataset.objects.select_related("schema", "dataset_group")
    dataset: Dataset = rows.by_arn(account, arn, field="datasetArn")
    if dataset.type != kind:
        raise InvalidInputException(f"Dataset {arn} is of type {dataset.type}, expected {kind}.", field="datasetArn")
    schema = schemas.parse(dataset.schema.text, dataset.dataset_group.domain)
    records = {}
    for place, (entity_id, properties) in enumerate(entries):
        path = f"{kind.lower()}[{place}].properties"
        entity_id = _entity(entity_id, f"{kind.lower()}[{place}].{kind.lower()[:-1]}Id")
        values = _columns(schema, _properties(properties, path), path, apart_from={KEYS[kind]})
        _check_complete(schema, values, path)
        records[entity_id] = Record(dataset=dataset, entity_id=entity_id, values=values)
    WRITER.run(partial(_replace, dataset, list(records.values())))


def _replace(dataset: Dataset, records: list[Record]) -> None:
    Record.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["dataset", "entity_id"], update_fields=["values", "updated"]
    )
    Dataset.objects.filter(pk=dataset.pk).update(revision=F("revision") + 1)


def _check_complete(schema: DatasetSchema, values: JSONDict, path: str) -> None:
    missing = [
        field.name
        for field in schema.fields
        if field.name != schema.key and not field.nullable and values.get(field.name) is None
    ]
    if missing:
        raise InvalidInputException(
            f"{path} lacks {', '.join(missing)}, which the schema says cannot be null.", field="properties"
        )


def _properties(given: object, path: str) -> JSONDict:
    """The properties as an object: from a JSON string, from one encoded twice, or as they are."""
    value = given if given is not None else {}
    for _ in range(2):
        if isinstance(value, str):
            try:
                value = read_json(value, parse_constant=_refuse)
            except ValueError:
                raise InvalidInputException(f"{path} is not JSON: {str(given)[:100]}", field="properties") from None
    if not isinstance(value, dict):
        raise InvalidInputException(
            f"{path} is a JSON {json_kind(value)}, allowed is a JSON object as text.", field="properties"
        )
    return dict(value)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON value")


def _columns(
    schema: DatasetSchema | None,
    properties: JSONDict,
    path: str,
    *,
    apart_from: set[str] | frozenset[str] = frozenset(),
) -> JSONDict:
    """Properties under their columns' names with their columns' types; what the schema does not have is left out."""
    if schema is None:
        return {
            _snake(key): column_value(None, value, f"{path}.{key}")
            for key, value in properties.items()
            if value is not None
        }
    known = schema.by_plain_name
    if unknown := [key for key in properties if plain(key) not in known]:
        named = ", ".join(key[:LONGEST_SHOWN] for key in unknown[:MOST_SHOWN])
        notices.note([f"The schema lacks these columns of the properties, which are not kept: {named}."])
    found = {}
    for key, value in properties.items():
        field = known.get(plain(key))
        if field is not None and value is not None and field.name not in apart_from:
            found[field.name] = column_value(field, value, f"{path}.{key}")
    return found


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).upper()


def _taken(properties: JSONDict, *names: str) -> Any:
    """Remove the first of these keys from the properties and return its value."""
    wanted = {plain(name) for name in names}
    for key in list(properties):
        if plain(key) in wanted:
            return properties.pop(key)
    return None


def _entity(text: str, path: str) -> str:
    """The id of an item, a user or an action as files have it: without blanks around it, and no word for a missing one."""
    found = text.strip()
    if not found or found in NO_IDS:
        raise InvalidInputException(f"{path} is '{text}', which stands for no id.", field=path.partition("[")[0])
    return found


def _identifier(value: object, path: str) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # to JSON 7.0 is 7
    text = column_value(TEXT, value, path)
    if not 1 <= len(text) <= 256:
        raise InvalidInputException(f"{path} has {len(text)} characters, allowed are 1 to 256.", field="eventList")
    return str(text)
