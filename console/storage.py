"""Objects at `s3://bucket/key`: folders below DATA_DIR/buckets by default, real S3 where one is configured.

Two uses: the locations that people name in requests (imports, batch jobs, exports), and the store, where the server keeps
Parquet parts and artefacts under keys of its own. Nothing else of the file system can be reached through a location.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import transaction

from console import transient
from console.errors import InvalidInputException, JobError, UnavailableError
from console.models import Account
from console.scratch import scratch_folder

CHUNK = 1 << 20
READ_ONLY = 0o400
PATIENT_S = 5.0  # who waits longer than this for a store also asks again
HTTPS = (  # the two ways in which Amazon writes an object as a page's address
    re.compile(r"https?://(?P<bucket>[^/]+)\.s3[.-][^/]*amazonaws\.com/(?P<key>.*)"),
    re.compile(r"https?://s3[.-][^/]*amazonaws\.com/(?P<bucket>[^/]+)/(?P<key>.*)"),
)
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
STORE_BUCKET = "store"
UPLOADS_BUCKET = "uploads"


@dataclass(frozen=True)
class Location:
    """A place in a bucket: an object, or a folder when the key ends in "/" or is empty."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """The location as an s3:// URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        """Whether it names a folder."""
        return not self.key or self.key.endswith("/")

    def child(self, name: str) -> Location:
        """An object below this folder."""
        return Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


def parse_location(url: str, *, field: str | None = None) -> Location:
    """Read an s3:// URL, or Amazon's https:// form of one.

    Raises:
        InvalidInputException: another scheme, no bucket, or a key that tries to leave it.
    """
    for form in HTTPS:
        if found := form.fullmatch(url):
            url = f"s3://{found['bucket']}/{unquote(found['key'])}"
    wrong = InvalidInputException(f"Invalid Data location: {url}. Allowed is s3://BUCKET/KEY.", field=field)
    try:
        parts = urlsplit(url)
    except ValueError:  # such as s3://[
        raise wrong from None
    segments = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    odd = not BUCKET.fullmatch(parts.netloc) or "//" in parts.path or not {"", ".", ".."}.isdisjoint(segments)
    if parts.scheme != "s3" or odd or CONTROL.search(url) or parts.query or parts.fragment:
        raise wrong
    return Location(parts.netloc, parts.path.lstrip("/"))


def keep_upload(account: Account, path: Path, name: str) -> Location:
    """Move a local file that somebody has sent into the account's part of the uploads; `name` is what it was called."""
    safe = re.sub(r"[^\w.-]+", "-", PurePosixPath(name.replace("\\", "/")).name, flags=re.ASCII)[-100:].strip(".-")
    location = Location(UPLOADS_BUCKET, f"{account.number}/{uuid.uuid4()}/{safe or 'file'}")
    put_file(path, location)
    return location


def is_real_s3(location: Location) -> bool:
    """Whether a location is in a real S3 rather than in a folder.

    With STORAGE_URL everything is; with AWS_ENDPOINT_URL_S3 alone only what people name: the server then keeps its own and
    what was uploaded to it in its folders, as nobody said in which bucket it may write.
    """
    if settings.STORAGE_URL:
        return True
    return bool(settings.AWS_ENDPOINT_URL_S3) and location.bucket not in {STORE_BUCKET, UPLOADS_BUCKET}


def list_objects(folder: Location, suffix: str = "", *, recursive: bool = False) -> list[Location]:
    """The objects below a folder, by name; the object itself when `folder` is not one."""
    if not folder.is_folder:
        return [folder] if exists(folder) else []
    keys = _s3_keys(folder) if is_real_s3(folder) else _folder_keys(folder)
    depth = folder.key.count("/")
    found = [key for key in keys if key.endswith(suffix) and (recursive or key.count("/") == depth)]
    return [Location(folder.bucket, key) for key in sorted(found)]


def exists(location: Location) -> bool:
    """Whether there is such an object."""
    if not is_real_s3(location):
        return _path(location).is_file()
    try:
        _s3().head_object(**_placed(location))
    except (ClientError, BotoCoreError) as error:
        if _code(error) in {"404", "NoSuchKey", "NoSuchBucket"}:
            return False
        raise _unreachable(location, error) from error
    return True


def size_bytes(location: Location) -> int:
    """The object's size."""
    if not is_real_s3(location):
        return _path(location).stat().st_size
    try:
        return int(_s3().head_object(**_placed(location))["ContentLength"])
    except (ClientError, BotoCoreError) as error:
        raise _unreachable(location, error) from error


@contextmanager
def open_read(location: Location, *, start: int = 0) -> Iterator[IO[bytes]]:
    """Read an object as a stream from its byte `start` on, which must lie within it unless it is 0.

    Raises:
        JobError: it is not there or cannot be read; says where it was looked for.
    """
    if is_real_s3(location):
        part = {"Range": f"bytes={start}-"} if start else {}
        try:
            body: Any = _s3().get_object(**_placed(location), **part)["Body"]
        except (ClientError, BotoCoreError) as error:
            raise _unreachable(location, error) from error
        with BufferedReader(body, CHUNK) as buffered:  # botocore's stream gives blocks of 1,024 bytes for lines
            yield buffered
        return
    try:
        file = _path(location).open("rb")
    except OSError as error:
        raise _unreachable(location, error) from error
    with file:
        file.seek(start)
        yield file


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
    if is_real_s3(location):
        try:
            _s3().upload_file(str(path), **_placed(location))
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            cause = error.__context__ if isinstance(error, S3UploadFailedError) else None
            raise _unreachable(location, cause or error) from error
        return
    target = _path(location)
    _make_folder(target.parent)
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    shutil.move(path, draft)
    if location.bucket == STORE_BUCKET:
        draft.chmod(READ_ONLY)
    _sync(draft)
    draft.replace(target)
    _sync(target.parent)


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


def delete(location: Location) -> None:
    """Remove an object, or all below a folder; not an error if there is none."""
    if not is_real_s3(location):
        path = _path(location)
        if location.is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        return
    for found in list_objects(location, recursive=True):
        _s3().delete_object(**_placed(found))
    own = store("")
    if location.bucket == own.bucket and location.key.startswith(own.key):
        _forget_copy(location.key.removeprefix(own.key))


def forget_copy(key: str) -> bool:
    """Remove the local copy of what S3 holds under `key`, so that it is copied anew; False where there are no copies."""
    if not is_real_s3(store(f"{key}/")):
        return False
    _forget_copy(key)
    return True


def _forget_copy(key: str) -> None:
    """Remove what was copied here of the store's S3; other machines' copies lie under keys that nothing names any more."""
    copy: Path = settings.DATA_DIR / "cache" / key
    if copy.is_dir():
        shutil.rmtree(copy, ignore_errors=True)
    else:
        copy.unlink(missing_ok=True)


def store(key: str) -> Location:
    """A place of the server's own."""
    parts = urlsplit(settings.STORAGE_URL)
    prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
    return Location(parts.netloc or STORE_BUCKET, f"{prefix}{key}")


def publish_folder(folder: Path, key: str) -> None:
    """Move a finished local folder into the store under `key`; readers see all of it or nothing."""
    target = store(f"{key}/")
    if is_real_s3(target):
        manifest_last = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.name == "manifest.json")
        for path in manifest_last:
            put_file(path, target.child(path.relative_to(folder).as_posix()))
        shutil.rmtree(folder)
        return
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(READ_ONLY)  # what is mapped must not shrink
        _sync(path)
    _sync(folder)
    destination = _path(target)
    _make_folder(destination.parent)
    with scratch_folder() as scratch:  # takes away what was there before
        if destination.exists():
            destination.rename(Path(scratch) / "before")
        shutil.move(folder, destination)
        _sync(destination.parent)


def local_folder(key: str) -> Path:
    """A local folder with what the store holds under `key`: the store itself, or a copy of S3's in the cache.

    Raises:
        JobError: the store holds nothing there.
    """
    target = store(f"{key}/")
    if not is_real_s3(target):
        if not (path := _path(target)).is_dir():
            raise JobError(f"The store holds nothing under {key}.")
        return path
    cached: Path = settings.DATA_DIR / "cache" / key
    if not cached.is_dir():
        with scratch_folder() as scratch:
            draft = Path(scratch) / "folder"
            for found in list_objects(target, recursive=True):
                path = draft / found.key.removeprefix(target.key)
                path.parent.mkdir(parents=True, exist_ok=True)
                _s3().download_file(**_placed(found), Filename=str(path))
            if not draft.is_dir():
                raise JobError(f"The store holds nothing under {key}.")
            cached.parent.mkdir(parents=True, exist_ok=True)
            if not cached.is_dir():
                draft.rename(cached)
    return cached


def _path(location: Location) -> Path:
    root: Path = settings.DATA_DIR / "buckets"
    if location.bucket == STORE_BUCKET:
        root = settings.DATA_DIR
    path = root / location.bucket / location.key
    resolved = path.resolve()
    if not resolved.is_relative_to((root / location.bucket).resolve()):
        raise InvalidInputException(f"Invalid Data location: {location} leaves its bucket.")
    return path


def _folder_keys(folder: Location) -> list[str]:
    base = _path(Location(folder.bucket, ""))
    below = _path(folder)
    files = (path for path in below.rglob("*") if path.is_file() and not path.name.startswith("."))
    return [path.relative_to(base).as_posix() for path in files] if below.is_dir() else []


def _s3_keys(folder: Location) -> list[str]:
    place = _placed(folder)
    above = len(place["Key"]) - len(folder.key)
    try:
        pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=place["Bucket"], Prefix=place["Key"])
        found = [entry["Key"][above:] for page in pages for entry in page.get("Contents", [])]
        return [key for key in found if not key.endswith("/")]
    except (ClientError, BotoCoreError) as error:
        raise _unreachable(folder, error) from error


def _placed(location: Location) -> dict[str, str]:
    """Where in S3 an object is: what was uploaded lies beside the server's own, as no bucket is called so."""
    if location.bucket == UPLOADS_BUCKET:
        location = store(f"{UPLOADS_BUCKET}/{location.key}")
    return {"Bucket": location.bucket, "Key": location.key}


@cache
def _s3() -> Any:
    """The client of all threads: a store that hangs is given up, by web processes soon."""
    config = Config(
        connect_timeout=settings.CONNECT_TIMEOUT_S,
        read_timeout=settings.SOCKET_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 3 if settings.SOCKET_TIMEOUT_S > PATIENT_S else 1},
        max_pool_connections=32,
    )
    return boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL_S3 or None, config=config)


def _code(error: BaseException) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _unreachable(location: Location, error: BaseException) -> JobError | UnavailableError:
    if _code(error) in {"403", "AccessDenied"}:
        return JobError(f"Insufficient privileges for accessing data in Amazon S3: {location}.")
    return transient.job_error(f"Cannot access {location}: {error.__class__.__name__}: {error}", error)


_kept: ContextVar[list[str] | None] = ContextVar("kept", default=None)


def drop(keys: list[str]) -> None:
    """Delete folders of the store once the transaction is committed; within `keeping` they are told and stay."""
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
