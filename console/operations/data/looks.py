"""Looks at files that are to be imported: of a folder's parts the first with rows, of several files with an eye on the others."""

from __future__ import annotations

from collections.abc import Sequence

from console import storage
from console.errors import InvalidInputException, JobError
from console.ingest import sniff
from console.ingest.sniff import Preview
from console.ingest.sources import source_files
from console.models.base import JSONDict
from console.operations.data.datasets import canonical_type
from console.storage import Location

MOST_LOOKED_AT = 20  # parts of a folder that may be empty before the first with rows


def files_at(location: Location) -> list[Location]:
    """The files at a location: itself, or a folder's parts."""
    try:
        return source_files(location)
    except JobError as error:
        raise InvalidInputException(str(error), field="dataLocation") from error


def first_filled(files: list[Location]) -> Location:
    """The first of a folder's parts that holds rows."""
    filled = [file for file in files if storage.size_bytes(file)]
    return next((file for file in filled[:MOST_LOOKED_AT] if sniff.holds_rows(file)), (filled or files)[0])


def look_beside(
    file: Location, dataset_type: str | None, domain: str | None, given: JSONDict | None, beside: Sequence[str]
) -> Preview:
    """A look at a file that knows what the others of the same import hold, as these know what it holds."""
    found = look(file, dataset_type, domain, given)
    parts = [first_filled(files_at(storage.parse_location(other))) for other in beside]
    others = [look(part, None, domain, None, [found]) for part in parts]
    return look(file, dataset_type, domain, given, others) if others else found


def look(
    file: Location, dataset_type: str | None, domain: str | None, given: JSONDict | None, beside: Sequence[Preview] = ()
) -> Preview:
    """What a file looks like; a refusal names the member that said where it is."""
    kind = canonical_type(dataset_type) if dataset_type else ""
    try:
        return sniff.preview(file, given or {}, kind, domain or "", beside)
    except JobError as error:
        raise InvalidInputException(str(error), field="dataLocation") from error
