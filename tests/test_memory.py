"""A process gives back what it has freed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from recipes.memory import give_back_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

held = [bytearray(2000) for _ in range(100_000)]
held = held[::50]
before = resident()
give_back_memory()
print(before - resident())
"""


def test_what_was_freed_is_given_back():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert int(done.stdout) > 100 * 2**20


# What lives as long as the server imports, and libraries it has no use for, megabytes each.
WAITING = {
    "import console.management.processes": {"django", "celery", "redis", "asyncio", "numpy", "botocore"},
    "import console.clock": {"django.db", "console.models", "numpy", "botocore"},
    "import django; django.setup(); import console.tasks": {"numpy", "boto3", "console.operations"},
    "import django; django.setup(); import console.front.server": {
        "torch", "pandas", "optuna", "boto3", "scipy.optimize", "scipy.stats", "scipy.spatial"
    },
}  # fmt: skip


@pytest.mark.parametrize("program", WAITING)
def test_what_waits_imports_only_what_it_needs(program, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"],
        env=os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "console.settings"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert WAITING[program] & set(done.stdout.split()) == set()
