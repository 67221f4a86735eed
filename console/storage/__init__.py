"""Objects at `s3://bucket/key`: folders below DATA_DIR/buckets by default, real S3 where one is configured.

Two uses: the locations that people name in requests (imports, batch jobs, exports), and the store, where the server keeps
Parquet parts and artefacts under keys of its own. Nothing else of the file system can be reached through a location. Which
location an account may name is a rule of `console.tenancy`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.db import transaction

from console.errors import JobError
from console.models import Account
from console.scratch import scratch_folder
from console.storage.backend import Backend
from console.storage.folders import Folders
from console.storage.locations import CHUNK, STORE_BUCKET, UPLOADS_BUCKET, Location, parse_location, store

__all__ = ["CHUNK", "STORE_BUCKET", "UPLOADS_BUCKET", "Location", "parse_location", "store"]
FOLDERS = Folders()


@cache
def _real_s3() -> Backend:
    """The one S3; a server that keeps all in folders does without boto3, 6 MB of each process."""
    backend: Backend = import_module("console.storage.s3").S3()
    return backend


def backend_of(location: Location) -> Backend:
    """Where a location is.

    With STORAGE_URL everything is in S3; with AWS_ENDPOINT_URL_S3 alone only what people name: the server then keeps its own
    and what was uploaded to it in its folders, as nobody said in which bucket it may write.
    """
    if settings.STORAGE_URL:
        return _real_s3()
    is_own = location.bucket in {STORE_BUCKET, UPLOADS_BUCKET}
    return _real_s3() if settings.AWS_ENDPOINT_URL_S3 and not is_own else FOLDERS


def is_real_s3(location: Location) -> bool:
    """Whether a location is in a real S3 rather than in a folder; a backup holds the one by copies, the other by links."""
    return backend_of(location) is not FOLDERS


def keep_upload(account: Account, path: Path, name: str) -> Location:
    """Move a local file that somebody has sent into the account's part of the uploads; `name` is what it was called."""
    safe = re.sub(r"[^\w.-]+", "-", PurePosixPath(name.replace("\\", "/")).name, flags=re.ASCII)[-100:].strip(".-")
    location = Location(UPLOADS_BUCKET, f"{account.number}/{uuid.uuid4()}/{safe or 'file'}")
    put_file(path, location)
    return location


def list_objects(folder: Location, suffix: str = "", *, recursive: bool = False) -> list[Location]:
    """The objects below a folder, by name; the object itself when `folder` is not one."""
    if not folder.is_folder:
        return [folder] if exists(folder) else []
    depth = folder.key.count("/")
    keys = backend_of(folder).keys(folder)
    found = [key for key in keys if key.endswith(suffix) and (recursive or key.count("/") == depth)]
    return [Location(folder.bucket, key) for key in sorted(found)]


def exists(location: Location) -> bool:
    """Whether there is such an object."""
    return backend_of(location).exists(location)


def object_above(location: Location) -> Location | None:
    """The object that stands where a location needs a folder; S3 has room for both."""
    return FOLDERS.object_above(location) if backend_of(location) is FOLDERS else None


def size_bytes(location: Location) -> int:
    """The object's size."""
    return backend_of(location).size_bytes(location)


def open_read(location: Location, *, start: int = 0) -> AbstractContextManager[IO[bytes]]:
    """Read an object as a stream from its byte `start` on, which must lie within it unless it is 0.

    Raises:
        JobError: it is not there or cannot be read; says where it was looked for.
    """
    return backend_of(location).open_read(location, start)


@contextmanager
def open_write(location: Location) -> Iterator[IO[bytes]]:
    """Write an object whole: it appears under its name only if the block ends without an error."""
    with scratch_folder() as folder:
        draft = Path(folder) / "object"
        with draft.open("wb") as file:
            yield file
        put_file(draft, location)


def put_file(path: Path, location: Location) -> None:
    """Publish a local file as an object; the file is moved where the store is a folder."""
    backend_of(location).put(path, location)


def delete(location: Location) -> None:
    """Remove an object, or all below a folder; not an error if there is none."""
    backend_of(location).delete(location)


def publish_folder(folder: Path, key: str) -> None:
    """Move a finished local folder into the store under `key`; readers see all of it or nothing."""
    target = store(f"{key}/")
    backend_of(target).publish(folder, target)


def local_folder(key: str) -> Path:
    """A local folder with what the store holds under `key`: the store itself, or a copy of S3's in the cache.

    Raises:
        JobError: the store holds nothing there.
    """
    target = store(f"{key}/")
    found = backend_of(target).local(target)
    if found is None:
        raise JobError(f"The store holds nothing under {key}.")
    return found


def forget_copy(key: str) -> bool:
    """Remove the local copy of what S3 holds under `key`, so that it is copied anew; False where there are no copies."""
    target = store(f"{key}/")
    return backend_of(target).forget_copy(target)


_kept: ContextVar[list[str] | None] = ContextVar("kept", default=None)


def drop(keys: list[str]) -> None:
    """Delete folders of the store once the transaction is committed; within `keeping` they are listed and stay."""
    kept = _kept.get()
    if kept is not None:
        kept.extend(keys)
    else:
        transaction.on_commit(partial(_delete_folders, keys))


@contextmanager
def keeping() -> Iterator[list[str]]:
    """Have what is dropped meanwhile stay; gives the list of its keys."""
    found: list[str] = []
    token = _kept.set(found)
    try:
        yield found
    finally:
        _kept.reset(token)


def _delete_folders(keys: list[str]) -> None:
    for key in keys:
        delete(store(f"{key}/"))
