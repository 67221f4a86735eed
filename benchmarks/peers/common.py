"""What every adapter shares: reading the split's files, writing the lists, telling seconds and memory."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

K = 25
BATCH = 256
SINGLES = 200  # how many requests for one user are timed
TRAIN_CPU_S = float(os.environ.get("PEER_CPU_SECONDS", "420"))  # of one thread


@dataclass(frozen=True)
class History:
    """One user's events, oldest first: item codes and epoch seconds."""

    user: str
    items: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        """How many events."""
        return len(self.items)

    def part(self, where: slice) -> History:
        """Some of the events."""
        return History(self.user, self.items[where], self.times[where])

    def last(self, count: int | None) -> History:
        """The newest events; None for all."""
        return self if count is None else self.part(slice(max(0, len(self) - count), None))

    def windows(self, length: int) -> list[History]:
        """Cut from the newest end into windows of `length` events that share one event, so that nothing is left out."""
        stops = range(len(self), 1, -(length - 1))
        return [self.part(slice(max(0, stop - length), stop)) for stop in stops]


Scorer = Callable[[Sequence[History]], np.ndarray]  # histories to (B, items) float scores, an array of its own


@dataclass(frozen=True)
class Fitted:
    """A trained peer: how to score with it, and what there is to tell of its training."""

    score: Scorer
    told: dict[str, Any]


class Split:
    """Training histories and query histories in item codes."""

    def __init__(self, folder: Path) -> None:
        """Read train.csv and histories.csv."""
        train = pd.read_csv(folder / "train.csv", dtype={"USER_ID": str, "ITEM_ID": str})
        codes, items = pd.factorize(train["ITEM_ID"])
        self.items = np.asarray(items, dtype=object)
        self.train = _histories(train.assign(code=codes))
        known = {item: code for code, item in enumerate(self.items)}
        queries = pd.read_csv(folder / "histories.csv", dtype={"USER_ID": str, "ITEM_ID": str})
        queries = queries.assign(code=queries["ITEM_ID"].map(known))
        asked = list(dict.fromkeys(queries["USER_ID"]))
        answered = {h.user: h for h in _histories(queries.dropna(subset="code").astype({"code": int}))}
        nothing = np.zeros(0, int)
        self.queries = [answered.get(user) or History(user, nothing, nothing) for user in asked]

    @property
    def num_items(self) -> int:
        """How many items were trained on."""
        return len(self.items)

    def matrix(self, histories: Sequence[History]) -> sparse.csr_matrix:
        """Users by items, 1 where there was an event."""
        rows = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
        columns = np.concatenate([h.items for h in histories]) if len(rows) else np.zeros(0, int)
        shape = (len(histories), self.num_items)
        matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        matrix.data[:] = 1
        return matrix

    def popularity(self) -> np.ndarray:
        """Events of each item."""
        return np.bincount(np.concatenate([h.items for h in self.train]), minlength=self.num_items).astype(np.float32)


def _histories(events: pd.DataFrame) -> list[History]:
    events = events.sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
    return [
        History(str(user), group["code"].to_numpy(), group["TIMESTAMP"].to_numpy())
        for user, group in events.groupby("USER_ID", sort=False)
    ]


def parse(model: str) -> tuple[str, dict[str, float]]:
    """`"als,factors=64,last=20"` as a name and its settings."""
    name, *settings = model.split(",")
    return name, {key: float(value) for key, value in (setting.split("=") for setting in settings)}


def run(train: Callable[[str, Split], Fitted]) -> None:
    """Train the model named on the command line and write its lists with seen items left out and left in."""
    model, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    split = Split(folder)
    wall, cpu = time.perf_counter(), time.process_time()
    fitted = train(model, split)
    told = {"train_s": time.perf_counter() - wall, "train_cpu_s": time.process_time() - cpu}
    wall, cpu = time.perf_counter(), time.process_time()
    _write(fitted.score, split, out / "lists.jsonl", mask=True)
    told |= {"recommend_s": time.perf_counter() - wall, "recommend_cpu_s": time.process_time() - cpu}
    _write(fitted.score, split, out / "lists-seen.jsonl", mask=False)
    print(json.dumps(told | _single(fitted.score, split) | {"told": fitted.told}))


def _write(score: Scorer, split: Split, path: Path, *, mask: bool) -> None:
    with path.open("w") as file:
        for start in range(0, len(split.queries), BATCH):
            histories = split.queries[start : start + BATCH]
            best = _best(score, split, histories, mask=mask)
            for history, codes in zip(histories, best, strict=True):
                answer = {"recommendedItems": split.items[codes].tolist()}
                file.write(json.dumps({"input": {"userId": history.user}, "output": answer}) + "\n")


def _best(score: Scorer, split: Split, histories: Sequence[History], *, mask: bool) -> list[np.ndarray]:
    """The top 25 of each; who has no known history gets what is popular."""
    scores = np.array(score(histories), np.float32)
    for row, history in enumerate(histories):
        if not len(history):
            scores[row] = split.popularity()
        elif mask:
            scores[row, history.items] = -np.inf
    width = min(K, split.num_items - 1)
    best = np.argpartition(-scores, width, axis=1)[:, :width]
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    codes = np.take_along_axis(best, order, axis=1)
    left = np.isfinite(np.take_along_axis(values, order, axis=1))
    return [row[keep] for row, keep in zip(codes, left, strict=True)]


def _single(score: Scorer, split: Split) -> dict[str, float]:
    """Milliseconds from one history to its 25 items, in this process."""
    took = []
    for history in split.queries[:SINGLES]:
        began = time.perf_counter()
        _best(score, split, [history], mask=True)
        took.append(1000 * (time.perf_counter() - began))
    return {"single_p50_ms": float(np.percentile(took, 50)), "single_p99_ms": float(np.percentile(took, 99))}
