"""Metrics computed here, apart from the library's own, on the lists that a system wrote.

`judge` is the strict reading; `judge_as_worded` is AWS's: its documentation takes the ideal list over the recommended
items that were relevant, and its published figures fit only when seen items are not masked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

K = 25
CUTOFFS = (5, 10, 25)
GAINS = 1 / np.log2(np.arange(2, K + 2))
Truth = dict[str, list[str]]
Figures = dict[str, float]


def judge(lists: Path, truth: Truth, num_items: int) -> Figures:
    """Strict figures; whoever wrote the lists has left seen items out.

    NDCG at k is normalised by the best that is possible with min(k, truths) hits; coverage is the share of `num_items`.
    """
    return _mean(lists, truth, num_items, _possible)


def judge_as_worded(lists: Path, truth: Truth, num_items: int) -> Figures:
    """The same names as AWS words them: NDCG's ideal is over the hits inside the top k."""
    return _mean(lists, truth, num_items, _reached)


def queries(lists: Path, truth: Truth) -> dict[str, Figures]:
    """Strict figures of each user, for comparing two systems query by query."""
    return {user: figures for user, _, figures in _judged(lists, truth, _possible)}


def _possible(hits: np.ndarray, wanted: int) -> int:
    return min(len(hits), wanted)


def _reached(hits: np.ndarray, wanted: int) -> int:  # noqa: ARG001  readings are called alike
    return int(hits.sum())


Ideal = Callable[[np.ndarray, int], int]


def _mean(path: Path, truth: Truth, num_items: int, ideal: Ideal) -> Figures:
    """Means over the users that are asked for; one without a list counts as nothing found."""
    judged = list(_judged(path, truth, ideal))
    rows = [figures for _, _, figures in judged]
    means = {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else {})}
    recommended = {item for _, found, _ in judged for item in found}
    unanswered = sum(not found for _, found, _ in judged)
    return means | {"coverage": len(recommended) / num_items, "queries": len(rows), "unanswered": unanswered}


def _judged(path: Path, truth: Truth, ideal: Ideal) -> Iterator[tuple[str, list[str], Figures]]:
    lists = dict(_read(path))
    unknown = sorted(set(lists) - set(truth))
    if unknown:
        raise ValueError(f"{path} has lists for users without a truth: {unknown[:3]}.")
    for user, wanted in truth.items():
        found = lists.get(user, [])
        yield user, found, _query(found, set(wanted), ideal)


def _read(path: Path) -> Iterator[tuple[str, list[str]]]:
    with path.open() as file:
        for line in file:
            answer = json.loads(line)
            found = answer["output"]["recommendedItems"][:K]
            if len(set(found)) < len(found):
                raise ValueError(f"{path} recommends an item twice to {answer['input']['userId']}.")
            yield answer["input"]["userId"], found


def _query(found: list[str], wanted: set[str], ideal: Ideal) -> Figures:
    hits = np.array([item in wanted for item in found] + [False] * (K - len(found)))
    result: Figures = {}
    for k in CUTOFFS:
        best = float(GAINS[: ideal(hits[:k], len(wanted))].sum())
        result[f"ndcg@{k}"] = float((hits[:k] * GAINS[:k]).sum()) / best if best else 0.0
        result[f"precision@{k}"] = float(hits[:k].mean())
    first = np.flatnonzero(hits)
    result["mrr@25"] = float(1 / (first[0] + 1)) if len(first) else 0.0
    result["hit@10"] = float(hits[:10].any())
    return result
