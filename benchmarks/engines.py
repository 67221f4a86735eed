"""`python -m benchmarks.engines`: what a Ray cluster costs with one worker, and what two bring, against one thread of this process.

Three kinds of work: neighbours by blocks of items (aws-sims), sums over users (the moments of a sequence ridge), and lists of all
users. Seconds are those of the wall and those of the processors, of this process and of all of Ray's. A worker's start, and the
cluster's, are given apart. All numeric libraries have one thread, so that a worker is a core. `--write` renews results/engines.md.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import table
from benchmarks.generate import write_interactions
from benchmarks.scale import EVENTS_OF_A_USER, EVENTS_OF_AN_ITEM, FOLDER, ROOT

SHARDED_ITEMS = 2_000  # of the ridge whose moments are summed
ROUNDS = 3
HEADS = ("work", "executor", "seconds", "of one thread", "cpu_s", "of one thread's", "start_s", "start_cpu_s", "load")
Work = Callable[[], object]
Row = dict[str, Any]


def main() -> None:
    """Measure each kind of work on each executor, in turn, so that a busy machine is so for all of them."""
    options = _parser().parse_args()
    events = int(options.events)
    file = write_interactions(
        FOLDER / f"{events}.csv", events, events // EVENTS_OF_A_USER, max(500, events // EVENTS_OF_AN_ITEM)
    )
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    rows = [row for name, work in _works(file).items() if name in options.works for row in _measured(name, work)]
    page = _page(rows, events)
    print(page)
    if options.write:
        table.write_pages({"engines": page})


def _works(file: Path) -> dict[str, Work]:
    from functools import partial

    from recipes import catalogue
    from recipes.cli.tables import read_training
    from recipes.components.sequence_ridge import Moments
    from recipes.components.sums import over_users
    from recipes.components.window_kernel import WindowKernel
    from recipes.ranking import recommend
    from recipes.run import Run

    data = read_training(file)
    histories = data.histories()
    items = histories.item_index % SHARDED_ITEMS
    from dataclasses import replace

    covered = replace(histories, item_index=items)
    sims = catalogue.get("aws-sims")()
    model = sims.fit(data, Run())
    moments = partial(Moments.partial, WindowKernel(20, 0.8, 3), SHARDED_ITEMS, Run())
    return {
        "neighbours": lambda: sims.fit(data, Run()),
        "sums": lambda: over_users(moments, covered),
        "lists": lambda: recommend(model, histories, 25),
    }


def _measured(name: str, work: Work) -> Iterator[Row]:
    """The best of some rounds on each executor."""
    alone = None
    for workers in (0, 1, 2):
        with _executor(workers) as (driver, children):
            started = _taken(work, children)
            row = min((_taken(work, children) for _ in range(ROUNDS)), key=lambda taken: taken[1])
        alone = alone or row
        yield _told(
            {
                "work": name, "executor": driver, "seconds": round(row[0], 2), "over": round(row[0] / alone[0], 2),
                "cpu_s": round(row[1], 2), "cpu_over": round(row[1] / alone[1], 2),
                "start_s": round(started[0] - row[0], 1), "start_cpu_s": round(started[1] - row[1], 1),
                "load": round(os.getloadavg()[0], 1),
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


def _taken(work: Work, children: bool) -> tuple[float, float]:
    """Seconds of the wall and of the processors."""
    began, before = time.perf_counter(), _cpu_seconds(children)
    work()
    return time.perf_counter() - began, _cpu_seconds(children) - before


def _cpu_seconds(children: bool) -> float:
    """Processor seconds of this process and of those that descend from it and live."""
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
    return sum(seconds.get(pid, 0.0) for pid in family)


def _page(rows: list[Row], events: int) -> str:
    names = ("work", "executor", "seconds", "over", "cpu_s", "cpu_over", "start_s", "start_cpu_s", "load")
    body = [[str(row[name]) for name in names] for row in rows]
    parts = ["# Ray against one thread", table.shape(), table.markdown(HEADS, body)]
    parts.append(
        f"{events:,} events. Each figure is the best of {ROUNDS} rounds by processor seconds, which count this process and all of Ray's. "
        "`start` is what the first round took beyond these: the cluster, its workers, and what they import; a job pays it once."
    )
    return "\n\n".join(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--events", type=float, default=1e6)
    parser.add_argument("--works", nargs="+", default=["neighbours", "sums", "lists"])
    parser.add_argument("--write", action="store_true", help="renew results/engines.md")
    return parser


if __name__ == "__main__":
    main()
