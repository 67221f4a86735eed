"""Locations as text (recipes.tables.text): which objects a location names, and each opened as a stream of blocks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from console import storage
from console.errors import JobError
from console.storage import Location
from recipes.tables import packed
from recipes.tables.text import TableError, TextStream

SUFFIXES = (
    ".csv",
    ".gz",
    ".tsv",
    ".txt",
    ".tab",
    ".psv",
    ".dat",
    ".data",
    ".inter",
    ".item",
    ".user",
    ".parquet",
    ".jsonl",
    ".ndjson",
    ".json",
    ".orc",
    ".arrow",
    ".feather",
    ".avro",
    ".xlsx",
    ".xls",
    ".ods",
    ".zip",
    ".bz2",
    ".xz",
    ".zst",
)
NO_SUFFIX = re.compile(r"[^.]+|.*\.\d+|.*part-[^/]*")  # as Glue and Hadoop name parts
NO_PART = re.compile(  # what Spark and its kin leave beside the parts, Excel's locks, Redshift's lists of what it wrote
    r"[_.].*|.*\.crc|.*\$folder\$|~\$.*|[^.]*manifest", re.IGNORECASE
)
SHOWN_FOLDERS = 5


def source_files(location: Location) -> list[Location]:
    """The objects to read at a location: itself, or the parts right below a folder, by name.

    Raises:
        JobError: there are none.
    """
    found = storage.list_objects(location)
    if not location.is_folder:
        if not found:
            raise JobError(f"There is no object at {location}.")
        return found
    parts = [entry for entry in found if _is_part(entry.name)]
    if not parts:
        refuse_subfolders(location)
        raise JobError(f"There is no CSV file right below {location}. Sub-folders are not read.")
    return parts


def refuse_subfolders(location: Location) -> None:
    """Name the sub-folders of a folder without a file right below it, where that is why nothing is found.

    Raises:
        JobError: there are some.
    """
    below = storage.list_objects(location, recursive=True) if location.is_folder else []
    names = sorted({f"{first}/" for each in below if (first := _first_folder(location, each)) and not is_beside(first)})
    if names:
        shown = ", ".join(names[:SHOWN_FOLDERS]) + (", …" if len(names) > SHOWN_FOLDERS else "")
        raise JobError(
            f"There is no file right below {location}, and sub-folders are not read. Give the location of one of them: {shown}."
        )


def _first_folder(folder: Location, entry: Location) -> str:
    return entry.key[len(folder.key) :].rpartition("/")[0].partition("/")[0]


def is_beside(name: str) -> bool:
    """Whether a file of a folder is none of its parts: what Spark and its kin leave there, documents, and the like."""
    return bool(NO_PART.fullmatch(name) or packed.BESIDE.fullmatch(name))


def _is_part(name: str) -> bool:
    return not is_beside(name) and (name.lower().endswith(SUFFIXES) or bool(NO_SUFFIX.fullmatch(name)))


def sha256_of(locations: Iterable[Location]) -> str:
    """The digest of all objects' bytes one after the other, as an import computes it."""
    digest = hashlib.sha256()
    for location in locations:
        with storage.open_read(location) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def open_text(location: Location, encoding: str = "", digest: Any = None) -> Iterator[TextStream]:
    """Open an object as text.

    Raises:
        JobError: it cannot be read, or is clearly not CSV; also from reading on within the block.
    """
    with storage.open_read(location) as inner:
        try:
            yield TextStream(str(location), inner, encoding, digest)
        except TableError as error:
            raise JobError(str(error)) from error
