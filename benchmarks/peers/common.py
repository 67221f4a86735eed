"""What every adapter shares: reading the split's files, writing the lists, telling the seconds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

K = 25
Scorer = Callable[[list[np.ndarray]], np.ndarray]


class Split:
    """Training sequences and query histories as item codes, oldest first."""

    def __init__(self, folder: Path) -> None:
        """Read train.csv and histories.csv."""
        train = pd.read_csv(folder / "train.csv", dtype={"USER_ID": str, "ITEM_ID": str})
        codes, self.items = pd.factorize(train["ITEM_ID"])
        train = train.assign(code=codes).sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
        self.sequences = [group.to_numpy() for _, group in train.groupby("USER_ID")["code"]]
        known = {item: code for code, item in enumerate(self.items)}
        queries = pd.read_csv(folder / "histories.csv", dtype={"USER_ID": str, "ITEM_ID": str})
        queries = queries.assign(code=queries["ITEM_ID"].map(known).fillna(-1).astype(int))
        queries = queries[queries["code"] >= 0].sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
        grouped = queries.groupby("USER_ID")["code"]
        self.users = list(grouped.groups)
        self.histories = [group.to_numpy() for _, group in grouped]

    @property
    def num_items(self) -> int:
        """How many items were trained on."""
        return len(self.items)

    def matrix(self, sequences: list[np.ndarray]) -> sparse.csr_matrix:
        """Users by items, 1 where there was an event."""
        rows = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
        columns = np.concatenate(sequences) if sequences else np.zeros(0, int)
        matrix = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)), shape=(len(sequences), self.num_items)
        )
        matrix.data[:] = 1
        return matrix


def run(train: Callable[[str, Split], Scorer]) -> None:
    """Train the model named on the command line, write the top 25 of unseen items, print the seconds of both."""
    model, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    split = Split(folder)
    started = time.monotonic()
    scorer = train(model, split)
    trained = time.monotonic()
    with out.open("w") as file:
        for start in range(0, len(split.users), 512):
            histories = split.histories[start : start + 512]
            scores = scorer(histories)
            for row, history in enumerate(histories):
                scores[row, history] = -np.inf
            best = np.argpartition(-scores, K, axis=1)[:, :K]
            order = np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)
            for user, items in zip(split.users[start : start + 512], order, strict=True):
                file.write(
                    json.dumps({"input": {"userId": user}, "output": {"recommendedItems": list(split.items[items])}})
                    + "\n"
                )
    print(trained - started, time.monotonic() - trained)
