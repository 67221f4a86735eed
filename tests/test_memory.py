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


MAPPED = """
import sys
from pathlib import Path

import numpy as np

from recipes import artefact
from recipes.data import Ids, Interactions, TrainingData

def of_files():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))

size = 4_000_000
index, kind, value = np.zeros(size, np.int32), np.zeros(size, np.int16), np.ones(size, np.float32)
events = Interactions(index, index, np.arange(size), kind, ("view",), value)
held = artefact.mapped(TrainingData(Ids(["a"]), Ids(["x"]), events), Path(sys.argv[1])).interactions
for file in Path(sys.argv[1]).iterdir():
    file.unlink()
before = of_files()
read = [int(held.timestamp.sum()), float(held.event_value.sum())]
touched = of_files() - before
mask = np.arange(size) % 2 == 1
part = held.keep(mask)
print(touched, of_files() - before, read == [size * (size - 1) // 2, size], np.array_equal(part.timestamp, np.flatnonzero(mask)))
"""


def test_pages_of_mapped_events_are_given_back_when_a_part_is_taken_and_are_read_again(tmp_path):
    done = subprocess.run([sys.executable, "-c", MAPPED, str(tmp_path)], check=True, capture_output=True, text=True)
    touched, left, *right = done.stdout.split()
    assert int(touched) > 40 * 2**20
    assert int(left) < 10 * 2**20
    assert right == ["True", "True"]


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
