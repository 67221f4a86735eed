"""A copy of an SQLite database in memory, for what is tried out and taken back: whoever writes to such a file stops everybody else.

PostgreSQL needs none, as there only rows are locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from console.models import (
    AttributedSum,
    AuditEntry,
    Event,
    ExperimentUser,
    InterleavedList,
    Record,
    SeenList,
    SharedResult,
    SignIn,
)

# What grows with use. It is read where it is, and not written to.
LEFT: tuple[type[Model], ...] = (AttributedSum, Event, ExperimentUser, InterleavedList, Record, SeenList, SharedResult)
EMPTY: tuple[type[Model], ...] = (AuditEntry, Session, SignIn)  # written to, and not read


@contextmanager
def in_a_copy() -> Iterator[None]:
    """Have this thread's statements go to a copy of a database that writing would close to others."""
    live = connections[DEFAULT_DB_ALIAS]
    if live.vendor != "sqlite" or live.in_atomic_block or live.is_in_memory_db():  # type: ignore[attr-defined]
        yield
        return
    copy = connections.create_connection(DEFAULT_DB_ALIAS)
    copy.settings_dict = live.settings_dict | {"NAME": ":memory:"}
    copy.ensure_connection()
    try:
        with copy.wrap_database_errors:
            _fill(copy.connection, str(live.settings_dict["NAME"]))
        connections[DEFAULT_DB_ALIAS] = copy
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = live
        copy.connection.close()  # Django itself keeps what is in memory


def _fill(copy: Any, file: str) -> None:
    """Make the tables of a file's database, and copy the rows of most of them, in one read transaction."""
    copy.execute("ATTACH DATABASE ? AS live", (f"file:{quote(file)}?mode=ro",))
    copy.execute("PRAGMA foreign_keys=OFF")  # while tables are copied one after the other
    copy.execute("BEGIN")
    left, empty = ({model._meta.db_table for model in models} for models in (LEFT, EMPTY))
    made = copy.execute("SELECT type, name, tbl_name, sql FROM live.sqlite_master WHERE sql NOT NULL").fetchall()
    for kind, name, table, sql in sorted(made, key=lambda row: row[0] != "table"):
        if table in left or table.startswith("sqlite_"):
            continue
        copy.execute(sql)
        if kind == "table" and table not in empty:
            copy.execute(f'INSERT INTO main."{name}" SELECT * FROM live."{name}"')  # noqa: S608  names of our own
    copy.execute("COMMIT")
    copy.execute("PRAGMA foreign_keys=ON")
