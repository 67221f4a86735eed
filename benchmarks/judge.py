"""Metrics computed here, apart from the library's own, on the lists that a system wrote."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def judge(lists: Path, truth_file: Path, num_items: int) -> dict[str, float]:
    """Strict NDCG, hit rate, MRR and precision of JSON Lines against the truth; seen items are masked by the system.

    NDCG at k is normalised by the best that is possible with min(k, truths) hits.
    """
    truth: dict[str, list[str]] = json.loads(truth_file.read_text())
    rows, recommended = [], set()
    with lists.open() as file:
        for line in file:
            answer = json.loads(line)
            user = answer["input"]["userId"]
            if user in truth:
                found = answer["output"]["recommendedItems"][:25]
                recommended.update(found)
                rows.append(_query(found, set(truth[user])))
    missing = len(truth) - len(rows)
    rows += [dict.fromkeys(rows[0] if rows else {}, 0.0)] * missing
    means = {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else {})}
    return means | {"coverage": len(recommended) / num_items, "queries": len(rows), "unanswered": missing}


def _query(found: list[str], wanted: set[str]) -> dict[str, float]:
    hits = np.array([item in wanted for item in found] + [False] * (25 - len(found)))
    gains = 1 / np.log2(np.arange(2, 27))
    result = {}
    for k in (5, 10, 25):
        result[f"ndcg@{k}"] = float((hits[:k] * gains[:k]).sum() / gains[: min(k, len(wanted))].sum())
        result[f"precision@{k}"] = float(hits[:k].mean())
    first = np.flatnonzero(hits)
    result["mrr@25"] = float(1 / (first[0] + 1)) if len(first) else 0.0
    result["hit@10"] = float(hits[:10].any())
    return result
