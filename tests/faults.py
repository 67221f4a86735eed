"""Faults that tests inflict for real: a database that another process has locked, or whose server is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

import psycopg
from django.db import OperationalError, connection, transaction

from console.models import Account

LOCKED = (
    "console_account, console_event, console_datasetgroup, console_sampleload, console_accesskey"  # SQLite locks all
)


@contextmanager
def locked_database() -> Iterator[None]:
    """Another connection writes and does not commit until the block ends; needs a test with real transactions."""
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Account.objects.create(number="999999999999", name="locks")
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute(f"LOCK TABLE {LOCKED} IN SHARE ROW EXCLUSIVE MODE")
                holding.set()
                release.wait(60)
                transaction.set_rollback(True)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holding.wait(60)
        yield
    finally:
        release.set()
        thread.join()


@contextmanager
def lost_database() -> Iterator[None]:
    """The database's server is away for this thread until the block ends; what was read before is all there is."""
    with connection.execute_wrapper(_lost):
        yield


def _lost(*_query: object) -> Never:
    raise OperationalError("the connection is lost") from psycopg.OperationalError("the connection is lost")
