"""Which release made a database: an older one must not write to what a newer one has changed."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable

from console import migrations
from console.management.backing_up import applied_migrations


def unknown_migrations(names: Iterable[str] | None = None) -> list[str]:
    """The console's migrations of these names, else of those the database has, that only a newer release brings."""
    known = {module.name for module in pkgutil.iter_modules(migrations.__path__)}
    return sorted(set(applied_migrations() if names is None else names) - known)
