"""Memory of a training grows by no more than half as much again as the arrays of its events, a test of it included; aws-sims has a bound of its own.

Allocations of numpy and Arrow are counted, of a small and a large file in a process each, so that neither the machine nor what
allocators keep matters.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.generate import write_interactions

EVENT_BYTES = 22  # user, item and value of 4 bytes each, time of 8, type of 2
MAX_BYTES = 1.5 * EVENT_BYTES
SIMS_MAX_BYTES = 48.0  # how many blocks of pairs its threads hold at once varies: 17 to 37 bytes an event were seen
SIZES = (100_000, 400_000)
PROGRAM = """
import json, sys, tracemalloc
from functools import partial
from pathlib import Path

import pyarrow as pa

from recipes import catalogue, data, encoding
from recipes.__main__ import main
from recipes.cli import tables
from recipes.evaluation import splits
from recipes.numerics import grouping
from recipes.run import Run
from recipes.tables import files, text

text.BLOCK_BYTES, grouping.BLOCK, encoding.MERGED_AT = 1 << 18, 1 << 14, 5_000  # few events have many blocks, too
splits.MOST_QUERIES = 50  # both files have so many: a test grows no further
files.blocks = partial(text.blocks, size=text.BLOCK_BYTES)
peaks = {}

def stage(name, arrow):
    peaks[name] = tracemalloc.get_traced_memory()[1] + arrow
    tracemalloc.reset_peak()

encode = data.TrainingData.from_tables.__func__

def from_tables(cls, interactions, items, users):
    stage("reading", pa.default_memory_pool().max_memory())
    read = pa.total_allocated_bytes()  # it becomes less from here on
    given = [interactions]
    del interactions
    encoded = encode(cls, given.pop(), items, users)
    stage("encoding", read)
    return encoded

data.TrainingData.from_tables = classmethod(from_tables)
tracemalloc.start()
training = tables.read_training(Path(sys.argv[1]))
for name in ("aws-popularity-count", "aws-sims"):
    model = catalogue.get(name).configured({}).fit(training, Run())
    stage(name, 0)
    del model
events = len(training.interactions)
del training
main(["train", sys.argv[1], "--recipe", "aws-popularity-count", "--out", sys.argv[1] + ".model"])
stage("with a test", 0)
print(json.dumps([events, peaks]))
"""


def test_peaks_grow_by_half_as_much_again_as_the_arrays_at_most(tmp_path):
    (few, small), (many, large) = (peaks(write_interactions(tmp_path / f"{n}.csv", n, n // 100, 500)) for n in SIZES)
    slopes = {stage: (large[stage] - small[stage]) / (many - few) for stage in large}
    assert set(slopes) == {"reading", "encoding", "aws-popularity-count", "aws-sims", "with a test"}
    most = dict.fromkeys(slopes, MAX_BYTES) | {"aws-sims": SIMS_MAX_BYTES}
    assert {stage: slope for stage, slope in slopes.items() if slope > most[stage]} == {}


def peaks(file):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(file)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])
