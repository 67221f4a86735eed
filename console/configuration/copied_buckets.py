"""Files of a hosted account's buckets, which somebody has copied into a folder: FOLDER/BUCKET/KEY becomes s3://BUCKET/KEY."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from console import storage
from console.configuration.document import DocumentError
from console.errors import ServiceError
from console.json_values import is_storable
from console.models import Account
from console.storage import Location, parse_location
from console.tenancy import location_for


@dataclass(frozen=True)
class CopiedBuckets:
    """A folder of buckets."""

    folder: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        """The files, by their locations to be.

        Raises:
            DocumentError: there are none, or one has a name that no object can have.
        """
        found = {}
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            name = path.relative_to(self.folder).as_posix()
            if "/" not in name or not is_storable(name):
                raise DocumentError(
                    f"--data {self.folder} has {name!r}; expected are files in folders named as buckets."
                )
            found[f"s3://{name}"] = path
        if not found:
            raise DocumentError(f"--data {self.folder} has no files.")
        return found

    def check(self, account: Account) -> None:
        """Hold all locations to what the account may write to; those that are nobody's are its own from now on.

        Raises:
            DocumentError: as of `files`.
            InvalidInputException: one is the server's own, another account's, or no location.
        """
        for url in self.files:
            location_for(account, url)

    def will_have(self, url: str) -> bool:
        """Whether files will be at a location: an object, or a folder's own."""
        try:
            location = parse_location(url)
        except ServiceError:
            return False
        if not location.is_folder:
            return str(location) in self.files
        below = (file.removeprefix(str(location)) for file in self.files if file.startswith(str(location)))
        return any("/" not in rest for rest in below)

    def copy_to(self, account: Account) -> int:
        """Copy all files; how many there are.

        Raises:
            InvalidInputException: as of `check`.
        """
        places: dict[Location, Path] = {location_for(account, url): path for url, path in self.files.items()}
        for location, path in places.items():
            with path.open("rb") as source, storage.open_write(location) as sink:
                shutil.copyfileobj(source, sink)
        return len(places)
