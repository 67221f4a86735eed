"""Making a backup while the server serves: database, store, people's buckets and secrets, consistent with each other.

Files of the store are written once and never changed, so a hard link holds one as it was. Links are made before and after
the database is copied: what its rows name at that moment is among them, whatever is trained or deleted meanwhile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from console import storage
from console.management import archive, database_copies
from console.scratch import scratch_folder
from console.storage import Location

ATTEMPTS = 3
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEY")
BESIDES = ("demo-credentials.json",)


@dataclass(frozen=True)
class Backup:
    """What was written: how many files of how many bytes, and which keys of rows the store does not hold."""

    files: int
    bytes: int
    missing: list[str]
    secrets_elsewhere: list[str]


def back_up(file: IO[bytes], *, compressed: bool, with_secrets: bool = True) -> Backup:
    """Write a backup to a stream."""
    with scratch_folder() as scratch:
        copy = Path(scratch) / "database"
        store, missing = _hold(Path(scratch) / "store", copy)
        manifest = {
            "made": timezone.now().isoformat(),
            "database": connection.vendor,
            "migrations": applied_migrations(),
        }
        with archive.writing(file, manifest, compressed=compressed) as writer:
            writer.add_file(database_copies.member(), copy)
            for name, path in _secret_files() if with_secrets else ():
                writer.add_file(name, path)
            store.write(writer)
            _write_buckets(writer)
        elsewhere = [name for name in SECRETS if os.environ.get(name) or not with_secrets]
        return Backup(len(writer.sums), writer.bytes, missing, elsewhere)


def applied_migrations() -> list[str]:
    """The console's migrations that the database has."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(name for app, name in applied if app == "console")


@dataclass(frozen=True)
class _Links:
    """The store in a folder, held by hard links."""

    folder: Path

    def gather(self) -> None:
        """Link what is there now."""
        source = settings.DATA_DIR / storage.STORE_BUCKET
        for path in _files(source):
            target = self.folder / path.relative_to(source)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # deleted meanwhile
                    _link(path, target)

    def lacks(self, key: str) -> bool:
        return not (self.folder / key).exists()

    def write(self, writer: archive.Writer) -> None:
        for path in _files(self.folder):
            writer.add_file(f"store/{path.relative_to(self.folder).as_posix()}", path)


@dataclass(frozen=True)
class _Objects:
    """The store in S3, as it is listed before and after the database is copied."""

    keys: set[str]

    def gather(self) -> None:
        own = storage.store("")
        self.keys.update(found.key.removeprefix(own.key) for found in storage.list_objects(own, recursive=True))

    def lacks(self, key: str) -> bool:
        return key not in self.keys and not any(known.startswith(f"{key}/") for known in self.keys)

    def write(self, writer: archive.Writer) -> None:
        for key in sorted(self.keys):
            place: Location = storage.store(key)
            if storage.exists(place):
                with storage.open_read(place) as source:
                    writer.add(f"store/{key}", source, storage.size_bytes(place), 0o400)


def _hold(folder: Path, copy: Path) -> tuple[_Links | _Objects, list[str]]:
    """Copy the database and hold the files that its rows name; also the keys that the store lacks whatever one does."""
    store: _Links | _Objects = _Objects(set()) if storage.is_real_s3(storage.store("")) else _Links(folder)
    missing: list[str] = []
    for _ in range(ATTEMPTS):
        store.gather()
        named = database_copies.copy_database(copy)
        store.gather()
        missing = sorted(key for key in named if store.lacks(key))
        if not missing:  # else something came and went within the copy of the database, or the store is damaged
            break
    return store, missing


def _secret_files() -> Iterator[tuple[str, Path]]:
    for name in SECRETS:
        path = settings.DATA_DIR / "secrets" / name.lower()
        if path.is_file() and not os.environ.get(name):
            yield f"secrets/{path.name}", path
    for name in BESIDES:
        if (settings.DATA_DIR / name).is_file():
            yield name, settings.DATA_DIR / name


def _write_buckets(writer: archive.Writer) -> None:
    """People's folders, uploads among them; what is in a real S3 stays there."""
    root = settings.DATA_DIR / "buckets"
    for path in _files(root):
        with suppress(FileNotFoundError):  # deleted meanwhile
            writer.add_file(f"buckets/{path.relative_to(root).as_posix()}", path)


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder by name, without drafts that are being written."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links, or another one
        shutil.copyfile(path, target)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is complete and on the disk; for its owner alone."""
    draft = path.with_name(f".{path.name}.part")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def check(path: Path) -> dict[str, Any]:
    """Read a backup back and hold it to its checksums; raises ArchiveError."""
    with path.open("rb") as file:
        return archive.read(file)
