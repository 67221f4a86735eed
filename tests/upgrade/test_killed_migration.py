"""A migration of an earlier release's database that is killed again and again: the next one goes on, and nothing is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.upgrade import RELEASES

ROOT = Path(__file__).parents[2]
AT_ONCE = 3  # migrations that a process is left to apply
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="the folders hold SQLite databases"),
]


def unpacked(release: Path, folder: Path) -> Path:
    with tarfile.open(release.with_suffix(".tar.xz")) as tar:
        tar.extractall(folder, filter="data")
    return folder


def begin(data_dir: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "console.settings"}
    return subprocess.Popen([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment)


def shape(data_dir: Path) -> list[tuple[str, str]]:
    """The tables and indexes of a database, and how many rows each table has."""
    with sqlite3.connect(data_dir / "console.sqlite3") as rows:
        found = rows.execute("SELECT name, type, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name").fetchall()
        tables = [name for name, kind, _ in found if kind == "table"]
        counts = {name: rows.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    return [(name, f"{sql} {counts.get(name)}") for name, _, sql in found if not name.startswith("sqlite_")]


def applied(data_dir: Path) -> int:
    with sqlite3.connect(data_dir / "console.sqlite3") as rows:
        return rows.execute("SELECT COUNT(*) FROM django_migrations").fetchone()[0]


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_the_next_one_goes_on(release, tmp_path):
    whole, killed = (unpacked(release, tmp_path / name) for name in ("whole", "killed"))
    assert begin(whole).wait() == 0
    left_at = []
    while applied(killed) < applied(whole):
        enough, process = applied(killed) + AT_ONCE, begin(killed)
        while process.poll() is None and applied(killed) < enough:
            time.sleep(0.001)
        process.kill()  # within the next one, unless that was the last
        process.wait()
        left_at.append(applied(killed))
    assert len(left_at) > 1, left_at
    assert begin(killed).wait() == 0
    assert shape(killed) == shape(whole)
    events = json.loads(release.read_text())["events"]
    with sqlite3.connect(killed / "console.sqlite3") as rows:
        assert rows.execute("SELECT COUNT(*) FROM console_event").fetchone() == (events,)
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
