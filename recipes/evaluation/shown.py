"""What a model recommended in its test, to whom, and what those people took: kept beside the metrics.

With it exposure, segments and single users can be looked at later, whatever became of the model and the data. Items and users
stand in it by their ids, and only those that occur.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from recipes import artefact
from recipes.columns import Numeric
from recipes.data import Ids, TrainingData
from recipes.evaluation import metrics
from recipes.evaluation.splits import Split
from recipes.numerics.arrays import Indexes

KEPT = 50  # places of each list that are kept
TIERS = ("head", "middle", "tail")
TIER_SHARES = (0.5, 0.8)  # of the training's events: the head's items hold the first half, the middle's the next 30 %
NEWEST = 0.1  # of the span of time: items first seen in it are new
CREATED = "CREATION_TIMESTAMP"
TENSORS, IDS = "shown.safetensors", "shown.json"


@dataclass(frozen=True)
class Shown:
    """The lists of one test.

    Attributes:
        user_ids: Q users asked for.
        item_ids: M items that were recommended or taken.
        history_sizes: (Q,) int64, events the model was given.
        ranked: (Q, K) int32 into `item_ids`, best first, -1 where there is none.
        offsets, truth: ragged, (Q + 1,) int64 and (T,) int32 into `item_ids`: what each user took next.
        counts: (M,) int64, events of each item in the training.
        tiers: (M,) int8 into `TIERS`.
        is_new: (M,) bool, first seen in the newest tenth of the time, or not at all.
        tier_sizes: (3,) int64, items of the catalogue in each tier.
        new_items: how many items of the catalogue are new.
    """

    user_ids: Ids
    item_ids: Ids
    history_sizes: NDArray[np.int64]
    ranked: NDArray[np.int32]
    offsets: NDArray[np.int64]
    truth: NDArray[np.int32]
    counts: NDArray[np.int64]
    tiers: NDArray[np.int8]
    is_new: NDArray[np.bool_]
    tier_sizes: NDArray[np.int64]
    new_items: int

    @classmethod
    def of(cls, ranked: Indexes, split: Split) -> Shown:
        """Keep the (Q, K) lists that answered the split's queries."""
        train, truth = split.train, split.truth
        ranked = ranked[:, :KEPT]
        items = np.union1d(ranked[ranked >= 0], truth.item_index)
        place = np.full(train.num_items + 1, -1, np.int32)  # the last one is for -1
        place[items] = np.arange(len(items))
        tiers, fresh = tiers_of(train.item_counts), new_items(train)
        return cls(
            Ids(train.user_ids.take(split.users)),
            Ids(train.item_ids.take(items)),
            np.diff(split.queries.offsets),
            place[ranked],
            truth.offsets,
            place[truth.item_index],
            train.item_counts[items],
            tiers[items],
            fresh[items],
            np.bincount(tiers, minlength=len(TIERS)),
            int(fresh.sum()),
        )

    @property
    def num_items(self) -> int:
        """N, the size of the catalogue."""
        return int(self.tier_sizes.sum())

    def exposure(self, k: int) -> NDArray[np.int64]:
        """(M,) how often each item stands among the first k of a list."""
        first = self.ranked[:, :k]
        return np.bincount(first[first >= 0], minlength=len(self.item_ids))

    def values(self, metric: str, k: int, only: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """(Q,) of a metric at `k`, asked for all that was taken, or for the (M,) items of `only`; NaN where nothing is asked.

        Args:
            metric: a key of `METRICS`.
            k: how many places count, at most `KEPT`.
            only: which of the taken items count.
        """
        offsets, truth = self.offsets, self.truth
        if only is not None:
            kept = only[truth]
            offsets = np.concatenate([[0], np.cumsum(kept)])[offsets]
            truth = truth[kept]
        wide = truth.astype(np.int64)
        relevant = metrics.count_relevant(offsets, wide)
        hits = metrics.find_hits(self.ranked.astype(np.int64), offsets, wide)
        found = METRICS[metric](hits, relevant, k)
        return np.where(relevant > 0, found, np.nan).astype(np.float32)

    def without(self, users: set[str]) -> Shown | None:
        """The same without the names of these users; None if none of them was asked for."""
        if not users & set(self.user_ids.array.to_pylist()):
            return None
        return replace(self, user_ids=Ids(["" if user in users else user for user in self.user_ids.array.to_pylist()]))

    def save(self, folder: Path) -> None:
        """Write two files into `folder`."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        save_file(arrays, folder / TENSORS)
        ids = {"users": self.user_ids.array.to_pylist(), "items": self.item_ids.array.to_pylist()}
        (folder / IDS).write_text(json.dumps(ids | {"new_items": self.new_items}))

    @classmethod
    def load(cls, folder: Path) -> Shown | None:
        """Read what `save` wrote; None if there is nothing."""
        if not (folder / IDS).exists():
            return None
        ids = json.loads((folder / IDS).read_text())
        arrays = artefact.load_tensors(folder / TENSORS)
        return cls(Ids(ids["users"]), Ids(ids["items"]), **arrays, new_items=ids["new_items"])


ARRAYS = ("history_sizes", "ranked", "offsets", "truth", "counts", "tiers", "is_new", "tier_sizes")
METRICS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.int64], int], NDArray[np.float32]]] = {
    "normalized_discounted_cumulative_gain": lambda hits, _, k: metrics.ndcg_in_list(hits, k),
    "strict_ndcg": metrics.ndcg,
    "precision": lambda hits, _, k: metrics.precision(hits, k),
    "recall": metrics.recall,
    "hit_rate": lambda hits, _, k: metrics.hit_rate(hits, k),
    "mean_reciprocal_rank": lambda hits, _, k: metrics.reciprocal_rank(hits, k),
}


def tiers_of(counts: NDArray[np.int64]) -> NDArray[np.int8]:
    """(N,) the tier of each item: 0 those that hold the first half of all events, 1 the next 30 %, 2 the rest.

    >>> tiers_of(np.array([5, 0, 3, 1, 1])).tolist()
    [0, 2, 1, 2, 2]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]]) / max(1, int(counts.sum()))
    tiers = np.empty(len(counts), np.int8)
    tiers[order] = np.searchsorted(TIER_SHARES, before, "right")
    tiers[counts == 0] = 2
    return tiers


def new_items(data: TrainingData) -> NDArray[np.bool_]:
    """(N,) items created, or else first taken, in the newest tenth of the time that the events span; those never taken are new."""
    events = data.interactions
    first = np.full(data.num_items, np.inf)
    np.minimum.at(first, events.item_index, events.timestamp)
    created = data.items.get(CREATED)
    if isinstance(created, Numeric):
        first = np.where(np.isnan(created.values), first, created.values)
    if not len(events):
        return np.ones(data.num_items, bool)
    start, end = int(events.timestamp.min()), int(events.timestamp.max())
    return np.asarray(first > end - NEWEST * (end - start))


def gini_curve(exposure: NDArray[np.int64], num_items: int, points: int = 100) -> list[tuple[float, float]]:
    """Lorenz curve: (share of the items, least recommended first; their share of all places), from (0, 0) to (1, 1).

    >>> gini_curve(np.array([3, 1]), 4, points=4)
    [(0.0, 0.0), (0.25, 0.0), (0.5, 0.0), (0.75, 0.25), (1.0, 1.0)]
    """
    ordered = np.sort(exposure)
    held = np.concatenate([[0], np.cumsum(ordered)]) / max(1, int(ordered.sum()))
    absent = num_items - len(exposure)
    places = np.unique(np.round(np.linspace(0, num_items, min(points, num_items) + 1)).astype(np.int64))
    return [(float(place / num_items), float(held[max(0, place - absent)])) for place in places]
