"""The one training loop of the networks: learning-rate schedule, early stopping, time budget, progress, NaN guard.

The schedule follows whichever runs out first, the planned steps or the seconds, so that a model cut short by its budget
has still been annealed. Without a budget nothing depends on the clock, and a seed gives one model.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch

from recipes.base import RecipeError
from recipes.run import Progress, Run

REPORT_S = 0.5  # seconds between reports
WARM_UP = 0.03  # share of the training in which the learning rate rises
EARLY = 0.7  # of the training: the first two thirds, whatever an epoch is of it
PATIENCE = 3  # validations without a gain before training stops


class Trainable(Protocol):
    """A model that the loop can train."""

    def epoch(self, number: int) -> Iterator[Callable[[float], float]]:
        """The steps of an epoch; each takes the learning-rate factor (0 to 1) and returns its loss."""

    def snapshot(self) -> object:
        """A copy of the parameters."""

    def restore(self, snapshot: object) -> None:
        """Go back to a copy."""


def train(
    task: Trainable,
    *,
    steps: int,
    run: Run,
    validate: Callable[[], float] | None = None,
    least_gain: float = 1e-4,
    begin: float = 0.0,
) -> Outcome:
    """Train `task` for about `steps` steps or until the budget of `run` is spent; the best parameters are kept.

    Args:
        task: what is trained.
        steps: planned steps over all epochs.
        run: seconds and the watcher; StopRequested passes through.
        validate: a quality after an epoch, higher is better; the last parameters count without it.
        least_gain: what counts as a gain.
        begin: where on the learning-rate schedule to start; above 0 for a task that was trained before.

    Returns:
        The best quality, 0 without validation, and how fast it went.

    Raises:
        RecipeError: the loss is not a number.
    """
    best, kept, waited, number = -math.inf, None, 0, 0
    pace, reached = Pace(steps, run, begin), []
    while pace.progress < 1 and waited < PATIENCE:
        number += 1
        loss = _epoch(task, number, pace)
        quality = validate() if validate else 0.0
        metrics = {"loss": loss, "validation_ndcg_at_10": quality} if validate else {}
        run.on_progress(Progress("training", min(1.0, pace.progress), number if validate else None, metrics))
        reached.append((pace.progress, quality))
        if quality > best + least_gain or not validate:
            best, kept, waited = quality, task.snapshot(), 0
        else:
            waited += 1
    if kept is not None:
        task.restore(kept)
    early = max((quality for progress, quality in reached if progress <= EARLY), default=0.0)
    rise = best / early - 1 if early > 0 else math.inf
    return Outcome(max(best, 0.0), (run.clock() - pace.begun) / max(1, pace.done), rise)


@dataclass(frozen=True)
class Outcome:
    """What a training reached.

    Attributes:
        quality: of the best validation.
        step_seconds: of a step, with what validation took.
        rise: share by which that is better than the best of the first two thirds; infinite where none was validated then.
    """

    quality: float
    step_seconds: float
    rise: float


@dataclass
class Pace:
    """Progress of the training, by steps or by seconds, whichever is further."""

    steps: int
    run: Run
    begin: float = 0.0
    done: int = 0
    begun: float = field(init=False)
    budget: float = field(init=False)

    def __post_init__(self) -> None:
        """Set the budget to the seconds left."""
        self.begun, self.budget = self.run.clock(), max(1e-9, self.run.seconds_left)

    @property
    def progress(self) -> float:
        """0 at the beginning, 1 or more at the end."""
        return max(self.done / self.steps, (self.run.clock() - self.begun) / self.budget)

    @property
    def rate(self) -> float:
        """The learning-rate factor."""
        return rate(self.begin + (1 - self.begin) * self.progress)


def _epoch(task: Trainable, number: int, pace: Pace) -> float:
    """Train for one epoch, or for the rest of the training; return the mean loss."""
    total, count, reported = 0.0, 0, pace.run.clock()
    for step in task.epoch(number):
        progress = pace.progress
        if progress >= 1:
            break
        total += step(pace.rate)
        pace.done, count = pace.done + 1, count + 1
        if pace.run.clock() - reported > REPORT_S:
            pace.run.report("training", progress)
            reported = pace.run.clock()
    if not count:
        pace.done = pace.steps
    if not math.isfinite(total):
        raise RecipeError(f"Training diverged: the loss became {total}; are there extreme values in the metadata?")
    return total / max(1, count)


def rate(progress: float) -> float:
    """The learning-rate factor: a short rise, then half a cosine down to a fiftieth."""
    return min(1.0, (progress + 1e-3) / WARM_UP) * (0.49 * (1 + math.cos(math.pi * min(1.0, progress))) + 0.02)


@contextmanager
def reproducible(seed: int, *, small: bool = False) -> Iterator[None]:
    """Torch seeded and on as many threads as this machine may use; its state is put back afterwards.

    Small steps stay on one thread: what a second one saves is lost in waiting, all the more on a busy machine. Factors of matrix
    products are rounded to bfloat16 where the processor multiplies these faster (sums stay float32): a third less time for a step.
    """
    threads, state, precision = torch.get_num_threads(), torch.get_rng_state(), torch.get_float32_matmul_precision()
    allowed = int(os.environ.get("OMP_NUM_THREADS", "0")) or min(os.cpu_count() or 1, 8)
    torch.set_num_threads(1 if small else allowed)
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.set_rng_state(state)
