"""How fast this machine computes now, by which a time budget is turned into sizes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, process_time

import numpy as np
from threadpoolctl import threadpool_limits

from recipes.run import Run

FLOPS_PER_SECOND = 60e9  # of a core that has nothing else to do
SOLVE_COST = 2.4  # operations of solving a ridge, by the cube of its items; a profile's takes 1
MIN_SECONDS = 0.2  # of the processor, that tell how much of it there is
SPEED_SIDE = 512  # of the matrices whose products are timed
SPEED_SECONDS = 0.05  # of measuring, at most
SPEED_SHARE = 0.01  # of a time budget that measuring may take


def flops_per_second(run: Run) -> float:
    """How fast this machine multiplies now, beside what else it does; `FLOPS_PER_SECOND` without a time budget."""
    if run.max_seconds is None:
        return FLOPS_PER_SECOND
    matrix = np.ones((SPEED_SIDE, SPEED_SIDE), np.float32)
    enough, products, began = min(SPEED_SECONDS, SPEED_SHARE * run.seconds_left), 0, monotonic()
    while not products or monotonic() - began < enough:
        _ = matrix @ matrix
        products += 1
    return min(FLOPS_PER_SECOND, products * 2.0 * SPEED_SIDE**3 / max(1e-9, monotonic() - began))


def is_busy() -> bool:
    """Whether more wants to be computed on this machine than it has cores."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return load > (os.cpu_count() or 1) + 0.5


@contextmanager
def suitable_threads(run: Run) -> Iterator[None]:
    """One thread for matrix products where a budget runs on a busy machine; without one a seed gives one model, to the last bit."""
    with contextlib.nullcontext() if run.max_seconds is None else idle_threads():
        yield


@contextmanager
def idle_threads() -> Iterator[None]:
    """One thread for matrix products on a busy machine.

    Threads that wait for each other there lose a turn of the processor at each step: two took a hundred times as long as one
    (load 15 on two cores), and an UPDATE of MovieLens 100K three times the processor time.
    """
    with threadpool_limits(1 if is_busy() else None):
        yield


@dataclass
class Slowness:
    """How many seconds of the clock one second of the processor takes here, beside other work; counted from when it is made."""

    run: Run
    began: float = field(init=False)
    own: float = field(default_factory=process_time)

    def __post_init__(self) -> None:
        """Look at the clock."""
        self.began = self.run.clock()

    def __call__(self) -> float:
        """1 on a machine at rest, and at least."""
        own = process_time() - self.own
        return max(1.0, (self.run.clock() - self.began) / own) if own > MIN_SECONDS else 1.0
