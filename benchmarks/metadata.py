"""`python -m benchmarks.metadata`: the same recipe with and without items.csv and users.csv, where events are few."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import datasets, table
from benchmarks.__main__ import add_common, run
from benchmarks.judge import Figures, queries
from benchmarks.protocols import TEXT, Split, prepare
from benchmarks.running import Result, folder_of
from benchmarks.systems import SIXTY_S, System

RESAMPLES = 2000
RARE = 5  # an item with at most so many events in training is of the tail
FIGURE = "ndcg@10"


def short_users(events: pd.DataFrame) -> pd.DataFrame:
    """Only users with 3 to 15 events: most items have two or three left."""
    size = events.groupby("USER_ID")["ITEM_ID"].transform("size")
    return events[size.between(3, 15)]


def newest_eight(events: pd.DataFrame) -> pd.DataFrame:
    """Each user's newest eight events."""
    ordered = events.sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
    return ordered.groupby("USER_ID").tail(8)


SPARSE: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "online-retail-tail": ("online-retail", short_users),
    "movielens-100k-thin": ("movielens-100k", newest_eight),
}


@dataclass(frozen=True)
class Pair:
    """One recipe on one split, with and without metadata, query by query."""

    split: Split
    recipe: str
    with_it: Mapping[str, Figures]
    without: Mapping[str, Figures]

    def line(self, label: str, users: Sequence[str]) -> list[str]:
        """Means over `users`, their ratio and its 95 % interval from resampled queries."""
        values = np.array([[self.with_it[user][FIGURE], self.without[user][FIGURE]] for user in users])  # (Q, 2)
        means = values.mean(axis=0)
        drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
        sums = values[drawn].sum(axis=1)  # (R, 2)
        low, high = np.percentile(sums[:, 0] / np.maximum(sums[:, 1], 1e-12), [2.5, 97.5])
        ratio = f"{means[0] / means[1]:.2f} [{low:.2f}, {high:.2f}]" if means[1] else ""
        figures = [f"{means[0]:.4f}", f"{means[1]:.4f}", ratio]
        return [self.split.data, self.recipe, label, str(len(users)), *figures]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both ways on each sparse data set."""
    parser = add_common(argparse.ArgumentParser(prog="python -m benchmarks.metadata", description=__doc__))
    parser.add_argument("--recipe", action="append", help="aws-user-personalization by default; repeatable")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a hyperparameter; repeatable")
    options = parser.parse_args(arguments)
    began = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    settings = tuple(word for setting in options.set for word in ("--set", setting))
    lines: list[list[str]] = []
    notes: list[str] = []
    for split in filter(None, map(_split, SPARSE)):
        for recipe in options.recipe or ["aws-user-personalization"]:
            pair, results = _pair(split, recipe, (*SIXTY_S, *settings), options)
            lines += _lines(pair) if pair else []
            notes += [f"{split.data} {age}" for result in results if (age := table.age(result, began))]
    head = ["data", "recipe", "queries", "n", f"{FIGURE} with", "without", "ratio [95 %]"]
    text = "\n\n".join([table.markdown(head, lines), *([table.aged(notes)] if notes else [])])
    print(text)
    if options.write:
        table.write("metadata", f"{table.shape()}\n\n{text}")


def _split(name: str) -> Split | None:
    origin, thin = SPARSE[name]
    source = datasets.folder(origin)
    if source is None:
        print(f"{origin} is not here: left out", file=sys.stderr)
        return None
    return prepare(name, thinned(source, datasets.CACHE / name, thin), datasets.CACHE / "splits", "next")


def thinned(source: Path, target: Path, thin: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """A folder with fewer events and the whole metadata of those items and users."""
    if not (target / "interactions.csv").exists():
        target.mkdir(parents=True, exist_ok=True)
        for name in ("items.csv", "users.csv"):
            if (source / name).exists():
                (target / name).write_bytes((source / name).read_bytes())
        events = thin(pd.read_csv(source / "interactions.csv", dtype=TEXT))
        events.to_csv(target / "interactions.csv", index=False)
    return target


def _pair(
    split: Split, recipe: str, settings: tuple[str, ...], options: argparse.Namespace
) -> tuple[Pair | None, list[Result]]:
    told = " ".join((recipe, *settings))
    both = [
        System(f"{told} {'with' if kept else 'without'} metadata", recipe, settings, with_metadata=kept)
        for kept in (True, False)
    ]
    found = [run(system, split, options) for system in both]
    results = [result for result in found if result and "error" not in result]
    if len(results) < len(both):
        return None, results
    truth = json.loads((split.folder / "truth.json").read_text())
    judged = [queries(folder_of(system, split) / "lists.jsonl", truth) for system in both]
    return Pair(split, told, *judged), results


def _lines(pair: Pair) -> list[list[str]]:
    """All queries, and those whose truth is an item with few events."""
    events = pd.read_csv(pair.split.folder / "train.csv", usecols=["ITEM_ID"], dtype=TEXT)["ITEM_ID"].value_counts()
    truth = json.loads((pair.split.folder / "truth.json").read_text())
    rare = [user for user, items in truth.items() if all(events.get(item, 0) <= RARE for item in items)]
    return [pair.line("all", list(truth)), pair.line(f"truth has ≤ {RARE} events", rare)]


if __name__ == "__main__":
    main()
