"""A consistent copy of the database while it is written to, and the keys of the store that its rows name."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, connections, transaction
from django.db.models import JSONField

from console.models import AttributionReport, Dataset, Recommender, SharedResult, SolutionVersion, Trash

PATIENCE_S = 30.0
SQLITE, POSTGRES = "database.sqlite3", "database.dump"  # members of a backup
KEYS: tuple[tuple[Any, str], ...] = (
    (SolutionVersion, "artefact"), (SolutionVersion, "evaluation"), (Recommender, "artefact"), (Recommender, "evaluation"),
    (SharedResult, "evaluation"), (AttributionReport, "draft"), (Dataset, "parts"), (Trash, "folders"),
)  # fmt: skip


def member() -> str:
    """What the copy of this kind of database is called in a backup."""
    return SQLITE if connection.vendor == "sqlite" else POSTGRES


def copy_database(target: Path) -> set[str]:
    """Copy the database as it is at one moment; writers go on meanwhile. Returns the keys of the store that rows name."""
    if connection.vendor == "sqlite":
        return _copy_sqlite(target)
    return _dump_postgres(target)


def put_database(source: Path) -> None:
    """Replace the database by a copy; what was there is gone afterwards."""
    if connection.vendor == "sqlite":
        connections.close_all()
        path = Path(connection.settings_dict["NAME"])
        path.parent.mkdir(parents=True, exist_ok=True)
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        shutil.move(source, path)
        path.chmod(0o600)
        return
    _run("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", str(source))


def named_keys() -> set[str]:
    """The keys of the store that rows name now: folders without a slash at their end, and files."""
    with connection.cursor() as cursor:
        return _named_keys(cursor)


def _named_keys(cursor: Any) -> set[str]:
    """The keys in the database of a cursor, which need not be Django's."""
    found: set[str] = set()
    for model, column in KEYS:
        cursor.execute(f'SELECT "{column}" FROM "{model._meta.db_table}"')  # noqa: S608  names of our own
        values = [value for (value,) in cursor.fetchall()]
        if isinstance(model._meta.get_field(column), JSONField):
            lists = [json.loads(value) if isinstance(value, str) else value for value in values]
            values = [key for keys in lists for key in keys]
        found.update(values)
    return found - {""}


def _copy_sqlite(target: Path) -> set[str]:
    connection.ensure_connection()
    with connection.wrap_database_errors, sqlite3.connect(target) as copy:
        # One read transaction: what commits meanwhile is not in it. Writers do not block readers of a WAL; whatever else does is
        # waited for only so long, as `backup` itself would try for ever.
        connection.connection.backup(copy, progress=_Patience(), sleep=0.1)
        copy.execute("PRAGMA journal_mode=DELETE")
        (result,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        keys = _named_keys(copy.cursor())
    copy.close()
    if result != "ok":
        raise CommandError(f"The database is damaged: {result}. `manage.py doctor` says more.")
    return keys


class _Patience:
    """Gives up a copy that does not begin."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, status: int, remaining: int, total: int) -> None:  # noqa: ARG002  sqlite3's signature
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() - self._began > PATIENCE_S:
            raise CommandError("The database is locked by another program; try again when it has ended.")


def _dump_postgres(target: Path) -> set[str]:
    """Dump what one transaction sees, and read the keys in it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        _run("pg_dump", "--format=custom", "--no-owner", f"--snapshot={snapshot}", "--file", str(target))
        return _named_keys(cursor)


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL's on our database; its password is passed by the environment.

    Raises:
        CommandError: it is missing or failed.
    """
    if shutil.which(program) is None:
        raise CommandError(f"{program} is not installed; it comes with PostgreSQL's client programs.")
    given = connection.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
    variables = {variable: str(given[name]) for name, variable in names.items() if given[name]}
    for option in import_module("psycopg.pq").Conninfo.get_defaults():  # sslmode is PGSSLMODE, and so on
        if option.envvar and (value := given["OPTIONS"].get(option.keyword.decode())):
            variables[option.envvar.decode()] = str(value)
    command = [program, *arguments, *([f"--dbname={given['NAME']}"] if program == "pg_restore" else [])]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)  # noqa: S603  ours
    if done.returncode:
        raise CommandError(f"{program} failed: {done.stderr.strip()[-500:]}")
