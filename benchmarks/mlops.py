"""`python -m benchmarks.mlops`: AWS's figures, as AWS words them, beside those that Amazon published for the same file.

The file is the one of Amazon's POC_in_a_box, whose notebook shows what its solutions reached; which tenth of the users
it held out is not known, so this is the mean of five draws. Seen items stay in the lists.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import sys
from collections.abc import Mapping, Sequence

from benchmarks import datasets, table
from benchmarks.__main__ import add_common, run
from benchmarks.protocols import prepare
from benchmarks.running import Result
from benchmarks.systems import OURS, SIXTY_S, THEIRS, System

DATA = "mlops-interactions"
SEEDS = range(5)
COLUMNS = ("coverage", "mrr@25", "ndcg@5", "ndcg@10", "ndcg@25", "precision@5", "precision@10", "precision@25")
PUBLISHED = {
    "Amazon User-Personalization": (0.0791, 0.2690, 0.2279, 0.2687, 0.3321, 0.0750, 0.0571, 0.0379),
    "Amazon SIMS": (0.1861, 0.1669, 0.1889, 0.2234, 0.2895, 0.0824, 0.0588, 0.0418),
    "Amazon Personalized-Ranking": (0.0038, 0.0537, 0.0578, 0.0707, 0.0956, 0.0189, 0.0132, 0.0113),
}
BAR = dict(zip(COLUMNS, PUBLISHED["Amazon User-Personalization"], strict=True))
DEFAULT = tuple(
    system
    for system in OURS
    if system.recipe in {"aws-popularity-count", "aws-sims"}
    or (system.recipe == "aws-user-personalization" and system.arguments == SIXTY_S)
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure five splits and write down the means."""
    parser = add_common(argparse.ArgumentParser(prog="python -m benchmarks.mlops", description=__doc__))
    parser.add_argument("--only", action="append", help="systems with this word in their name, peers too; repeatable")
    options = parser.parse_args(arguments)
    began = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    source = datasets.folder(DATA)
    if source is None:
        print(f"{DATA} is not below {datasets.EXTRA}: nothing is measured", file=sys.stderr)
        return
    splits = [prepare(DATA, source, datasets.CACHE / "splits", "amazon", seed) for seed in SEEDS]
    rows: dict[str, list[Result]] = {}
    for system in _chosen(options.only):
        found = [run(system, split, options) for split in splits]
        rows[system.name] = [result for result in found if result and "error" not in result]
    text = summary(rows, began)
    print(text)
    if options.write:
        table.write("mlops", f"{table.shape()}\n\n{text}")


def _chosen(words: Sequence[str] | None) -> Sequence[System]:
    if not words:
        return DEFAULT
    return [system for system in (*OURS, *THEIRS) if any(word in system.name for word in words)]


def summary(rows: Mapping[str, Sequence[Result]], began: datetime.datetime) -> str:
    """Mean and standard deviation over the splits, and on how many of the eight each is ahead of User-Personalization."""
    body, notes = [], []
    for name, results in rows.items():
        if not results:
            continue
        each = {column: [result["as_worded"][column] for result in results] for column in COLUMNS}
        means = {column: statistics.fmean(values) for column, values in each.items()}
        spread = [f"{means[c]:.4f} ± {statistics.pstdev(each[c]):.3f}" for c in COLUMNS]
        ahead = sum(means[column] > BAR[column] for column in COLUMNS)
        seconds = statistics.fmean(result["train_s"] for result in results)
        body.append([name, str(len(results)), *spread, f"{ahead} of {len(COLUMNS)}", f"{seconds:,.0f}"])
        ages = sorted({age for result in results if (age := table.age(result, began))})
        notes += [f"{name} {', '.join(ages)}"] if ages else []
    body += [[name, "?", *(f"{value:.4f}" for value in values), "", ""] for name, values in PUBLISHED.items()]
    text = table.markdown(["system", "splits", *COLUMNS, "ahead on", "train_s"], body)
    return f"{text}\n\n{table.aged(notes)}" if notes else text


if __name__ == "__main__":
    main()
