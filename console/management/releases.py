"""Which release made a database: an older one must not write to what a newer one has changed."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable

from django.core.management.base import CommandError
from django.db import connection

from console import migrations
from console.management.backing_up import applied_migrations


def unknown_migrations(names: Iterable[str] | None = None) -> list[str]:
    """The console's migrations of these names, else of those the database has, that only a newer release brings."""
    known = {module.name for module in pkgutil.iter_modules(migrations.__path__)}
    return sorted(set(applied_migrations() if names is None else names) - known)


def require_own_release() -> None:
    """Hold back from a database that this release does not know.

    Raises:
        CommandError: a newer release has changed its tables.
    """
    if unknown := unknown_migrations():
        raise CommandError(
            f"The database {connection.settings_dict['NAME']} was made by a newer release (it has the migration "
            f"{unknown[-1]}). Install that release, or restore a backup of this one."
        )
