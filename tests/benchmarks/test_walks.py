"""The benchmark of the walks: what it counts and how it is written down."""

from __future__ import annotations

import os
import time

from benchmarks.walks import Taken, cpu_seconds, table


def test_it_works():
    rows = [Taken("Sample to a list", clicks=2, most=4, seconds=12.34, cpu_s=17.8, load=0.52)]
    assert table(rows).splitlines()[-1] == "| Sample to a list | 2 | 4 | 12 | 18 | 0.5 |"


def test_processor_seconds_are_those_of_all_the_processes():
    before = cpu_seconds([os.getpid()])
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass
    assert cpu_seconds([os.getpid()]) - before > 0.1
    assert cpu_seconds([os.getpid(), os.getpid()]) > cpu_seconds([os.getpid()])


def test_a_process_that_has_ended_meanwhile_counts_for_nothing():
    assert cpu_seconds([2**22 + 1]) == 0
