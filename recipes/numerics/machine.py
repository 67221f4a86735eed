"""How fast this machine computes now, by which a time budget is turned into sizes."""

from __future__ import annotations

from time import monotonic

import numpy as np

from recipes.run import Run

FLOPS_PER_SECOND = 60e9  # of a core that has nothing else to do
SOLVE_COST = 2.4  # operations of solving a ridge, by the cube of its items; a profile's takes 1
SPEED_SIDE = 512  # of the matrices whose products are timed
SPEED_SECONDS = 0.2  # of measuring, at most
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


def has_time(seconds: float, run: Run) -> bool:
    """Whether there is time for what takes a machine at rest so many seconds."""
    return run.seconds_left > seconds * FLOPS_PER_SECOND / flops_per_second(run)
