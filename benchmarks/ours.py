"""`python -m benchmarks.ours MODEL HISTORIES`: how fast a model of ours answers in one process.

All users together are asked as the product asks, on as many threads as it starts: `recommend_s` is the clock's time and
`recommend_cpu_s` the processors', of all threads. Then some users alone, one after the other, as the peers are timed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from recipes import artefact, ranking
from recipes.base import Model
from recipes.cli.tables import read_histories
from recipes.data import Histories

K = 25
SINGLES = 200


def main() -> None:
    """Print seconds for all users and milliseconds for one."""
    loaded = artefact.load(Path(sys.argv[1]))
    _, histories = read_histories(Path(sys.argv[2]), loaded.data)
    for rows in (1, 64):  # what is made once is there then
        _answer(loaded.model, histories.rows(0, rows))
    wall, cpu = time.perf_counter(), time.process_time()
    _answer(loaded.model, histories)
    told = {"recommend_s": time.perf_counter() - wall, "recommend_cpu_s": time.process_time() - cpu}
    took = []
    for row in range(min(SINGLES, len(histories))):
        one = histories.rows(row, row + 1)
        began = time.perf_counter()
        _answer(loaded.model, one)
        took.append(1000 * (time.perf_counter() - began))
    single = {"single_p50_ms": float(np.percentile(took, 50)), "single_p99_ms": float(np.percentile(took, 99))}
    print(json.dumps(told | single))


def _answer(model: Model, histories: Histories) -> None:
    ranking.recommend(model, histories, K, exclude_seen=True)


if __name__ == "__main__":
    main()
