"""`python -m benchmarks.scale`: seconds and memory against events, with the slopes; one JSON line a result, then tables and plots.

Files are made by `benchmarks.generate`. Each step is a process of its own: an import, a popularity of the imported rows with its
evaluation as the server's worker trains it, and a training of each recipe with the lists of its users. `--write` renews
results/scale.md and its plots.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import table, worker
from benchmarks.datasets import CACHE, ROOT
from benchmarks.generate import write_interactions
from benchmarks.plot import log_log, slope
from benchmarks.running import timed

FOLDER = CACHE / "scale"
EVENTS_OF_A_USER, EVENTS_OF_AN_ITEM = 100, 200
EVENT_BYTES = 22  # of an event in the arrays that recipes learn from: user, item, time, type, value
ASKED_USERS = 1_000
RECIPES = {"popularity": "aws-popularity-count", "sims": "aws-sims", "user-personalization": "aws-user-personalization"}
STEPS = ("import", "worker", *RECIPES)
HEADS = (
    "step",
    "events",
    "seconds",
    "cpu_s",
    "rows_per_s",
    "peak_mib",
    "over the events' arrays",
    "lists_per_s",
    "load",
)
Row = dict[str, Any]


def main() -> None:
    """Measure what is asked for."""
    options = _parser().parse_args()
    rows: list[Row] = []
    for events in map(int, options.events):
        file = write_interactions(
            FOLDER / f"{events}.csv", events, events // EVENTS_OF_A_USER, max(500, events // EVENTS_OF_AN_ITEM)
        )
        if "import" in options.steps:
            rows.append(_told({"step": "import", "events": events} | _imported(file, events)))
        if "worker" in options.steps:
            rows.append(_told({"step": "worker", "events": events} | worker.measured(file, "aws-popularity-count")[-1]))
        for name in (name for name in RECIPES if name in options.steps):
            rows.append(_told({"step": name, "events": events} | _trained(name, file, options.budget)))
    page = _page(rows, options.budget)
    print(page)
    if options.write:
        table.write_pages({"scale": page})
        for name, drawing in _plots(rows).items():
            (table.PAGES / f"scale-{name}.svg").write_text(drawing)


def _told(row: Row) -> Row:
    row["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(row), flush=True)
    return row


def _imported(file: Path, events: int) -> Row:
    bucket = CACHE / "import" / "buckets" / "bench"
    bucket.mkdir(parents=True, exist_ok=True)
    linked = bucket / file.name
    if not linked.exists():
        os.link(file, linked)
    command = [
        sys.executable,
        "-m",
        "benchmarks.import_csv",
        "--system",
        "ours",
        "--file",
        str(linked),
        "--rounds",
        "1",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    measured: Row = json.loads(done.stdout.splitlines()[-1])
    return measured | {"rows_per_s": round(events / measured["seconds"])}


def _trained(name: str, file: Path, budget: int) -> Row:
    """A training without a holdout, and lists of some of its users."""
    out = FOLDER / name
    out.mkdir(parents=True, exist_ok=True)
    limit = ["--max-seconds", str(budget)] if name == "user-personalization" else []
    recipes = [sys.executable, "-m", "recipes"]
    model = str(out / "model")
    train = [*recipes, "train", str(file), "--recipe", RECIPES[name], "--holdout", "none", "--out", model, *limit]
    took = timed(train, out / "train.log")
    row: Row = {
        "seconds": round(took.seconds, 1),
        "cpu_s": round(took.cpu_seconds, 1),
        "peak_mib": round(took.peak_mib),
    }
    asked = _asked(file, out / "histories.csv")
    timed([sys.executable, "-m", "benchmarks.ours", model, str(asked)], out / "speed.log")
    speed = json.loads((out / "speed.log").read_text().splitlines()[-1])
    shutil.rmtree(model)
    return row | {"lists_per_s": round(ASKED_USERS / speed["recommend_s"]), "single_p50_ms": speed["single_p50_ms"]}


def _asked(file: Path, target: Path) -> Path:
    """The histories of the first users of a file."""
    with file.open() as source, target.open("w") as out:
        out.writelines(islice(source, 1))
        out.writelines(
            line
            for line in islice(source, 3 * ASKED_USERS * EVENTS_OF_A_USER)
            if int(line.split(",", 1)[0]) < ASKED_USERS
        )
    return target


def _page(rows: list[Row], budget: int) -> str:
    body = [
        [
            row["step"], f"{row['events']:,}", f"{row['seconds']:,}", str(row.get("cpu_s", "")),
            f"{row['rows_per_s']:,}" if "rows_per_s" in row else "", f"{row.get('peak_mib', ''):,}" if "peak_mib" in row else "",
            f"{row['peak_mib'] * 2**20 / (EVENT_BYTES * row['events']):.1f} ×" if "peak_mib" in row else "",
            f"{row['lists_per_s']:,}" if "lists_per_s" in row else "", str(row["load"]),
        ]
        for row in rows
    ]  # fmt: skip
    parts = ["# Seconds and memory against events", table.shape(), table.markdown(HEADS, body)]
    parts.append(
        f"An item has {EVENTS_OF_AN_ITEM} events, a user {EVENTS_OF_A_USER}; `user-personalization` has {budget} seconds. "
        f"An event takes {EVENT_BYTES} bytes in the arrays that recipes learn from. {' '.join(_slopes(rows))}"
    )
    return "\n\n".join([*parts, "![seconds](scale-seconds.svg)", "![memory](scale-memory.svg)"])


def _slopes(rows: Iterable[Row]) -> list[str]:
    told = []
    for name, points in _lines(rows, "cpu_s").items():
        if len(points) > 1:
            memory = _lines(rows, "peak_mib")[name]
            (few, low), (many, high) = sorted(memory)[-2:]
            each = (high - low) * 2**20 / (many - few)
            told.append(
                f"{name}: processor seconds grow as events^{slope(points):.2f}, memory by {each:.0f} bytes an event."
            )
    return told


def _lines(rows: Iterable[Row], what: str) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        lines.setdefault(row["step"], []).append((row["events"], row[what]))
    return lines


def _plots(rows: list[Row]) -> dict[str, str]:
    return {
        "seconds": log_log("Processor seconds against events", "events", "s", _lines(rows, "cpu_s")),
        "memory": log_log("Peak memory against events", "events", "MiB", _lines(rows, "peak_mib")),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--events", type=float, nargs="+", default=[1e5, 1e6, 1e7])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=[*STEPS])
    parser.add_argument("--budget", type=int, default=120, help="seconds of user-personalization")
    parser.add_argument("--write", action="store_true", help="renew results/scale.md and its plots")
    return parser


if __name__ == "__main__":
    main()
