"""`python -m benchmarks.states CHECKOUT [DATA SET …]`: user-personalization of another checkout of this project beside that of this one.

Both train in turn on the same splits with the same seeds, each for `--seconds` of one thread's processor time (so that the outcome
does not depend on what else runs), and answer the same histories. `--write` renews results/states.md: means over the seeds, and
what this checkout reaches or takes of the other.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import datasets, table
from benchmarks.judge import judge
from benchmarks.protocols import PROTOCOLS, Split, prepare
from benchmarks.running import Result, timed

CLOCK = Path(__file__).with_name("processor_clock.py")
ROUNDS = 3  # of answering, of which the best counts
FIGURES = ("ndcg@10", "mrr@25", "train_cpu_s", "single_p50_ms", "users_per_cpu_s", "model_kib")


def main() -> None:
    """Measure and print."""
    options = _parser().parse_args()
    checkouts = {"before": options.checkout.resolve(), "now": datasets.ROOT}
    results = []
    for name, source in datasets.present(options.names):
        for protocol in PROTOCOLS:
            split = prepare(name, source, datasets.CACHE / "splits", protocol)
            for seed in range(options.seeds):
                for state, checkout in checkouts.items():
                    result = measure(split, checkout, seed, options.seconds)
                    results.append(split.label | {"state": state, "seed": seed} | result)
                    print(json.dumps(results[-1]), flush=True)
    page = f"# Before and now\n\n{_explained(options)}\n\n{rows(results)}"
    print(page)
    if options.write:
        table.write_pages({"states": page})


def measure(split: Split, checkout: Path, seed: int, seconds: float) -> Result:
    """Train, answer and judge in processes of their own."""
    out = split.folder / "runs" / "states"
    out.mkdir(parents=True, exist_ok=True)
    model, histories = str(out / "model"), str(split.folder / "histories.csv")
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}
    train = [
        sys.executable,
        str(CLOCK),
        "train",
        str(split.folder / "train.csv"),
        "--recipe",
        "aws-user-personalization",
    ]
    for name in ("items", "users"):
        if (split.folder / f"{name}.csv").exists():
            train += [f"--{name}", str(split.folder / f"{name}.csv")]
    train += ["--max-seconds", str(seconds), "--seed", str(seed), "--holdout", "none", "--out", model]
    trained = timed(train, out / "train.log", **alone)
    recommend = [
        sys.executable,
        str(CLOCK),
        "recommend",
        model,
        "--histories",
        histories,
        "--k",
        "25",
        "--exclude-seen",
    ]
    timed(recommend, out / "lists.jsonl", **alone)
    told = [speed(checkout, model, histories, out, alone) for _ in range(ROUNDS)]
    size = sum(path.stat().st_size for path in Path(model).rglob("*") if path.is_file())
    shutil.rmtree(model)
    truth = json.loads((split.folder / "truth.json").read_text())
    figures = judge(out / "lists.jsonl", truth, split.num_items)
    cost = {
        "train_cpu_s": trained.cpu_seconds,
        "users_per_cpu_s": figures["queries"] / min(one["recommend_cpu_s"] for one in told),
        "single_p50_ms": min(one["single_p50_ms"] for one in told),
        "model_kib": size / 1024,
    }
    return figures | cost | {"load": round(os.getloadavg()[0], 1)}


def speed(checkout: Path, model: str, histories: str, out: Path, alone: Mapping[str, str]) -> Result:
    """How fast the model answers, once."""
    timed([sys.executable, str(checkout / "benchmarks" / "ours.py"), model, histories], out / "speed.log", **alone)
    told: Result = json.loads((out / "speed.log").read_text().splitlines()[-1])
    return told


def rows(results: Sequence[Result]) -> str:
    """For each data set and protocol a line of means for each state, and one of ratios."""
    body = []
    for data, protocol in dict.fromkeys((row["data"], row["protocol"]) for row in results):
        means = {}
        for state in ("before", "now"):
            mine = [row for row in results if (row["data"], row["protocol"], row["state"]) == (data, protocol, state)]
            means[state] = [statistics.mean(row[name] for row in mine) for name in FIGURES]
            loads = " to ".join(f"{bound(row['load'] for row in mine):.1f}" for bound in (min, max))
            body.append([data, protocol, state, *(f"{mean:.4g}" for mean in means[state]), loads])
        ratios = (f"{now / before:.2f}" for before, now in zip(*means.values(), strict=True))
        body.append([data, protocol, "now / before", *ratios, ""])
    return table.markdown(["data", "protocol", "state", *FIGURES, "load"], body)


def _explained(options: argparse.Namespace) -> str:
    log = ["git", "-C", str(options.checkout), "log", "-1", "--format=%h of %as"]
    commit = subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()
    return (
        f"{table.shape()} Before is {commit}. Means of {options.seeds} seeds, {options.seconds:g} processor seconds of one thread "
        "to train in; users_per_cpu_s is what all users together take of the processors, single_p50_ms one user alone by the clock."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.states", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the folder of the other checkout")
    parser.add_argument("names", nargs="*", help="data sets; all that are present by default")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write results/states.md")
    return parser


if __name__ == "__main__":
    main()
