"""`python -m benchmarks.engines`: what a Ray cluster costs with one worker, and what two bring, against one thread of this process.

Four kinds of work: neighbours by blocks of items (aws-sims), sums over users (the moments of a sequence ridge) of ten times as many
events, lists of 200,000 users, and steps of the network. Seconds are those of the wall and those of the processors, of this
process and of all of Ray's. A worker's start, and the cluster's, are given apart. All numeric libraries have one thread, so that a
worker is a core. Two workers are set against one: by the wall, which tells on an idle machine, and by processor seconds, as if
this process computed first and then both workers, half each. `--write` renews results/engines.md.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import table
from benchmarks.generate import block, write_interactions
from benchmarks.scale import EVENTS_OF_A_USER, EVENTS_OF_AN_ITEM, FOLDER, ROOT

if TYPE_CHECKING:
    from recipes.data import Histories, TrainingData

SHARDED_ITEMS = 2_000  # of the ridge whose moments are summed
LISTED_USERS, LISTED_EVENTS = 200_000, 20
SUMMED = 10  # times the events
EPOCHS = 0.4  # of the network
ROUNDS = 1  # after the first, which is the start
WORKS = ("neighbours", "sums", "lists", "network")
COLUMNS = {
    "work": "work", "executor": "executor", "seconds": "seconds", "over": "of one thread", "speedup": "two of one",
    "cpu_s": "cpu_s", "cpu_over": "of one thread's", "own_cpu_s": "of this process", "cpu_speedup": "two of one",
    "start_s": "start_s", "start_cpu_s": "start_cpu_s", "load": "load",
}  # fmt: skip
Work = Callable[[], object]
Row = dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """Seconds of the wall, and of the processors: this process's and others'."""

    wall: float
    own: float
    others: float

    @property
    def cpu(self) -> float:
        """All of the processors'."""
        return self.own + self.others


def main() -> None:
    """Measure each kind of work on each executor, in turn, so that a busy machine is so for all of them."""
    options = _parser().parse_args()
    events = int(options.events)
    file = write_interactions(
        FOLDER / f"{events}.csv", events, events // EVENTS_OF_A_USER, max(500, events // EVENTS_OF_AN_ITEM)
    )
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    works = _works(file, events)
    rows = [row for name in options.works for row in _measured(name, works[name]())]
    page = _page(rows, events)
    print(page)
    if options.write:
        table.write_pages({"engines": page})


def _works(file: Path, events: int) -> dict[str, Callable[[], Work]]:
    """What makes each kind of work ready."""
    from recipes import catalogue
    from recipes.cli.tables import read_training
    from recipes.components.sequence_ridge import Moments
    from recipes.components.sums import over_users
    from recipes.components.window_kernel import WindowKernel
    from recipes.ranking import recommend
    from recipes.run import Run

    data = read_training(file)
    sims = catalogue.get("aws-sims")()
    moments = partial(Moments.partial, WindowKernel(20, 0.8, 3), SHARDED_ITEMS, Run())

    def sums() -> Work:
        users = SUMMED * events // EVENTS_OF_A_USER
        return partial(over_users, moments, _histories(users, EVENTS_OF_A_USER, SHARDED_ITEMS))

    def lists() -> Work:
        model = sims.fit(data, Run())
        return partial(recommend, model, _histories(LISTED_USERS, LISTED_EVENTS, data.num_items), 25)

    return {
        "neighbours": lambda: partial(sims.fit, data, Run()),
        "sums": sums,
        "lists": lists,
        "network": lambda: _training(data),
    }


def _training(data: TrainingData) -> Work:
    """Some of an epoch of a network, whose first item table is there."""
    from recipes.recurrent.network import RecurrentTask
    from recipes.recurrent.shape import Shape
    from recipes.recurrent.spread import spread
    from recipes.recurrent.training import reproducible, train
    from recipes.run import Run

    histories, none = data.histories(), np.zeros((data.num_items, 0), np.float32)
    shape = Shape.of(149, 32, len(histories.item_index), data.num_items)
    network = RecurrentTask(shape, histories, data.num_items, none, 0, 0)

    def work() -> None:
        with reproducible(0, small=True):
            task = spread(network, Run())
            train(task, steps=max(1, int(EPOCHS * task.steps_per_epoch)), run=Run())

    return work


def _histories(users: int, each: int, num_items: int) -> Histories:
    """Generated users with so many events each, on average."""
    from recipes.data import Histories

    made = block(np.random.default_rng(1), 0, users, each, num_items)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(made["USER_ID"], minlength=users))])
    types = np.full(offsets[-1], -1, np.int16)
    return Histories(offsets, made["ITEM_ID"] % num_items, made["TIMESTAMP"], types, np.arange(users), {})


def _measured(name: str, work: Work) -> Iterator[Row]:
    """The best of some rounds on each executor."""
    taken: list[Taken] = []
    for workers in (0, 1, 2):
        with _executor(workers) as (driver, children):
            started = _taken(work, children)
            best = min((_taken(work, children) for _ in range(ROUNDS)), key=lambda one: one.cpu)
        taken.append(best)
        speedups: tuple[object, object] = ("", "")
        if workers == 2:
            speedups = round(taken[1].wall / best.wall, 2), round(taken[1].cpu / (best.own + best.others / 2), 2)
        yield _told(
            {
                "work": name, "executor": driver, "seconds": round(best.wall, 2), "over": round(best.wall / taken[0].wall, 2),
                "speedup": speedups[0], "cpu_s": round(best.cpu, 2), "cpu_over": round(best.cpu / taken[0].cpu, 2),
                "own_cpu_s": round(best.own, 2), "cpu_speedup": speedups[1], "start_s": round(started.wall - best.wall, 1),
                "start_cpu_s": round(started.cpu - best.cpu, 1), "load": round(os.getloadavg()[0], 1),
            }
        )  # fmt: skip


def _told(row: Row) -> Row:
    print(json.dumps(row), flush=True)
    return row


@contextmanager
def _executor(workers: int) -> Iterator[tuple[str, bool]]:
    """One thread of this process for no workers, else a Ray of so many; its name, and whether it has processes of its own."""
    from recipes.executor import Threads, using
    from recipes.ray_cluster import RayCluster

    if not workers:
        alone = Threads()
        alone.parallelism = 1
        with using(alone):
            yield "one thread", False
        return
    cluster = RayCluster(workers=workers)
    try:
        with using(cluster):
            yield f"Ray, {workers} worker{'s' * (workers > 1)}", True
    finally:
        cluster.close()


def _taken(work: Work, children: bool) -> Taken:
    """Seconds that it takes."""
    began, before = time.perf_counter(), _cpu_seconds(children)
    work()
    own, others = (after - first for after, first in zip(_cpu_seconds(children), before, strict=True))
    return Taken(time.perf_counter() - began, own, others)


def _cpu_seconds(children: bool) -> tuple[float, float]:
    """Processor seconds of this process, and of those that descend from it and live."""
    parents, seconds = {}, {}
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        seconds[int(folder.name)] = sum(map(int, fields[11:15])) / ticks  # with those of children that were waited for
    family = {os.getpid()}
    while children and (more := {pid for pid, parent in parents.items() if parent in family} - family):
        family |= more
    return time.process_time(), sum(seconds.get(pid, 0.0) for pid in family - {os.getpid()})


def _page(rows: list[Row], events: int) -> str:
    body = [[str(row[name]) for name in COLUMNS] for row in rows]
    parts = ["# Ray against one thread", table.shape(), table.markdown(tuple(COLUMNS.values()), body)]
    parts.append(
        f"{events:,} events, {SUMMED} times as many for sums; lists of {LISTED_USERS:,} users. Processor seconds count this process and all of Ray's. "
        "Two of one: the seconds of one worker over those of two; by processor seconds as if this process computed first, and then both "
        "workers half each. `start` is what the first round took beyond these: the cluster, its workers, and what they import; a job pays it once."
    )
    return "\n\n".join(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--events", type=float, default=1e6)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--write", action="store_true", help="renew results/engines.md")
    return parser


if __name__ == "__main__":
    main()
