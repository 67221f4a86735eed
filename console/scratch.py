"""Temporary folders on the store's file system, so that publishing is a rename; what a killed process leaves is swept away.

A folder is locked while its process uses it. A lock goes with its process, so that what is not locked is nobody's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A temporary folder, gone when the block ends."""
    root = _root()
    with _locked(root, fcntl.LOCK_SH):  # between its making and its lock nobody sweeps
        folder = tempfile.mkdtemp(dir=root)
        held = _open(Path(folder))
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep() -> int:
    """Remove the folders of processes that are gone; returns how many."""
    root, count = _root(), 0
    with _locked(root, fcntl.LOCK_EX):
        for folder in root.iterdir():
            if folder.is_dir() and _is_nobodys(folder):
                shutil.rmtree(folder, ignore_errors=True)
                count += 1
            elif folder.is_file():
                folder.unlink(missing_ok=True)
    return count


def _is_nobodys(folder: Path) -> bool:
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    opened = _open(folder)
    try:
        fcntl.flock(opened, how)
        yield
    finally:
        os.close(opened)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _root() -> Path:
    path: Path = settings.DATA_DIR / "scratch"
    path.mkdir(parents=True, exist_ok=True)
    return path
