"""What a place for objects must be able to do; folders and S3 do it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from console.storage.locations import Location


class Backend(ABC):
    """Objects by location. What cannot be reached raises JobError, or UnavailableError where asking again may help."""

    @abstractmethod
    def keys(self, folder: Location) -> list[str]:
        """The keys of all objects below a folder."""

    @abstractmethod
    def exists(self, location: Location) -> bool:
        """Whether there is such an object."""

    @abstractmethod
    def size_bytes(self, location: Location) -> int:
        """The object's size."""

    @abstractmethod
    def open_read(self, location: Location, start: int) -> AbstractContextManager[IO[bytes]]:
        """The object as a stream from its byte `start` on."""

    @abstractmethod
    def put(self, path: Path, location: Location) -> None:
        """Publish a local file as an object, which appears whole or not at all; the file may be moved."""

    @abstractmethod
    def delete(self, location: Location) -> None:
        """Remove an object, or all below a folder; not an error if there is none."""

    @abstractmethod
    def publish(self, folder: Path, target: Location) -> None:
        """Move a finished local folder to `target`; readers see all of it or nothing."""

    @abstractmethod
    def local(self, folder: Location) -> Path | None:
        """A local folder with what lies below `folder`; None where nothing does."""

    @abstractmethod
    def forget_copy(self, folder: Location) -> bool:
        """Remove the local copy of a folder, so that it is copied anew; False where there are no copies."""
