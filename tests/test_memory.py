"""A process gives back what it has freed."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from pathlib import Path
from console.memory import give_back_memory

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
