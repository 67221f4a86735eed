"""`python benchmarks/processor_clock.py train …`: the library's shell on a machine of one thread whose clock counts this process's
processor seconds, so that a time budget buys the same work whatever else runs. It takes the `recipes` that PYTHONPATH names."""

from __future__ import annotations

import os
import runpy
import sys
import time

if __name__ == "__main__":
    time.monotonic = time.process_time
    os.cpu_count = lambda: 1
    sys.argv[0] = "recipes"
    runpy.run_module("recipes", run_name="__main__", alter_sys=True)
