"""The power goes at every point of publishing: what has its name is whole, and what was acknowledged is there.

Each system call that names or syncs something is followed by a copy of the folder as a disk may hold it: files that nobody
synced have lost their second half. Names that were not synced are lost as well when the call returns.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from console import storage

CONTENT = b"0123456789" * 1000


class PowerLog:
    """Records what is synced and named below a folder, and keeps the folder at each point."""

    def __init__(self, root: Path, cuts: Path, monkeypatch) -> None:
        self.root, self.folder = root, cuts
        self.cuts: list[Path] = []
        self.unsynced_names: set[Path] = set()
        self._synced: dict[tuple[int, int], tuple[int, int]] = {}
        self._is_copying, self._numbers = False, itertools.count()
        for name in ("rename", "replace", "link", "mkdir", "fsync"):
            monkeypatch.setattr(os, name, self._recorded(name, getattr(os, name)))

    def _recorded(self, name: str, call: Callable) -> Callable:
        def wrapped(*args, **kwargs):
            if self._is_copying:
                return call(*args, **kwargs)
            self._cut()
            result = call(*args, **kwargs)
            self._note(name, args)
            self._cut()
            return result

        return wrapped

    def _note(self, name: str, args: tuple) -> None:
        if name == "fsync":
            status = os.fstat(args[0])
            path = Path(f"/proc/self/fd/{args[0]}").readlink()
            self.unsynced_names = {known for known in self.unsynced_names if known.parent != path}
            if stat.S_ISREG(status.st_mode):
                self._synced[status.st_dev, status.st_ino] = status.st_size, status.st_mtime_ns
        else:
            self.unsynced_names.add(Path(args[0 if name == "mkdir" else 1]))

    def _cut(self) -> None:
        self._is_copying = True
        copy = self.folder / str(next(self._numbers))
        shutil.copytree(self.root, copy)
        for path in self.root.rglob("*"):
            status = path.stat()
            is_safe = self._synced.get((status.st_dev, status.st_ino)) == (status.st_size, status.st_mtime_ns)
            if path.is_file() and not is_safe:
                lost = copy / path.relative_to(self.root)
                lost.chmod(0o600)
                os.truncate(lost, status.st_size // 2)
        self.cuts.append(copy)
        self._is_copying = False


@pytest.fixture
def log(settings, tmp_path, monkeypatch) -> PowerLog:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (tmp_path / "cuts").mkdir()
    return PowerLog(settings.DATA_DIR, tmp_path / "cuts", monkeypatch)


def held(settings, log: PowerLog, folder: storage.Location) -> list[dict[str, bytes]]:
    """What readers find after the power went, at each point."""
    found = []
    for cut in log.cuts:
        settings.DATA_DIR = cut
        files = {}
        for place in storage.list_objects(folder, recursive=True):
            with storage.open_read(place) as file:
                files[place.key] = file.read()
        found.append(files)
    return found


def lost_names(log: PowerLog, below: str) -> set[Path]:
    """Names that a loss of power after the return could take away."""
    return {path for path in log.unsynced_names if path.is_relative_to(log.root / below) and path.exists()}


def test_a_file_has_its_name_when_it_is_whole(log, settings, tmp_path):
    (tmp_path / "draft").write_bytes(CONTENT)
    storage.put_file(tmp_path / "draft", storage.store("parts/a/one.parquet"))
    assert lost_names(log, "store") == set()
    found = held(settings, log, storage.store("parts/"))
    assert {len(files.get("parts/a/one.parquet", b"")) for files in found} == {0, len(CONTENT)}


def test_a_written_object_has_its_name_when_it_is_whole(log, settings):
    with storage.open_write(storage.Location("bucket", "out/answers.csv")) as file:
        file.write(CONTENT)
    assert lost_names(log, "buckets") == set()
    found = held(settings, log, storage.Location("bucket", ""))
    assert {len(files.get("out/answers.csv", b"")) for files in found} == {0, len(CONTENT)}


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_folder_is_there_with_all_its_files_or_not_at_all(log, settings, tmp_path, before):
    def publish(content: bytes) -> None:
        draft = tmp_path / "model"
        draft.mkdir()
        for name in ("manifest.json", "model.safetensors", "ids.arrow"):
            (draft / name).write_bytes(content)
        storage.publish_folder(draft, "artefacts/a")

    if before:
        publish(before)
        log.cuts.clear()
    publish(CONTENT)
    assert lost_names(log, "store") == set()
    states = {tuple(sorted(map(len, files.values()))) for files in held(settings, log, storage.store("artefacts/"))}
    whole = {(len(CONTENT),) * 3, *({(len(before),) * 3} if before else ())}
    assert (len(CONTENT),) * 3 in states
    assert states <= {(), *whole}
