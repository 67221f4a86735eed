"""Objects as files: buckets are folders below DATA_DIR/buckets, the server's own is DATA_DIR/store."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from console import transient
from console.errors import InvalidInputException, JobError
from console.scratch import scratch_folder
from console.server_paths import reason_of
from console.storage.backend import Backend
from console.storage.locations import STORE_BUCKET, Location

READ_ONLY = 0o400


class Folders(Backend):
    """A file for each object; a new one is on the disk before it has its name."""

    def keys(self, folder: Location) -> list[str]:
        """The files below a folder, without drafts."""
        base = path_of(Location(folder.bucket, ""))
        below = path_of(folder)
        files = (path for path in below.rglob("*") if path.is_file() and not path.name.startswith("."))
        return [path.relative_to(base).as_posix() for path in files] if below.is_dir() else []

    def exists(self, location: Location) -> bool:
        """Whether there is such a file."""
        try:
            return path_of(location).is_file()
        except OSError:  # a name longer than names may be
            return False

    def size_bytes(self, location: Location) -> int:
        """The file's size."""
        with _accessing(location):
            return path_of(location).stat().st_size

    @contextmanager
    def open_read(self, location: Location, start: int) -> Iterator[IO[bytes]]:
        """The file from its byte `start` on."""
        with _accessing(location):
            file = path_of(location).open("rb")
        with file:
            file.seek(start)
            yield file

    def put(self, path: Path, location: Location) -> None:
        """Move a file to its place, by way of a draft beside it."""
        if above := self.object_above(location):
            raise JobError(f"Cannot write {location}: {above} is an object. Expected is a folder.")
        with _accessing(location):
            target = path_of(location)
            _make_folder(target.parent)
            draft = target.with_name(f".{uuid.uuid4().hex}")
            shutil.move(path, draft)
            if location.bucket == STORE_BUCKET:
                draft.chmod(READ_ONLY)
            _sync(draft)
            draft.replace(target)
            _sync(target.parent)

    def object_above(self, location: Location) -> Location | None:
        """The file that stands where a location needs a folder; None where there is none."""
        names = location.key.rstrip("/").split("/")
        above = (Location(location.bucket, "/".join(names[:depth])) for depth in range(1, len(names)))
        return next((place for place in above if self.exists(place)), None)

    def delete(self, location: Location) -> None:
        """Remove a file or a folder."""
        path = path_of(location)
        if location.is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def publish(self, folder: Path, target: Location) -> None:
        """Rename a folder; what was there before is taken away."""
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(READ_ONLY)  # what is mapped must not shrink
            _sync(path)
        _sync(folder)
        destination = path_of(target)
        _make_folder(destination.parent)
        with scratch_folder() as scratch:
            if destination.exists():
                destination.rename(Path(scratch) / "before")
            shutil.move(folder, destination)
            _sync(destination.parent)

    def local(self, folder: Location) -> Path | None:
        """The folder itself."""
        path = path_of(folder)
        return path if path.is_dir() else None

    def forget_copy(self, folder: Location) -> bool:  # noqa: ARG002  the files are no copies
        """There are none."""
        return False


@contextmanager
def _accessing(location: Location) -> Iterator[None]:
    """Say what the system refuses by the location, as its own message shows the server's path; what passes is left as it is."""
    try:
        yield
    except OSError as error:
        if transient.fault(error):
            raise
        raise JobError(f"Cannot access {location}: {type(error).__name__}: {reason_of(error)}") from error


def path_of(location: Location) -> Path:
    """Where an object is, or would be.

    Raises:
        InvalidInputException: a link leads out of the bucket.
    """
    root: Path = settings.DATA_DIR / "buckets"
    if location.bucket == STORE_BUCKET:
        root = settings.DATA_DIR
    path = root / location.bucket / location.key
    resolved = path.resolve()
    if not resolved.is_relative_to((root / location.bucket).resolve()):
        raise InvalidInputException(f"Invalid Data location: {location} leaves its bucket.")
    return path


def _make_folder(folder: Path) -> None:
    """Make a folder that is there also after the power went."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(path: Path) -> None:
    """Have the disk hold what was written: a file's content, or a folder's names."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
