"""A backup's file: a tar whose last member lists the SHA-256 of all others, so that it is written and read as a stream.

Nothing is held in memory but one block and the checksums; a file that was cut short lacks its last member and is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

FORMAT = 1
MANIFEST = "backup.json"
CHUNK = 1 << 20
DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, UnicodeDecodeError)


class ArchiveError(Exception):
    """The file is no whole backup of ours; the message says what is wrong with it."""


class Writer:
    """Adds members to a backup; use `writing`, which writes the list of checksums at its end."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        """Write to an open tar."""
        self._tar = tar
        self.sums: dict[str, str] = {}
        self.bytes = 0

    def add(self, name: str, source: IO[bytes], size: int, mode: int = 0o600) -> None:
        """Add `size` bytes of `source` as a member.

        Raises:
            ArchiveError: the source ended early.
        """
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, mode, int(time.time())
        hashed = _Hashed(source)
        try:
            self._tar.addfile(entry, hashed)
        except OSError as error:
            if hashed.count < size:
                raise ArchiveError(f"{name} became shorter while it was read; make the backup again.") from error
            raise
        self.sums[name] = hashed.digest
        self.bytes += size

    def add_file(self, name: str, path: Path) -> None:
        """Add a file of the disk, as long as it is now."""
        with path.open("rb") as source:
            status = path.stat()
            self.add(name, source, status.st_size, stat.S_IMODE(status.st_mode))


class _Hashed:
    """A source of bytes that hashes what is read of it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._sha256 = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        found = self._source.read(size)
        self._sha256.update(found)
        self.count += len(found)
        return found

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()


@contextmanager
def writing(file: IO[bytes], manifest: dict[str, Any], *, compressed: bool) -> Iterator[Writer]:
    """Write a backup to a stream; `manifest`, as it is when the block ends, becomes the last member with the checksums."""
    with tarfile.open(fileobj=file, mode="w|gz" if compressed else "w|", bufsize=CHUNK) as tar:
        writer = Writer(tar)
        yield writer
        text = json.dumps({"format": FORMAT} | manifest | {"files": writer.sums}, indent=1).encode()
        writer.add(MANIFEST, io.BytesIO(text), len(text))


def read(file: IO[bytes], folder: Path | None = None) -> dict[str, Any]:
    """Read a backup whole, hold each member to its checksum, and give its manifest.

    Args:
        file: the stream, compressed or not.
        folder: where the members are written; nowhere if None.

    Raises:
        ArchiveError: it is cut, damaged, of another format, or no backup.
    """
    sums: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=file, mode="r|*", bufsize=CHUNK) as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None:
                    raise ArchiveError(f"{entry.name} is no plain file; this is no backup of OpenPersonalize.")
                if entry.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    sums[entry.name] = _unpack(content, folder, entry)
    except (*DAMAGED, ValueError) as error:
        raise ArchiveError(f"The backup cannot be read: {error}.") from error
    return _checked(manifest, sums)


def _unpack(content: IO[bytes], folder: Path | None, entry: tarfile.TarInfo) -> str:
    source = _Hashed(content)
    if folder is None:
        while source.read(CHUNK):
            continue
        return source.digest
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts:
        raise ArchiveError(f"{entry.name} would leave the folder; this is no backup of OpenPersonalize.")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        while block := source.read(CHUNK):
            target.write(block)
    path.chmod(0o400 | (entry.mode & 0o700))
    return source.digest


def _checked(manifest: dict[str, Any] | None, sums: dict[str, str]) -> dict[str, Any]:
    if manifest is None:
        raise ArchiveError("The backup is incomplete: it was cut, or is no backup of OpenPersonalize.")
    if manifest.get("format") != FORMAT:
        raise ArchiveError(f"The backup is of format {manifest.get('format')}; this release reads format {FORMAT}.")
    listed: dict[str, str] = manifest["files"]
    wrong = sorted(name for name in listed.keys() | sums.keys() if listed.get(name) != sums.get(name))
    if wrong:
        raise ArchiveError(f"{len(wrong)} files of the backup are damaged or missing, such as {wrong[0]}.")
    return manifest
