"""Training spread over workers, here computed one after the other by an executor that has two; on Ray: test_executor.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count

import numpy as np
import pytest

from recipes.executor import Threads, using
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.spread import SpreadTask, spread
from recipes.recurrent.training import reproducible
from recipes.run import Run
from tests.recipes.recurrent.walking import share_right, task_on, trained, walks


class TwoWorkers(Threads):
    """Pieces as if two machines computed them: torch's draws are of one thread at a time."""

    parallelism = shards = 2

    def map(self, function: Callable, tasks: Iterable) -> Iterator:
        return map(function, tasks)


@pytest.fixture(autouse=True)
def small_rounds(monkeypatch):
    """Of which little data make several."""
    monkeypatch.setattr("recipes.recurrent.spread.LEAST_STEPS", 4)


def trained_by_two(epochs: int = 4) -> RecurrentScorer:
    with using(TwoWorkers()):
        return trained(epochs)


def test_it_learns_what_one_process_learns_from_as_many_events():
    alone = share_right(trained(4))
    assert alone > 0.7
    assert share_right(trained_by_two()) > alone - 0.05


def test_the_same_seed_gives_the_same_network():
    first, second = trained_by_two(1), trained_by_two(1)
    np.testing.assert_array_equal(first.table, second.table)
    np.testing.assert_array_equal(first.weights["norm.weight"], second.weights["norm.weight"])


def test_an_epoch_deals_all_users_to_the_workers_once():
    dealt: list[int] = []

    class Looking(TwoWorkers):
        def map(self, function: Callable, tasks: Iterable) -> Iterator:
            tasks = list(tasks)
            assert len(tasks) <= 2
            dealt.extend(np.concatenate([task.users for task in tasks]).tolist())
            return super().map(function, tasks)

    with reproducible(0, small=True), using(Looking()):
        task = spread(task_on(walks()), Run())
        rounds = [step(0.1) for step in task.epoch(1)]
    assert len(rounds) == task.steps_per_epoch > 1
    assert sorted(dealt) == list(range(80))


def test_one_process_trains_where_there_is_little_to_do(monkeypatch):
    monkeypatch.setattr("recipes.recurrent.spread.LEAST_STEPS", 25)
    task = task_on(walks())
    with using(TwoWorkers()):
        assert spread(task, Run()) is task


def ticking() -> Run:
    """A run on whose clock time goes by when it is looked at, which a round does more often than the steps of this process."""
    ticks = count()
    return Run(max_seconds=1e6, started=0.0, clock=lambda: float(next(ticks)))


def test_one_process_trains_where_the_budget_is_short_or_workers_are_not_faster(monkeypatch):
    task = task_on(walks())
    with using(TwoWorkers()):
        assert spread(task, Run(max_seconds=20)) is task
        assert spread(task, ticking()) is task


def test_a_round_ends_with_the_budget():
    class Slow(TwoWorkers):
        def map(self, function: Callable, tasks: Iterable) -> Iterator:
            for task in tasks:
                assert task.seconds is not None
                result = function(task)
                assert result.steps == 0 or task.seconds > 0
                yield result

    now = 0.0
    run = Run(max_seconds=100, started=0.0, clock=lambda: now)
    with reproducible(0, small=True), using(Slow()):
        local = task_on(walks())
        task = SpreadTask(local, run, 2, local.sequences)
        before = local.table.clone()
        step = next(iter(task.epoch(1)))
        now = 100.0
        assert step(1.0) == 0.0
        assert (local.table == before).all()
