"""Checksums of an artefact's files, written into its manifest: a damaged file is noticed before it is mapped.

CRC-32, as damage by disks and interrupted copies is the danger, not forgery; it runs at several GB/s without the GIL.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

CHUNK = 1 << 20
MANIFEST = "manifest.json"
FILES, CHECKSUM = "files", "checksum"


class DamagedError(ValueError):
    """A file of an artefact is missing, or is not what was written."""


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with the sizes and checksums of the folder's files, and its own."""
    sealed = {name: value for name, value in manifest.items() if name != CHECKSUM}
    sealed[FILES] = {
        path.name: {"bytes": path.stat().st_size, "crc32": crc32(path)}
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }
    (folder / MANIFEST).write_text(json.dumps(sealed | {CHECKSUM: _checksum(sealed)}, indent=1))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest and hold all files of the folder to it; those written before there were checksums pass.

    Raises:
        FileNotFoundError: there is no manifest.
        DamagedError: the manifest or a file is damaged, or a file is missing.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except ValueError:
        raise DamagedError(f"{MANIFEST} is damaged") from None
    if not isinstance(manifest, dict):
        raise DamagedError(f"{MANIFEST} is damaged")
    if CHECKSUM not in manifest:
        return manifest
    if manifest[CHECKSUM] != _checksum({name: value for name, value in manifest.items() if name != CHECKSUM}):
        raise DamagedError(f"{MANIFEST} is damaged")
    for name, written in manifest[FILES].items():
        _verify(folder / name, written)
    return manifest


def _verify(path: Path, written: dict[str, int]) -> None:
    if not path.is_file():
        raise DamagedError(f"{path.name} is missing")
    if (size := path.stat().st_size) != written["bytes"]:
        raise DamagedError(f"{path.name} has {size:,} bytes, it was written with {written['bytes']:,}")
    if crc32(path) != written["crc32"]:
        raise DamagedError(f"{path.name} is damaged")


def crc32(path: Path) -> int:
    """The checksum of a file."""
    found = 0
    buffer = bytearray(CHUNK)
    with path.open("rb", buffering=0) as file:
        while length := file.readinto(buffer):
            found = zlib.crc32(memoryview(buffer)[:length], found)
    return found


def _checksum(manifest: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(manifest, sort_keys=True).encode())
