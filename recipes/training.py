"""The one training loop of the networks: learning-rate schedule, early stopping, time budget, progress, NaN guard.

The schedule follows whichever runs out first, the planned steps or the seconds, so that a model cut short by its budget
has still been annealed. Without a budget nothing depends on the clock, and a seed gives one model.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

import torch

from recipes.base import RecipeError, Run

REPORT_S = 0.5  # seconds between reports
WARM_UP = 0.03  # share of the training in which the learning rate rises
PATIENCE = 3  # validations without a gain before training stops


class Trainable(Protocol):
    """What the loop trains."""

    def epoch(self, number: int) -> Iterator[Callable[[float], float]]:
        """The steps of an epoch; each takes the learning-rate factor (0 to 1) and returns its loss."""

    def snapshot(self) -> object:
        """A copy of the parameters."""

    def restore(self, snapshot: object) -> None:
        """Go back to a copy."""


def train(
    task: Trainable, *, steps: int, run: Run, validate: Callable[[], float] | None = None, least_gain: float = 1e-4
) -> float:
    """Train `task` for about `steps` steps or until the budget of `run` is spent; the best parameters are kept.

    Args:
        task: what is trained.
        steps: planned steps over all epochs.
        run: seconds and the watcher; StopRequested passes through.
        validate: a quality after an epoch, higher is better; the last parameters count without it.
        least_gain: what counts as a gain.

    Returns:
        The best quality, 0 without validation.

    Raises:
        RecipeError: the loss is not a number.
    """
    best, kept, waited, done, number = -math.inf, None, 0, 0, 0
    budget, spent = run.seconds_left, monotonic()
    while done < steps and run.seconds_left > 0:
        number += 1
        total, count, reported = 0.0, 0, monotonic()
        for step in task.epoch(number):
            progress = max(done / steps, (monotonic() - spent) / budget if budget < math.inf else 0.0)
            if progress >= 1:
                break
            total += step(rate(progress))
            done, count = done + 1, count + 1
            if monotonic() - reported > REPORT_S:
                _check(total)
                run.report("training", min(1.0, progress))
                reported = monotonic()
        _check(total)
        quality = validate() if validate else 0.0
        run.report(
            "training",
            min(1.0, done / steps),
            epoch=number,
            loss=total / max(1, count),
            **({"validation_ndcg_at_10": quality} if validate else {}),
        )
        if quality > best + least_gain or not validate:
            best, kept, waited = quality, task.snapshot(), 0
        else:
            waited += 1
        if waited >= PATIENCE or not count:
            break
    if kept is not None:
        task.restore(kept)
    return max(best, 0.0)


def rate(progress: float) -> float:
    """The learning-rate factor: a short rise, then half a cosine down to a fiftieth."""
    return min(1.0, (progress + 1e-3) / WARM_UP) * (0.49 * (1 + math.cos(math.pi * min(1.0, progress))) + 0.02)


def _check(loss: float) -> None:
    if not math.isfinite(loss):
        raise RecipeError(f"Training diverged: the loss became {loss}; are there extreme values in the metadata?")


@contextmanager
def reproducible(seed: int, *, small: bool = False) -> Iterator[None]:
    """Torch seeded and on as many threads as this machine may use; its state is put back afterwards.

    Small steps stay on one thread: what a second one saves is lost in waiting, all the more on a busy machine.
    """
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    allowed = int(os.environ.get("OMP_NUM_THREADS", "0")) or min(os.cpu_count() or 1, 8)
    torch.set_num_threads(1 if small else allowed)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
