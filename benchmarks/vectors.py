"""`python -m benchmarks.vectors`: what vectors of one's own tell of new items, and that vectors of noise do no harm.

The vectors are a co-occurrence embedding learned from one half of the users; recipes are fitted on the other half, without
the events of withheld items, which are then ranked for these users. NDCG@10 against the same recipe with the other metadata alone.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks import datasets, table
from recipes import catalogue
from recipes.columns import Columns, Kind, encode_column
from recipes.data import TrainingData
from recipes.numerics.cooccurrence_embedding import cooccurrence_vectors, nearest_cooccurrence
from recipes.run import Run

DIMENSION = 64
WITHHELD, MIN_EVENTS, MIN_HISTORY, DEPTH = 0.15, 5, 3, 10
RESAMPLES = 1000
RECIPES = {"aws-similar-items": {}, "aws-user-personalization": {"mode": "fast"}}


def halves(folder: Path) -> tuple[TrainingData, list[str]]:
    """The data of one half of the users, and for each of its items the vector that the other half tells."""
    events = pd.read_csv(folder / "interactions.csv", dtype={"USER_ID": str, "ITEM_ID": str})
    items = pd.read_csv(folder / "items.csv", dtype={"ITEM_ID": str}).drop_duplicates("ITEM_ID")
    users = np.random.default_rng(0).permutation(np.sort(events["USER_ID"].unique()))
    is_other = events["USER_ID"].isin(users[: len(users) // 2])
    kept = events[~is_other]
    kept = kept[kept["ITEM_ID"].map(kept["ITEM_ID"].value_counts()) >= MIN_EVENTS]
    other, data = (
        TrainingData.from_tables(
            pa.Table.from_pandas(part[["USER_ID", "ITEM_ID", "TIMESTAMP"]], preserve_index=False), *more
        )
        for part, more in (
            (events[is_other], ()),
            (kept, (pa.Table.from_pandas(items[items["ITEM_ID"].isin(kept["ITEM_ID"])], preserve_index=False),)),
        )
    )
    counts = nearest_cooccurrence(other.interactions.user_index, other.interactions.item_index, other.num_items)
    vectors = cooccurrence_vectors(counts, DIMENSION)
    places = other.item_ids.indexes(data.item_ids.array.to_pylist())
    return data, [written(vectors[place]) if place >= 0 else "" for place in places]


def written(vector: NDArray[np.floating]) -> str:
    """A vector as JSON."""
    return "[" + ", ".join(f"{value:.4f}" for value in vector) + "]"


def ndcg(scores: NDArray[np.floating], withheld: NDArray[np.int64], truth: dict[int, set[int]]) -> NDArray[np.float64]:
    """(Q,) of the users in `truth`, in the order of the withheld items alone."""
    gains = 1 / np.log2(np.arange(DEPTH) + 2)
    found = []
    for user, wanted in truth.items():
        best = withheld[np.argsort(-scores[user, withheld], kind="stable")[:DEPTH]]
        found.append(gains[: len(best)][np.isin(best, list(wanted))].sum() / gains[: len(wanted)].sum())
    return np.array(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each recipe with the other metadata alone, with vectors that tell and with noise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vectors", description=__doc__)
    parser.add_argument("--data", default="movielens-100k")
    parser.add_argument("--recipe", action="append", choices=list(RECIPES), help="both by default; repeatable")
    options = parser.parse_args(arguments)
    folder = datasets.folder(options.data)
    if folder is None:
        sys.exit(f"{options.data} is not here")
    data, texts = halves(folder)
    rng = np.random.default_rng(1)
    noise = [written(row) for row in rng.normal(size=(data.num_items, DIMENSION))]
    withheld = np.sort(rng.permutation(np.flatnonzero(data.item_counts))[: int(WITHHELD * data.num_items)])
    is_withheld = np.isin(np.arange(data.num_items), withheld)[data.interactions.item_index]
    kept = data.keep(~is_withheld)
    truth: dict[int, set[int]] = defaultdict(set)
    for user, item in zip(
        data.interactions.user_index[is_withheld], data.interactions.item_index[is_withheld], strict=True
    ):
        if kept.offsets[user + 1] - kept.offsets[user] >= MIN_HISTORY:
            truth[int(user)].add(int(item))
    columns: dict[str, Columns] = {
        "metadata": data.items,
        "and vectors": data.items | {"VECTOR": encode_column(pa.array(texts), Kind.LABEL)},
        "and noise": data.items | {"VECTOR": encode_column(pa.array(noise), Kind.LABEL)},
    }
    lines = []
    for recipe in options.recipe or RECIPES:
        base = None
        for name, some in columns.items():
            model = catalogue.get(recipe)(**RECIPES[recipe]).fit(replace(kept, items=some), Run())
            values = ndcg(model.score(kept.histories()), withheld, truth)
            base = values if base is None else base
            drawn = rng.integers(0, len(values), (RESAMPLES, len(values)))
            low, high = np.percentile(values[drawn].mean(axis=1) / base[drawn].mean(axis=1), [2.5, 97.5])
            ratio = f"{values.mean() / base.mean():.2f} [{low:.2f}, {high:.2f}]"
            lines.append([options.data, recipe, name, str(len(values)), f"{values.mean():.4f}", ratio])
    print(table.markdown(["data", "recipe", "items' columns", "queries", "ndcg@10", "ratio [95 %]"], lines))


if __name__ == "__main__":
    main()
