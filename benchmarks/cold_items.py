"""`python -m benchmarks.cold_items`: how well items without events are recommended, on items that are withheld.

A share of the items lose all their events before a recipe is fitted; their metadata stay. The withheld items are then ranked for users
who took some of them, beside metadata alone (users' mean metadata times the items') and popularity, to which all of them are
alike. Means and standard errors over draws of the items.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import datasets, table
from recipes import catalogue
from recipes.data import TrainingData
from recipes.dataset import Dataset
from recipes.evaluation.item_cold import ItemColdTest
from recipes.run import Run

NAMES = ("movielens-100k", "online-retail", "mlops-interactions")
RECIPES = ("aws-user-personalization",)
SETTINGS: Mapping[str, str] = {"mode": "fast"}
FIGURES = ("NDCG@10", "MRR@25")
RESULTS = Path(__file__).parent / "results" / "cold-items.md"
HEAD = ["data", "ranked by", "draws", *(cell for name in FIGURES for cell in (name, "±", "to metadata alone"))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each data set and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_items", description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--recipe", action="append", help="repeatable")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/results/")
    options = parser.parse_args(arguments)
    rows: list[list[str]] = []
    for name in options.names:
        folder = datasets.folder(name)
        if folder is None or not (folder / "items.csv").exists():
            print(f"{name} is not here: left out", file=sys.stderr)
            continue
        users = folder / "users.csv"
        data = Dataset.from_csv(folder / "interactions.csv", folder / "items.csv", users if users.exists() else None)
        figures = measured(data.training, options.recipe or RECIPES, options.draws)
        print(json.dumps({"data": name, "draws": options.draws} | figures), flush=True)
        rows += table_rows(name, options.draws, figures)
    text = table.markdown(HEAD, rows)
    print(text)
    if options.write:
        RESULTS.write_text(f"# Items without events\n\n{text}\n")


def measured(data: TrainingData, recipes: Sequence[str], draws: int) -> dict[str, list[tuple[float, float]]]:
    """NDCG@10 and MRR@25 by what ranks the items, of every draw."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in (*recipes, "metadata alone", "popularity")}
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        test = ItemColdTest.of(data, rng)
        if test is None:
            raise ValueError("The items have no metadata, or there are too few of them.")
        for name in recipes:
            recipe = catalogue.get(name).configured(SETTINGS)
            found[name].append(test.of_model(recipe.fit(test.kept, Run(seed=seed))))
        found["metadata alone"].append(test.of_metadata())
        found["popularity"].append(test.of_chance(rng))
    return found


def table_rows(data: str, draws: int, figures: Mapping[str, Sequence[tuple[float, float]]]) -> list[list[str]]:
    """A line for each of what ranks the items: mean, standard error, and the ratio to metadata alone."""
    base = np.mean(figures["metadata alone"], axis=0)
    rows = []
    for name, drawn in figures.items():
        values = np.array(drawn)
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1 if draws > 1 else 0) / np.sqrt(len(values))
        cells = [(f"{mean[k]:.4f}", f"{error[k]:.4f}", f"{mean[k] / base[k]:.2f}") for k in range(len(FIGURES))]
        rows.append([data, name, str(draws), *(cell for group in cells for cell in group)])
    return rows


if __name__ == "__main__":
    main()
