"""Faults that tests inflict for real: a database that another process has locked, a disk that is full."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

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
