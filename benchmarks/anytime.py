"""`python -m benchmarks.anytime [DATA SET …]`: accuracy of user-personalization by its time budget, which more time must never lower.

Each budget trains in a process of its own on the protocol `next`; a table at the end tells what a budget took and reached, in
means over the seeds, and how busy the machine was. With `--load 4` the machine is simulated: its clock counts processor
seconds of one thread four times, so that the outcome does not depend on what else runs. `--write NAME` makes it results/anytime-NAME.md (say `quiet` or `busy`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Sequence

from benchmarks import datasets, table
from benchmarks.judge import judge
from benchmarks.protocols import PROTOCOLS, Split, prepare
from benchmarks.running import Result, measure, measured, timed
from benchmarks.systems import System

BUDGETS = (10, 30, 60, 120, 240, 0)


def main() -> None:
    """Measure what is asked for."""
    options = _parser().parse_args()
    results = []
    for name, source in datasets.present(options.names):
        split = prepare(name, source, datasets.CACHE / "splits", options.protocol)
        for seconds in options.budgets:
            for seed in range(options.seeds):
                limit = () if seconds == 0 else ("--max-seconds", str(seconds))
                system = System(f"anytime {seconds} s", "aws-user-personalization", (*limit, "--seed", str(seed)))
                if options.load:
                    result = simulated(split, seconds, options.load, seed)
                else:
                    result = (None if options.again else measured(system, split)) or measure(system, split)
                results.append(result | {"budget_s": seconds, "seed": seed})
                print(json.dumps(results[-1]), flush=True)
    page = f"# Accuracy by time budget\n\n{table.shape()}\n\n{rows(results)}"
    print(page)
    if options.write:
        table.write_pages({f"anytime, {options.write}": page})


def simulated(split: Split, seconds: int, load: float, seed: int) -> Result:
    """One run on a machine that is simulated."""
    out = split.folder / "runs" / "simulated"
    out.mkdir(parents=True, exist_ok=True)
    model, train = str(out / "model"), str(split.folder / "train.csv")
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.simulated", train, model, str(seconds or "inf"), str(load), str(seed)]
    took = timed(command, out / "train.log", **alone)
    told = json.loads((out / "train.log").read_text().splitlines()[-1])
    histories = str(split.folder / "histories.csv")
    recommend = [sys.executable, "-m", "recipes", "recommend", model, "--histories", histories, "--k", "25"]
    timed([*recommend, "--exclude-seen"], out / "lists.jsonl", **alone)
    shutil.rmtree(model)
    truth = json.loads((split.folder / "truth.json").read_text())
    cost = {"train_s": told["simulated_s"], "train_cpu_s": took.cpu_seconds, "load": load, "epochs": told["epochs"]}
    return split.label | cost | judge(out / "lists.jsonl", truth, split.num_items)


def rows(results: Sequence[Result]) -> str:
    """A line for each budget: means over the seeds, with the standard error of NDCG@10, and by how much the longest run went past it."""
    heads = [
        "data", "budget_s", "seeds", "train_s", "longest", "train_cpu_s", "load", "ndcg@10", "±", "hit@10", "mrr@25",
    ]  # fmt: skip
    runs: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        runs.setdefault((result["data"], result["budget_s"]), []).append(result)
    return table.markdown(heads, [_row(name, budget, each) for (name, budget), each in runs.items()])


def _row(name: str, budget: int, runs: Sequence[Result]) -> list[str]:
    def mean(figure: str) -> float:
        return float(statistics.mean(run[figure] for run in runs))

    longest = f"{max(run['train_s'] for run in runs) / budget - 1:+.0%}" if budget else ""
    error = f"{statistics.stdev(run['ndcg@10'] for run in runs) / len(runs) ** 0.5:.4f}" if len(runs) > 1 else ""
    return [
        name, str(budget or "none"), str(len(runs)), f"{mean('train_s'):.0f}", longest, f"{mean('train_cpu_s'):.0f}",
        f"{mean('load'):.1f}", f"{mean('ndcg@10'):.4f}", error, f"{mean('hit@10'):.4f}", f"{mean('mrr@25'):.4f}",
    ]  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anytime", description=__doc__)
    parser.add_argument("names", nargs="*", help="data sets; all that are present by default")
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS, help="seconds; 0 is no limit")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="next")
    parser.add_argument("--load", type=float, default=0.0, help="simulate a machine on which a second takes so many")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured before")
    parser.add_argument("--write", metavar="NAME", help="the page to write: results/anytime-NAME.md")
    return parser


if __name__ == "__main__":
    main()
