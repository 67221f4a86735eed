"""Streamed events in the database, as SQL: through the ORM a row takes longer to write than to receive."""

# ruff: noqa: S608  only names of our own, of a table and its columns, are put into the texts
from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models.base import ModelState
from django.utils import timezone

from console.models import DatasetGroup, Event
from console.models.base import JSONDict
from console.operations.data.visitors import Visitor

TABLE = Event._meta.db_table
FIELDS = [field for field in Event._meta.concrete_fields if not field.primary_key]
INSERT = "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING".format(
    TABLE, ", ".join(f'"{field.column}"' for field in FIELDS), ", ".join(["%s"] * len(FIELDS))
)
NAMES = [field.attname for field in FIELDS]
CREATED, LISTS = NAMES.index("created"), [NAMES.index(name) for name in ("impression", "properties")]
VALUES = itemgetter(*NAMES)
DEFAULTS = {field.attname: field.get_default() for field in FIELDS} | {"id": None}
KNOWN = f"SELECT event_id FROM {TABLE} WHERE dataset_group_id = %s AND event_id IN ({{}})"
IN_SESSION = f"FROM {TABLE} WHERE dataset_group_id = %s AND session_id = %s AND is_anonymous = %s"
ANONYMOUS = f"SELECT 1 {IN_SESSION} LIMIT 1"
SIGNED_IN = "SELECT ({0} LIMIT 1), ({0} DESC LIMIT 1)".format(
    f"SELECT user_id {IN_SESSION} ORDER BY user_id"
)  # first and last


def new_event(group: DatasetGroup, **values: Any) -> Event:
    """An event that is not stored yet, without the work of a model's constructor, which takes longer than its SQL."""
    event = Event.__new__(Event)
    event._state = ModelState()
    event.__dict__.update(DEFAULTS, dataset_group_id=group.pk, **values)
    return event


def insert_new(group: DatasetGroup, rows: Sequence[Event], entries: Sequence[JSONDict], *, tells: bool) -> list[Event]:
    """Insert what is new by its event id. Which those are is looked up, and returned, only if the caller asks for it."""
    unique = {row.event_id: row for row in reversed(rows)}
    given = [entry["eventId"] for entry in entries if "eventId" in entry] if tells else []
    if given:
        with connection.cursor() as cursor:
            cursor.execute(KNOWN.format(", ".join(["%s"] * len(given))), [group.pk, *given])
            for (event_id,) in cursor.fetchall():
                unique.pop(event_id, None)
    new = list(reversed(unique.values()))
    _insert(new)
    return new if tells else []


def _insert(rows: Iterable[Event]) -> None:
    created = connection.ops.adapt_datetimefield_value(timezone.now())
    values = [_values(row, created) for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, values)


def _values(row: Event, created: Any) -> list[Any]:
    """The row's columns; `created` is now."""
    values = list(VALUES(row.__dict__))
    values[CREATED] = created
    for place in LISTS:
        values[place] = json.dumps(values[place])
    return values


def identify(group: DatasetGroup, visitors: Iterable[Visitor]) -> None:
    """Make the anonymous events of sessions that now say who they are those users'."""
    for who in visitors:
        if who.has_session and not who.is_anonymous:
            _sign_in(group, who.session_id, who.user_id)


def _sign_in(group: DatasetGroup, session_id: str, user_id: str) -> None:
    """Make a session's anonymous events the user's.

    They are inserted anew: a model trained meanwhile has left them out, and finds them among the events after its newest.
    A session in which others are signed in, too, is no one visitor's: a page sends one word for all, or people share a device.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANONYMOUS, (group.pk, session_id, True))
        if cursor.fetchone() is None:
            return
        cursor.execute(SIGNED_IN, (group.pk, session_id, False, group.pk, session_id, False))
        if set(cursor.fetchone()) - {None, user_id}:
            return
    rows = list(Event.objects.filter(dataset_group=group, session_id=session_id, is_anonymous=True).order_by("pk"))
    Event.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        row.user_id, row.is_anonymous = user_id, False
    _insert(rows)
