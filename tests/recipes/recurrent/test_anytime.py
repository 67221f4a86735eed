"""What is trained and served under a budget, on machines whose clocks are simulated: no verdict hangs on this machine's speed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from recipes.recurrent.anytime import Best, improved, train_anytime
from recipes.run import Run

STEPS, EPOCHS = 20, 7.0
BUDGETS = (5.0, 10.0, 30.0, 60.0, 120.0, 240.0, 1000.0)


def idle(now: float) -> float:
    return 1.0


def busy(now: float) -> float:
    return 4.0


def bursts(now: float) -> float:
    return 1.0 if int(now / 7) % 3 == 0 else 6.0


def soon_busy(now: float) -> float:
    return 1.0 if now < 20 else 10.0


LOADS = (idle, busy, bursts, soon_busy)


class Machine:
    """A clock that goes on by what work costs, more where other work runs."""

    def __init__(self, load: Callable[[float], float] = idle) -> None:
        self.now, self.load = 0.0, load

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        self.now += seconds * self.load(self.now)

    def run(self, seconds: float | None) -> Run:
        return Run(max_seconds=seconds, started=self.now, clock=self)


class Learner:
    """A network that learns with saturation; a larger one learns more, at half as much again for a step, and is at first as good."""

    def __init__(self, machine: Machine, blocks: int = 1, learned: float = 0.0, limit: float = math.inf) -> None:
        self.machine, self.blocks, self.learned, self.limit = machine, blocks, learned, limit

    @property
    def steps_per_epoch(self) -> int:
        return STEPS

    @property
    def speed_steps(self) -> int:
        return 12

    def epoch(self, number: int):
        def step(rate: float) -> float:
            self.machine.work(0.25 * (1 + 0.5 * (self.blocks - 1)))
            best = min(self.limit, 0.2 + 0.01 * (self.blocks - 1))
            self.learned += (best - self.learned) * min(1.0, rate) * 0.08
            return 1.0

        for _ in range(STEPS):
            yield step

    def deeper(self) -> Learner:
        return Learner(self.machine, self.blocks + 1, limit=self.limit)

    def grown(self) -> Learner:
        return Learner(self.machine, self.blocks + 1, self.learned, self.limit)

    def snapshot(self) -> float:
        return self.learned

    def restore(self, snapshot: object) -> None:
        assert isinstance(snapshot, float)
        self.learned = snapshot


def quality(network: Learner) -> float:
    network.machine.work(0.2)
    return network.learned


def trained(
    load: Callable[[float], float], seconds: float | None, *, is_large: bool = True
) -> tuple[Best[Learner], Machine]:
    machine = Machine(load)
    best = train_anytime(Learner(machine), epochs=EPOCHS, run=machine.run(seconds), validate=quality, is_large=is_large)
    return best, machine


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("load", LOADS)
def test_a_longer_budget_is_never_worse(load, is_large):
    reached = [trained(load, seconds, is_large=is_large)[0].quality for seconds in BUDGETS]
    for shorter, longer in pairwise(reached):
        assert longer >= shorter - 1e-3


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("seconds", BUDGETS)
def test_it_ends_with_the_budget(load, seconds):
    longest = (0.25 * 2 + 2 * 0.2) * 10  # a step and two validations at the highest load
    assert trained(load, seconds)[1].now <= seconds + longest


def test_what_is_measured_best_is_what_comes_out():
    for load in LOADS:
        for seconds in BUDGETS:
            best = trained(load, seconds)[0]
            assert best.network.learned == pytest.approx(best.quality)


@pytest.mark.parametrize("load", LOADS)
def test_the_budget_is_used_while_validation_gains(load):
    best, machine = trained(load, 60.0)
    assert machine.now >= 0.9 * 60 or best.quality > 0.2095


def test_the_larger_network_needs_time_for_more_than_a_glance():
    assert trained(idle, 30.0)[0].network.blocks == 1
    assert trained(busy, 60.0)[0].network.blocks == 1
    assert trained(idle, 240.0)[0].network.blocks == 2


def busy_at_first(now: float) -> float:
    return 10.0 if now < 60 else 1.0


@pytest.mark.parametrize("seconds", [240.0, None])
def test_the_larger_network_is_trained_from_the_start_where_its_epochs_are_affordable(seconds):
    machine = Machine()
    small = Learner(machine)
    found = train_anytime(small, epochs=EPOCHS, run=machine.run(seconds), validate=quality).network
    assert (found.blocks, small.learned) == (2, 0.0)


def test_a_network_grows_where_time_is_left_after_all():
    assert trained(busy_at_first, 240.0)[0].network.blocks == 2


@pytest.mark.parametrize(
    ("seconds", "known", "goes_on"), [(400.0, 100_000.0, False), (400.0, 0.0, True), (1000.0, 100_000.0, True)]
)
def test_training_goes_on_where_its_last_third_gained_or_time_is_ample(seconds, known, goes_on):
    machine = Machine()
    train_anytime(
        Learner(machine), epochs=EPOCHS, run=machine.run(seconds), validate=lambda _: known + min(500.0, machine.now)
    )
    planned = EPOCHS * STEPS * 0.25 * 1.5
    assert (machine.now > 1.3 * planned) == goes_on


def test_the_smaller_network_stays_where_the_larger_is_not_better():
    machine = Machine(busy_at_first)
    learner = Learner(machine, limit=0.1)
    worse = train_anytime(
        learner,
        epochs=EPOCHS,
        run=machine.run(240.0),
        validate=lambda network: quality(network) - 0.1 * (network.blocks > 1),
    )
    assert worse.network is learner


def test_without_a_budget_nothing_depends_on_the_clock():
    assert trained(idle, None)[0].quality == trained(bursts, None)[0].quality


def test_a_round_that_loses_is_taken_back():
    machine = Machine()
    learner = Learner(machine, learned=0.15)
    best = improved(
        Best(learner, 0.15, 5.0), epochs=2, run=machine.run(100.0), validate=lambda network: 0.3 - network.learned
    )
    assert best.quality == learner.learned == 0.15


def test_a_round_may_lose_what_is_tolerated():
    machine = Machine()
    learner = Learner(machine, learned=0.15)

    def falling(network: Learner) -> float:
        return 1.0 if network.learned == 0.15 else 0.995

    kept = improved(Best(learner, 1.0, 5.0), epochs=2, run=machine.run(100.0), validate=falling, tolerance=0.01)
    assert kept.quality == 0.995
    assert learner.learned > 0.15
