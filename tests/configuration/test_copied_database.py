"""Plans hold up nobody who writes to an SQLite file meanwhile, and say the same as where they are made in the file itself."""

from __future__ import annotations

import sqlite3

import pytest
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from console.configuration.copied_database import EMPTY, in_a_copy
from console.configuration.document import Document
from console.configuration.plan import make_plan
from console.configuration.rehearsal import taken_back
from console.management.people import account_named
from console.models import Account, AuditEntry
from console.serving.caches import REQUEST_CACHE
from tests.configuration.answers import SCHEMA

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks rows")


@pytest.fixture
def file(account, tmp_path):
    """The test's database in a file with a name that addresses need to escape."""
    path = tmp_path / "a?b#c %.sqlite3"
    before = connections[DEFAULT_DB_ALIAS]
    live = connections.create_connection(DEFAULT_DB_ALIAS)
    live.settings_dict = before.settings_dict | {"NAME": str(path)}
    live.ensure_connection()
    script = "\n".join(before.connection.iterdump())  # a backup would wait for the test's own transaction for ever
    live.connection.executescript(f"PRAGMA foreign_keys=OFF;{script};PRAGMA foreign_keys=ON")
    connections[DEFAULT_DB_ALIAS] = live
    yield path
    connections[DEFAULT_DB_ALIAS] = before
    live.close()
    REQUEST_CACHE.forget()


def write(path) -> None:
    """Write to the file, without waiting."""
    with sqlite3.connect(path, timeout=0, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE console_account SET name = name")
        other.execute("COMMIT")
    other.close()


def test_it_works(file, account):
    with taken_back():
        account_named("tried-out")
        assert Account.objects.filter(name__in=[account.name, "tried-out"]).count() == 2
        write(file)
        with taken_back():
            Account.objects.filter(name="tried-out").update(name="taken back")
            write(file)
        assert Account.objects.filter(name="tried-out").exists()
    assert not Account.objects.filter(name="tried-out").exists()
    assert connection.settings_dict["NAME"] == str(file)
    write(file)


def test_a_plan_is_the_same_and_holds_nobody_up(file, account):
    document = Document.checked(
        {
            "schemas": [{"name": "events", "schema": SCHEMA}],
            "datasetGroups": [{"name": "shop"}],
            "datasets": [
                {"name": "d", "schema": "events", "datasetGroup": "shop", "datasetType": "Interactions"},
            ],
            "filters": [{"name": "unseen", "datasetGroup": "shop", "filterExpression": "nonsense"}],
            "eventTrackers": [{"name": "site", "datasetGroup": "shop"}],
        }
    )
    before = connection.connection.total_changes
    plan = make_plan(account, document)
    assert connection.connection.total_changes == before
    assert [step.entry["name"] for step in plan.conflicts] == ["unseen"]
    with transaction.atomic():
        assert str(make_plan(account, document)) == str(plan)
        assert connection.connection.total_changes > before


def test_each_table_is_there(file, account):
    AuditEntry.objects.create(account=account, actor="a", door="console", operation="x", arn="y")
    with in_a_copy():
        for model in apps.get_models():
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT count(*) FROM live."{model._meta.db_table}"')  # noqa: S608
                (count,) = cursor.fetchone()
            assert model._default_manager.count() == (0 if model in EMPTY else count), model


def test_an_error_gives_the_database_back(file):
    with pytest.raises(ValueError, match="x"), in_a_copy():
        raise ValueError("x")
    assert connection.settings_dict["NAME"] == str(file)


def test_a_transaction_that_is_open_is_kept(file):
    with transaction.atomic(), in_a_copy():
        assert connection.settings_dict["NAME"] == str(file)
