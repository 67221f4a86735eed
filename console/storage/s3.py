"""Objects in a real S3. What is read as files is copied into DATA_DIR/cache first, whole, and kept there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from console import transient
from console.errors import JobError, UnavailableError
from console.scratch import scratch_folder
from console.storage.backend import Backend
from console.storage.locations import CHUNK, UPLOADS_BUCKET, Location, store

PATIENT_S = 5.0  # who waits longer than this for a store also asks again


class S3(Backend):
    """An object for each object."""

    def keys(self, folder: Location) -> list[str]:
        """All objects whose keys begin with the folder's."""
        place = _placed(folder)
        above = len(place["Key"]) - len(folder.key)
        with _reaching(folder):
            pages = client().get_paginator("list_objects_v2").paginate(Bucket=place["Bucket"], Prefix=place["Key"])
            found = [entry["Key"][above:] for page in pages for entry in page.get("Contents", [])]
        return [key for key in found if not key.endswith("/")]

    def exists(self, location: Location) -> bool:
        """Whether there is such an object; not where its bucket is none."""
        try:
            client().head_object(**_placed(location))
        except (ClientError, BotoCoreError) as error:
            if _code(error) in {"404", "NoSuchKey", "NoSuchBucket"}:
                return False
            raise _unreachable(location, error) from error
        return True

    def size_bytes(self, location: Location) -> int:
        """The object's size."""
        with _reaching(location):
            return int(client().head_object(**_placed(location))["ContentLength"])

    @contextmanager
    def open_read(self, location: Location, start: int) -> Iterator[IO[bytes]]:
        """The object from its byte `start` on, as it arrives."""
        part = {"Range": f"bytes={start}-"} if start else {}
        with _reaching(location):
            body: Any = client().get_object(**_placed(location), **part)["Body"]
        with BufferedReader(body, CHUNK) as buffered:  # botocore's stream gives blocks of 1,024 bytes for lines
            yield buffered

    def put(self, path: Path, location: Location) -> None:
        """Upload a file; the file stays."""
        try:
            client().upload_file(str(path), **_placed(location))
        except (ClientError, BotoCoreError, S3UploadFailedError) as error:
            cause = error.__context__ if isinstance(error, S3UploadFailedError) else None
            raise _unreachable(location, cause or error) from error

    def delete(self, location: Location) -> None:
        """Remove an object, or all below a folder, and what was copied of it."""
        found = [location]
        if location.is_folder:
            found = [Location(location.bucket, key) for key in self.keys(location)]
        for each in found:
            client().delete_object(**_placed(each))
        own = store("")
        if location.bucket == own.bucket and location.key.startswith(own.key):
            self.forget_copy(location)

    def publish(self, folder: Path, target: Location) -> None:
        """Upload a folder's files; the manifest last, without which nobody reads the others."""
        files = (path for path in folder.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name == "manifest.json"):
            self.put(path, target.child(path.relative_to(folder).as_posix()))
        shutil.rmtree(folder)

    def local(self, folder: Location) -> Path | None:
        """A copy of the folder, made at the first call."""
        cached = _copy_of(folder)
        if not cached.is_dir():
            with scratch_folder() as scratch:
                draft = Path(scratch) / "folder"
                for key in self.keys(folder):
                    path = draft / key.removeprefix(folder.key)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    client().download_file(**_placed(Location(folder.bucket, key)), Filename=str(path))
                if not draft.is_dir():
                    return None
                cached.parent.mkdir(parents=True, exist_ok=True)
                if not cached.is_dir():
                    draft.rename(cached)
        return cached

    def forget_copy(self, folder: Location) -> bool:
        """Remove the copy; other machines' copies lie under keys that nothing names any more."""
        copy = _copy_of(folder)
        if copy.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
        else:
            copy.unlink(missing_ok=True)
        return True


@cache
def client() -> Any:
    """The client of all threads: a store that hangs is given up, by web processes soon."""
    config = Config(
        connect_timeout=settings.CONNECT_TIMEOUT_S,
        read_timeout=settings.SOCKET_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 3 if settings.SOCKET_TIMEOUT_S > PATIENT_S else 1},
        max_pool_connections=32,
    )
    return boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL_S3 or None, config=config)


def _copy_of(location: Location) -> Path:
    """Where the copy of one of the server's own places is."""
    copies: Path = settings.DATA_DIR / "cache"
    return copies / location.key.removeprefix(store("").key)


def _placed(location: Location) -> dict[str, str]:
    """Where in S3 an object is: what was uploaded lies beside the server's own, as no bucket is called so."""
    if location.bucket == UPLOADS_BUCKET:
        location = store(f"{UPLOADS_BUCKET}/{location.key}")
    return {"Bucket": location.bucket, "Key": location.key}


@contextmanager
def _reaching(location: Location) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _unreachable(location, error) from error


def _code(error: BaseException) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _unreachable(location: Location, error: BaseException) -> JobError | UnavailableError:
    if _code(error) in {"403", "AccessDenied"}:
        return JobError(f"Insufficient privileges for accessing data in Amazon S3: {location}.")
    return transient.job_error(f"Cannot access {location}: {error.__class__.__name__}: {error}", error)
