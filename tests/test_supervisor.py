"""The supervisor: real processes, killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from console.management.supervisor import AlreadyRunning, hold

SCRIPT = """
import sys
from pathlib import Path
from console.management.supervisor import Child, Supervisor, hold

folder = Path(sys.argv[1])
def child(name):
    code = f"import os, time; open({str(folder / name)!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(600)"
    return Child(name, [sys.executable, "-c", code], ready=lambda: (folder / name).exists())

held = hold(folder / "run" / "lock")
(folder / "prepared").touch()
Supervisor([child("one"), child("two")]).run((folder / "ready").touch)
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


def test_a_second_one_on_the_same_folder_is_refused_before_it_changes_anything(supervisor, tmp_path):
    (tmp_path / "prepared").unlink()
    second = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    assert "already runs" in second.stderr
    assert not (tmp_path / "prepared").exists()


GROUP = """
import os, subprocess, sys, time
code = f"import os, time; open({sys.argv[1]!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code])
time.sleep(600)
"""
PARENT = """
import sys
from pathlib import Path
from console.management.supervisor import Child, Supervisor, hold

folder = Path(sys.argv[1])
child = Child("group", [sys.executable, "-c", (folder / "group.py").read_text(), str(folder / "orphans")], ready=(folder / "orphans").exists)
held = hold(folder / "run" / "lock")
Supervisor([child]).run((folder / "ready").touch)
"""


def test_what_a_dead_child_left_behind_is_ended_before_it_is_replaced(tmp_path):
    (tmp_path / "group.py").write_text(GROUP)
    supervisor = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)])
    _wait((tmp_path / "ready").exists)
    _wait(lambda: _pids(tmp_path, "orphans"))
    (orphan,) = _pids(tmp_path, "orphans")
    os.kill(os.getpgid(orphan), signal.SIGKILL)  # the group's leader is the child; it cannot end its own
    _wait(lambda: len(_pids(tmp_path, "orphans")) == 2)
    _wait(lambda: not _alive(orphan))
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(timeout=20) == 0


def test_the_lock_is_held_by_the_program_that_inherits_it(tmp_path):
    lock = tmp_path / "run" / "lock"
    file = hold(lock)
    heir = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[file.fileno()])
    file.close()
    try:
        with pytest.raises(AlreadyRunning, match="already runs"):
            hold(lock)
    finally:
        heir.kill()
        heir.wait()
    hold(lock).close()
