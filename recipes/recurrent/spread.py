"""Local SGD: the network's training spread over the workers of an executor that has several machines.

All workers begin a round with the same parameters and moments, each learns from users of its own for some steps, and what they
come to is averaged here (Stich 2019, "Local SGD converges fast and communicates little"). A round is a `map` over its users: a
worker that dies costs its part of one round another try, and the parameters after each round are in this process. To the training
loop a round is a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from time import monotonic
from typing import Self

import numpy as np

from recipes.executor import current, prefetch
from recipes.numerics.arrays import Indexes
from recipes.recurrent.anytime import epoch_seconds
from recipes.recurrent.network import RecurrentTask, TrainingState
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import reproducible
from recipes.run import Run

LEAST_STEPS = 25  # of a worker in a round: about a second
MOST_STEPS = 200  # after which parameters would have gone too far apart
STATE_BYTES = 200_000  # that a round is longer by a step for: it takes 40 ms or so, of which sending these is a tenth
LEAST_ROUNDS = 6  # of an epoch, for workers to be used
LEAST_SECONDS = 60.0  # of the budget, below which too much of it would go by until workers have started
ROUND_SHARE = 0.05  # of the seconds left that a round may take, two of which tell the speed
LEAST_GAIN = 1.25  # events a second on the workers, of those in this process


@dataclass(frozen=True)
class Part:
    """What a worker does in a round: learn from these users at this rate, for so many seconds at most."""

    users: Indexes
    seed: int
    rate: float
    seconds: float | None


@dataclass(frozen=True)
class Learned:
    """What came of it: the parameters and moments, the steps, and the sum of their losses."""

    state: TrainingState
    steps: int
    loss: float

    def combine(self, other: Learned) -> Learned:
        """Of both workers; each counts by its steps."""
        steps = self.steps + other.steps
        state = self.state.mean(other.state, other.steps / steps) if other.steps else self.state
        return Learned(state, steps, self.loss + other.loss)


@dataclass
class SpreadTask:
    """A network whose steps are rounds on several workers; `recipes.recurrent.training.train` drives it.

    Attributes:
        local: the network as it is after the newest round.
        run: whose end cuts rounds short.
        workers: that learn in a round.
        sequences: what they learn from, as the executor shares it.
    """

    local: RecurrentTask
    run: Run
    workers: int
    sequences: Callable[[], RecurrentTask]

    @property
    def shape(self) -> Shape:
        """The network's."""
        return self.local.shape

    @property
    def steps_per_epoch(self) -> int:
        """How many rounds an epoch has."""
        return max(1, round(self.local.steps_per_epoch / (self.workers * round_steps(self.local))))

    @property
    def speed_steps(self) -> int:
        """A round: workers have started before."""
        return 1

    def deeper(self) -> Self:
        """An untrained one with another block."""
        return replace(self, local=self.local.deeper())

    def grown(self) -> Self:
        """A larger one with the same scores."""
        return replace(self, local=self.local.grown())

    def snapshot(self) -> object:
        """A copy of the parameters."""
        return self.local.snapshot()

    def restore(self, snapshot: object) -> None:
        """Go back to a copy."""
        self.local.restore(snapshot)

    def scorer(self) -> RecurrentScorer:
        """The network as it scores."""
        return self.local.scorer()

    def epoch(self, number: int) -> Iterator[Callable[[float], float]]:  # noqa: ARG002  the order comes from the rng
        """All users, dealt anew to the rounds and workers."""
        sizes = np.diff(self.local.offsets)
        order = self.local.rng.permutation(np.flatnonzero(sizes >= 2))
        ends = np.cumsum(sizes[order])
        count = self.steps_per_epoch * self.workers
        cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count)
        parts = [part for part in np.split(order, cuts) if len(part)]
        for begin in range(0, len(parts), self.workers):
            yield partial(self._round, parts[begin : begin + self.workers])

    def _round(self, users: Sequence[Indexes], rate: float) -> float:
        """Learn on the workers and average; the mean loss of their steps."""
        seconds = None if self.run.max_seconds is None else self.run.seconds_left
        seeds = self.local.rng.integers(2**31, size=len(users)).tolist()
        parts = [Part(part, seed, rate, seconds) for part, seed in zip(users, seeds, strict=True)]
        learn = partial(_learned, self.sequences, self.local.shape, self.local.state())
        learned = reduce(Learned.combine, prefetch(learn, parts))
        self.local.resume(learned.state)
        return learned.loss / max(1, learned.steps)

    def start(self) -> None:
        """Have the workers import what they need, read the sequences, and learn a little, which is taken back."""
        before, users = self.snapshot(), np.flatnonzero(np.diff(self.local.offsets) >= 2)
        self._round([users[: self.shape.lanes]] * self.workers, 0.0)
        self.restore(before)


def spread(task: RecurrentTask, run: Run) -> RecurrentTask | SpreadTask:
    """The task on the workers of the executor in force where that pays, else the task itself.

    It pays where there are several, with several rounds to do in an epoch; under a budget only if events are read faster, as
    measured. Without a budget nothing depends on the clock.
    """
    steps = round_steps(task)
    most = task.steps_per_epoch // (LEAST_ROUNDS * steps)
    if most < 2 or steps > MOST_STEPS or run.seconds_left < LEAST_SECONDS:
        return task  # before the executor is asked, which connects to a cluster
    workers = min(most, current().shards)
    if workers < 2:
        return task
    here = epoch_seconds(task, run)
    if here * steps / task.steps_per_epoch > ROUND_SHARE * run.seconds_left:
        return task
    there = SpreadTask(task, run, workers, current().share(task.sequences()))
    if run.max_seconds is None:
        return there
    there.start()
    return there if here >= LEAST_GAIN * epoch_seconds(there, run) else task


def round_steps(task: RecurrentTask) -> int:
    """Steps of a worker in a round, by what is sent for it."""
    return LEAST_STEPS + task.state().nbytes // STATE_BYTES


def _learned(sequences: Callable[[], RecurrentTask], shape: Shape, begun: TrainingState, part: Part) -> Learned:
    """What a worker does: learn from the users of a part, from where the round begins."""
    deadline = None if part.seconds is None else monotonic() + part.seconds
    steps, loss = 0, 0.0
    with reproducible(part.seed, small=True):
        task = sequences().of(shape, begun)
        task.rng = np.random.default_rng(part.seed)
        for step in task.read(part.users):
            if deadline is not None and monotonic() > deadline:
                break
            loss += step(part.rate)
            steps += 1
    return Learned(task.state(), steps, loss)
