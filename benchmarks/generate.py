"""Interactions of any size, written in blocks of users: what is held in memory does not grow with the file.

Each user has an interest that drifts through clusters of items; inside a cluster few items are taken often and many seldom.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

CLUSTER_ITEMS = 60  # of a cluster, about
STAY, NEXT = 0.7, 0.2  # chances that an interest stays, and that it moves on to the next cluster; else it jumps
SKEW = 2.5  # power of a uniform draw that chooses inside a cluster
SPREAD, LEAST = 0.8, 3  # of the lognormal numbers of events of users; events of a user, at least
BLOCK_EVENTS = 500_000
BEGIN, SPAN = 1_600_000_000, 30_000_000  # seconds of the first event of all, and in which users begin
GAP = 3_600  # seconds between two events of a user, on average


def write_interactions(path: Path, events: int, users: int, items: int, seed: int = 1) -> Path:
    """Write a CSV file of about so many events, unless it is there."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    rng, draft = np.random.default_rng(seed), path.with_suffix(".part")
    each = events / users
    at_once = max(1, int(BLOCK_EVENTS / each))
    with draft.open("wb") as file:
        file.write(b"USER_ID,ITEM_ID,TIMESTAMP\n")
        for start in range(0, users, at_once):
            table = pa.table(block(rng, start, min(at_once, users - start), each, items))
            csv.write_csv(table, file, csv.WriteOptions(include_header=False, quoting_style="none"))
    return draft.rename(path)


def block(rng: np.random.Generator, first: int, users: int, each: float, items: int) -> dict[str, NDArray[np.int64]]:
    """The events of some users, those of a user together and in order."""
    mean = np.log(max(1.0, each)) - SPREAD**2 / 2
    lengths = np.maximum(LEAST, rng.lognormal(mean, SPREAD, users)).astype(np.int64)
    user = np.repeat(np.arange(first, first + users), lengths)
    total, begins = len(user), np.cumsum(lengths) - lengths
    clusters = max(2, items // CLUSTER_ITEMS)
    draw = rng.random(total)
    draw[begins] = 1.0  # everyone begins somewhere
    steps = np.where(draw < STAY, 0, 1)
    jumped = np.where(draw >= STAY + NEXT, np.arange(total), 0)
    since = np.maximum.accumulate(jumped)
    walked = np.cumsum(steps)
    cluster = (rng.integers(clusters, size=total)[since] + walked - walked[since]) % clusters
    rank = (items // clusters * rng.random(total) ** SKEW).astype(np.int64)
    waits = rng.exponential(GAP, total).astype(np.int64)
    passed = np.cumsum(waits)
    time = BEGIN + np.repeat(rng.integers(SPAN, size=users), lengths) + passed - np.repeat(passed[begins], lengths)
    return {"USER_ID": user, "ITEM_ID": cluster + clusters * rank, "TIMESTAMP": time}
