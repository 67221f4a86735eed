"""Streamed events in the database, as SQL: through the ORM a row takes longer to write than to receive."""

# ruff: noqa: S608  only names of our own, of a table and its columns, are put into the texts
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from console.models import DatasetGroup, Event
from console.models.base import JSONDict
from console.operations.data.visitors import Visitor

TABLE = Event._meta.db_table
FIELDS = [field for field in Event._meta.concrete_fields if not field.primary_key]
INSERT = "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING".format(
    TABLE, ", ".join(f'"{field.column}"' for field in FIELDS), ", ".join(["%s"] * len(FIELDS))
)
ANONYMOUS = f"SELECT 1 FROM {TABLE} WHERE dataset_group_id = %s AND session_id = %s AND is_anonymous = %s LIMIT 1"


def insert_new(group: DatasetGroup, rows: Sequence[Event], told: Sequence[JSONDict]) -> list[Event]:
    """Insert what is new by its event id; returns that. Ids that were made up here need no look-up."""
    unique = {row.event_id: row for row in reversed(rows)}
    given = [entry["eventId"] for entry in told if "eventId" in entry]
    if given:
        known = Event.objects.filter(dataset_group=group, event_id__in=given).values_list("event_id", flat=True)
        for event_id in known:
            del unique[event_id]
    new = list(reversed(unique.values()))
    _insert(new)
    return new


def _insert(rows: Iterable[Event]) -> None:
    created = connection.ops.adapt_datetimefield_value(timezone.now())
    values = [[_value(field.attname, row.__dict__, created) for field in FIELDS] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, values)


def _value(name: str, values: Mapping[str, Any], created: Any) -> Any:
    if name == "created":
        return created
    value = values[name]
    return json.dumps(value) if isinstance(value, dict | list) else value


def identify(group: DatasetGroup, visitors: Iterable[Visitor]) -> None:
    """Make the anonymous events of sessions that now say who they are those users'."""
    for who in visitors:
        if who.has_session and not who.is_anonymous:
            _sign_in(group, who.session_id, who.user_id)


def _sign_in(group: DatasetGroup, session_id: str, user_id: str) -> None:
    """Make a session's anonymous events the user's.

    They are inserted anew: a model trained meanwhile has left them out, and finds them among the events after its newest.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANONYMOUS, [group.pk, session_id, True])
        if cursor.fetchone() is None:
            return
    rows = list(Event.objects.filter(dataset_group=group, session_id=session_id, is_anonymous=True).order_by("pk"))
    Event.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        row.user_id, row.is_anonymous = user_id, False
    _insert(rows)
