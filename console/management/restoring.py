"""Putting a backup back: all of it is unpacked and held to its checksums before anything of the server is touched."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from console import storage
from console.management import archive, database_copies
from console.management.releases import unknown_migrations
from console.models import Account
from console.scratch import scratch_folder

FOLDERS = ("store", "buckets")


def restore(file: IO[bytes], *, replace: bool) -> tuple[dict[str, Any], Path | None]:
    """Put a backup into DATA_DIR, the database and the store; gives its manifest and where the files before it went.

    Raises:
        ArchiveError: the backup is damaged.
        CommandError: a server runs, something is there already, or the backup does not fit this server.
    """
    with _no_server(), scratch_folder() as scratch:
        is_used = _has_rows()
        if is_used and not replace:
            raise CommandError(
                f"The database {connection.settings_dict['NAME']} holds accounts already. Restore into an empty DATA_DIR, "
                "or add --replace; the files that are there are then kept beside."
            )
        folder = Path(scratch) / "backup"
        folder.mkdir()
        manifest = archive.read(file, folder)
        _check_fits(manifest)
        os.sync()
        kept = _put_aside(folder) if is_used else None
        _put_files(folder)
        database_copies.put_database(folder / database_copies.member())
        os.sync()
        return manifest, kept


@contextmanager
def _no_server() -> Iterator[None]:
    """Hold the lock of `serve` meanwhile.

    Raises:
        CommandError: a server holds it.
    """
    lock = settings.DATA_DIR / "run" / "serve.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"A server runs on {settings.DATA_DIR}; stop it first.") from None
        yield


def _has_rows() -> bool:
    return Account._meta.db_table in connection.introspection.table_names() and Account.objects.exists()


def _check_fits(manifest: dict[str, Any]) -> None:
    if manifest["database"] != connection.vendor:
        raise CommandError(
            f"The backup holds a {manifest['database']} database, this server uses {connection.vendor}; set DATABASE_URL "
            "as it was."
        )
    if newer := unknown_migrations(manifest["migrations"]):
        raise CommandError(
            f"The backup is of a newer release (it has the migration {newer[-1]}); install that one first."
        )


def _put_aside(folder: Path) -> Path:
    """Move what is there into a folder beside, a database file too; secrets only where the backup in `folder` has some."""
    kept: Path = settings.DATA_DIR / f"before-restore-{timezone.now():%Y%m%d-%H%M%S}"
    kept.mkdir()
    for name in (*FOLDERS, *(("secrets",) if (folder / "secrets").is_dir() else ()), "cache", "valkey"):
        if (settings.DATA_DIR / name).exists():
            (settings.DATA_DIR / name).rename(kept / name)
    if connection.vendor == "sqlite":
        connection.close()  # the last connection writes what stands in the log into the file
        path = Path(connection.settings_dict["NAME"])
        for end in ("", "-wal", "-shm"):
            if (found := path.with_name(path.name + end)).exists():
                shutil.move(found, kept / found.name)
    return kept


def _put_files(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name in {database_copies.SQLITE, database_copies.POSTGRES}:
            continue
        if path.name == "store" and storage.is_real_s3(storage.store("")):
            for file in sorted(found for found in path.rglob("*") if found.is_file()):
                storage.put_file(file, storage.store(file.relative_to(path).as_posix()))
        elif path.is_dir():
            _merge(path, settings.DATA_DIR / path.name)
        else:
            path.replace(settings.DATA_DIR / path.name)


def _merge(source: Path, target: Path) -> None:
    """Move a folder's files to where they belong; secrets that this command has just made give way."""
    for path in sorted(found for found in source.rglob("*") if found.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
