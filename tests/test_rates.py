"""Token buckets recover, are shared between processes, and stay as small as they are."""

from __future__ import annotations

import os
import time

from console.rates import SLOTS, Rate


def test_a_bucket_fills_again():
    rate = Rate()
    assert rate.allows("a", 1000, 1)
    assert rate.allows("b", 1000, 1)
    time.sleep(0.01)
    assert rate.allows("a", 1000, 1)
    assert rate.allows("slow", 0.001, 1)
    assert not rate.allows("slow", 0.001, 1)
    rate.forget()
    assert rate.allows("slow", 0.001, 1)


def test_processes_count_together():
    rate = Rate()
    assert rate.allows("account", 0.001, 3)
    child = os.fork()
    if not child:
        os._exit(sum(rate.allows("account", 0.001, 3) for _ in range(5)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert not rate.allows("account", 0.001, 3)


def test_a_flood_of_names_takes_no_memory_and_leaves_who_asks_often_in_place():
    rate = Rate()
    assert rate.allows("often", 0.001, 2)
    for number in range(3 * SLOTS):
        assert rate.allows(f"name {number}", 0.001, 1)
        rate.allows("often", 0.001, 2)
    assert not rate.allows("often", 0.001, 2)
    assert len(rate._slots) * 8 < 2**17
