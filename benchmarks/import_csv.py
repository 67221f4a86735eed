"""`python -m benchmarks.import_csv [ROWS]`: CSV into checked, profiled Parquet beside polars' read_csv + write_parquet.

Both read the same generated file in turns, each in a process of its own; one JSON line a result: best seconds, rows a second and
peak resident memory. Polars lives in an environment of its own; without it only our figures are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import venv
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks.datasets import CACHE, ROOT

STEP = 1_000_000
DATA_DIR, BUCKET = CACHE / "import", "bench"
FIELDS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string", "EVENT_VALUE": "float"}


def main() -> None:
    """Measure and print; with a system's name, be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=float, default=1e6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--system", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.system:
        print(json.dumps(_ours(options.file, options.rounds)))
        return
    rows = int(options.rows)
    file = generate(rows)
    results = {"openpersonalize": _child(sys.executable, "openpersonalize", file, options.rounds)}
    python = polars_python()
    if python:
        results["polars"] = _child(str(python), "polars", file, options.rounds)
    for system, result in results.items():
        result |= {"benchmark": "import", "system": system, "rows": rows, "rows_per_s": round(rows / result["seconds"])}
        print(json.dumps(result), flush=True)
    if "polars" in results:
        ratio = results["openpersonalize"]["seconds"] / results["polars"]["seconds"]
        print(json.dumps({"benchmark": "import", "rows": rows, "ratio_to_polars": round(ratio, 2), "goal": 3.0}))


def generate(rows: int) -> Path:
    """A file of interactions with skewed items, made once."""
    path = DATA_DIR / "buckets" / BUCKET / f"interactions-{rows}.csv"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, rng = path.with_suffix(".part"), np.random.default_rng(1)
    with draft.open("wb") as file:
        file.write(f"{','.join(FIELDS)}\n".encode())
        for start in range(0, rows, STEP):
            number = min(STEP, rows - start)
            columns = {
                "USER_ID": rng.integers(0, max(1, rows // 100), number),
                "ITEM_ID": rng.zipf(1.3, number) % 50_000,
                "TIMESTAMP": 1_400_000_000 + np.sort(rng.integers(0, 10**8, number)),
                "EVENT_TYPE": np.array(["watch", "click"])[rng.integers(0, 2, number)],
                "EVENT_VALUE": rng.integers(1, 6, number),
            }
            csv.write_csv(pa.table(columns), file, csv.WriteOptions(include_header=False, quoting_style="none"))
    return draft.rename(path)


def polars_python() -> Path | None:
    """An interpreter that has polars, installed on first use; None where no registry answers."""
    folder = CACHE / "polars-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    found = subprocess.run([python, "-c", "import polars"], capture_output=True, check=False)
    if found.returncode:
        subprocess.run([python, "-m", "pip", "install", "-q", "polars"], check=False, stdout=sys.stderr)
        found = subprocess.run([python, "-c", "import polars"], capture_output=True, check=False)
    return None if found.returncode else python


def _child(python: str, system: str, file: Path, rounds: int) -> dict[str, float]:
    ours = [python, "-m", "benchmarks.import_csv", "--system", system, "--file", str(file), "--rounds", str(rounds)]
    command = [python, "-c", POLARS, str(file), str(rounds)] if system == "polars" else ours
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


POLARS = """
import json, os, resource, sys, tempfile, time
import polars
best = 1e9
with tempfile.TemporaryDirectory() as folder:
    for _ in range(int(sys.argv[2])):
        started = time.perf_counter()
        polars.read_csv(sys.argv[1]).write_parquet(os.path.join(folder, "x.parquet"))
        best = min(best, time.perf_counter() - started)
print(json.dumps({"seconds": round(best, 3), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def _ours(file: Path, rounds: int) -> dict[str, float]:
    """What a worker does between claiming an import and publishing its parts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    os.environ["DATA_DIR"] = str(DATA_DIR)
    import django

    django.setup()
    from console import storage
    from console.ingest import schema
    from console.ingest.loading import Importer
    from console.ingest.mapping import Reading

    with file.open() as header:
        names = header.readline().strip().split(",")
    fields = [schema.Field(name, FIELDS[name]) for name in names]
    parsed = schema.parse(schema.text_of("INTERACTIONS", fields))
    best = cpu = float("inf")
    for _ in range(rounds):
        with storage.scratch_folder() as folder:
            importer = Importer(parsed, Reading(), Path(folder), max_bad_percent=5, progress=lambda _: None)
            started, cpu_started = time.perf_counter(), time.process_time()
            importer.run([storage.Location(BUCKET, file.name)])
            best = min(best, time.perf_counter() - started)
            cpu = min(cpu, time.process_time() - cpu_started)
    return {
        "seconds": round(best, 3),
        "cpu_s": round(cpu, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
