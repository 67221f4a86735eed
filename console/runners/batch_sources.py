"""The objects of a batch job's input as UTF-8 text that can be read on from any byte.

Most are just that. One that is compressed, or in UTF-16, is copied so below the store, anew on each attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console import limits, storage
from console.errors import JobError
from console.ingest.sources import is_beside, refuse_subfolders
from console.storage import Location
from recipes.tables import packed
from recipes.tables.encodings import BOMS, Utf8Reader, wide_encoding
from recipes.tables.packed import Chained, PackedError, Read

HEAD_BYTES = 1 << 16
COPY_BYTES = 1 << 20
MAX_PACKED = 2  # times


@dataclass(frozen=True)
class Source:
    """An object of the input: as the job names it, where its text lies, and the text's bytes."""

    location: Location
    text: Location
    size: int

    @property
    def name(self) -> str:
        """The object's name without its folders."""
        return self.location.name


def sources(path: str, folder: str, check: Callable[[], None]) -> list[Source]:
    """All objects of a location.

    Args:
        path: an object or a folder.
        folder: the job's own folder below the store.
        check: called now and then while one is copied; raises what ends the job.

    Raises:
        JobError: there are none or too many, or one is too large or cannot be unpacked.
    """
    location = storage.parse_location(path)
    found = [each for each in storage.list_objects(location) if not location.is_folder or not _is_marker(each)]
    if not found:
        refuse_subfolders(location)
        raise JobError(f"Invalid S3 input path: there is nothing at {location}.")
    most = limits.quota("BATCH_FILES")
    if len(found) > most:
        raise JobError(f"{location} has {len(found)} files, at most {most} are allowed.")
    return [_source(each, storage.store(f"{folder}/input-{number}"), check) for number, each in enumerate(found)]


def _is_marker(location: Location) -> bool:
    """Whether an object of a folder is what a batch job or Spark and its kin leave beside the lines."""
    return location.name.endswith("_CHECK") or is_beside(location.name)


def _source(location: Location, place: Location, check: Callable[[], None]) -> Source:
    with storage.open_read(location) as file:
        head = file.read(HEAD_BYTES)
    if not packed.kind_of(head) and not _is_wide(head):
        return Source(location, location, _within_limit(location, storage.size_bytes(location)))
    try:
        size = _copy(location, place, check)
    except PackedError as error:
        raise JobError(f"{location} {error}.") from error
    except packed.FAULTS as error:
        raise JobError(f"{location} looks compressed but cannot be unpacked: {error}.") from error
    return Source(location, place, size)


def _is_wide(head: bytes) -> bool:
    bom = next((bom for bom in BOMS if head.startswith(bom)), b"")
    return BOMS.get(bom, "utf-8") != "utf-8" or bool(wide_encoding(head))


def _copy(location: Location, place: Location, check: Callable[[], None]) -> int:
    """Write the text; returns its bytes."""
    size = 0
    with storage.open_read(location) as file, storage.open_write(place) as sink:
        read: Read = file.read
        head = read(HEAD_BYTES)
        for _ in range(MAX_PACKED):
            if not (kind := packed.kind_of(head)):
                break
            read = packed.unpacked(kind, Chained(head, read))
            head = read(HEAD_BYTES)
        text = Utf8Reader(read, head)
        while data := text.read(COPY_BYTES):
            check()
            sink.write(data)
            size = _within_limit(location, size + len(data))
    return size


def _within_limit(location: Location, size: int) -> int:
    most = limits.quota("BATCH_FILE_GB") << 30
    if size > most:
        raise JobError(f"{location} has {size:,} bytes, at most {most:,} are allowed in one file.")
    return size
