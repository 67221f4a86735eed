"""The supervisor: real processes, killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

SCRIPT = """
import sys
from pathlib import Path
from console.management.supervisor import Child, Supervisor

folder = Path(sys.argv[1])
def child(name):
    code = f"import os, time; open({str(folder / name)!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(600)"
    return Child(name, [sys.executable, "-c", code], ready=lambda: (folder / name).exists())

Supervisor([child("one"), child("two")], folder / "run" / "lock").run(lambda: (folder / "ready").touch())
"""


def _wait(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _pids(tmp_path, name) -> list[int]:
    path = tmp_path / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def supervisor(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)])
    _wait((tmp_path / "ready").exists)
    yield process
    process.kill()
    process.wait()


def test_ctrl_c_ends_all(supervisor, tmp_path):
    pids = [*_pids(tmp_path, "one"), *_pids(tmp_path, "two")]
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(timeout=20) == 0
    assert not any(map(_alive, pids))


def test_a_killed_child_is_started_again(supervisor, tmp_path):
    os.kill(_pids(tmp_path, "one")[0], signal.SIGKILL)
    _wait(lambda: len(_pids(tmp_path, "one")) == 2)
    assert len(_pids(tmp_path, "two")) == 1


def test_children_die_with_a_killed_supervisor(supervisor, tmp_path):
    pids = [*_pids(tmp_path, "one"), *_pids(tmp_path, "two")]
    supervisor.kill()
    supervisor.wait()
    _wait(lambda: not any(map(_alive, pids)))


def test_a_second_one_on_the_same_folder_is_refused(supervisor, tmp_path):
    second = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "already runs" in second.stderr
