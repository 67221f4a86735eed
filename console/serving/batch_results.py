"""What batch jobs have written, read again: a page of lines from a byte on, and all of it as rows for a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from console import storage
from console.errors import InvalidInputException, JobError, ServiceError
from console.models.base import JSONDict
from console.models.serving import BatchJob
from console.serving.display import Cards
from console.serving.loader import MODEL_CACHE
from console.storage import Location
from console.tenancy import location_for

HEADS = ("ASKED_FOR", "RANK", "ID", "TITLE", "SCORE", "ERROR")
TITLES = 100_000  # kept while a file is read


class Place(NamedTuple):
    """A byte of one of a job's files."""

    file: int
    offset: int

    @classmethod
    def read(cls, token: str | None) -> Place:
        """From a token that a page gave.

        Raises:
            InvalidInputException: it is none.
        """
        parts = (token or "0-0").split("-")
        if len(parts) != len(cls._fields) or not all(part.isdecimal() for part in parts):
            raise _wrong(token)
        return cls(*map(int, parts))

    def __str__(self) -> str:
        """As a token."""
        return f"{self.file}-{self.offset}"


def files_of(job: BatchJob) -> list[Location]:
    """The files of answers that a job has written, in the order of its input."""
    folder = location_for(job.account, job.job_output["s3DataDestination"]["path"].rstrip("/") + "/")
    return [folder.child(f"{name.rpartition('/')[2]}.out") for name in job.report.get("files", [])]


def page_of(job: BatchJob, token: str | None, most: int) -> tuple[list[JSONDict], str | None]:
    """So many lines from a token on, and the token of the next page; None behind the last one."""
    files, place, found = files_of(job), Place.read(token), list[JSONDict]()
    for number in range(place.file, len(files)):
        start = place.offset if number == place.file else 0
        if start >= storage.size_bytes(files[number]):
            continue
        with storage.open_read(files[number], start=max(0, start - 1)) as source:
            if start and source.read(1) != b"\n":
                raise _wrong(token)
            while line := source.readline():
                if len(found) == most:
                    return found, str(Place(number, start))
                found.append(_parsed(line))
                start += len(line)
    return found, None


def rows_of(job: BatchJob) -> Iterator[tuple[Any, ...]]:
    """One row for each place of each list, below HEADS."""
    title = titles_of(job)
    for file in files_of(job):
        with storage.open_read(file) as source:
            for line in source:
                yield from _rows(_parsed(line), title)


def cards_of(job: BatchJob) -> Cards | None:
    """How the version's items are shown; None where its files are gone."""
    version = job.solution_version
    try:
        return Cards.of(MODEL_CACHE.get(version.artefact), version.solution.dataset_group_id)
    except (ServiceError, JobError):
        return None


def titles_of(job: BatchJob) -> Callable[[str], str]:
    """The title of an item by its id; empty where nothing is known."""
    cards = cards_of(job)

    @lru_cache(TITLES)
    def title(item: str) -> str:
        return (cards.title(cards.loaded.data.item_ids.index(item)) or "") if cards else ""

    return title


def _wrong(token: str | None) -> InvalidInputException:
    return InvalidInputException(f"nextToken is {token}; pass on the one of the page before.", field="nextToken")


def asked_for(result: JSONDict) -> str:
    """What a line was about: its user, item or attributes."""
    asked = result["input"]
    if not isinstance(asked, dict):
        return str(asked)
    return str(next((asked[name] for name in ("userId", "itemId", "itemAttributes") if asked.get(name)), ""))


def _rows(result: JSONDict, title: Callable[[str], str]) -> Iterator[tuple[Any, ...]]:
    name, output = asked_for(result), result.get("output")
    if output is None or (result.get("warnings") and not any(output.values())):
        yield (name, None, None, None, None, result.get("error") or " ".join(result["warnings"]))
        return
    if "usersList" in output:
        for rank, user in enumerate(output["usersList"], 1):
            yield (name, rank, user, None, None, None)
        return
    items = output["recommendedItems"]
    scores = output.get("scores") or [None] * len(items)
    for rank, (item, score) in enumerate(zip(items, scores, strict=True), 1):
        yield (name, rank, item, title(item), score, None)


def _parsed(line: bytes) -> JSONDict:
    result: JSONDict = json.loads(line)
    return result
