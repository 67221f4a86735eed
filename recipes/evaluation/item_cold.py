"""How well items that nobody has taken yet are recommended: items are withheld as if they were new.

All events of a share of the items are taken out of the training data, their metadata stay. What was chosen for the model is
learned again without them; then the withheld items are ranked for users who took some of them. Metadata alone and
popularity, to which items without events are all alike, rank them beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, Recipe
from recipes.content.features import item_features
from recipes.data import Histories, TrainingData
from recipes.evaluation import metrics
from recipes.evaluation.evaluate import Evaluation
from recipes.numerics.arrays import Floats, Indexes, distinct
from recipes.numerics.topk import top_k
from recipes.run import Run

SHARE = 0.15  # of the items that somebody took
MIN_ITEMS, MIN_USERS = 10, 10
MAX_USERS, MAX_SCORES = 500, 20_000_000
DEPTH = 25
NDCG, MRR = "cold_ndcg_at_10", "cold_mrr_at_25"
CONTENT_NDCG, CONTENT_MRR = "cold_content_ndcg_at_10", "cold_content_mrr_at_25"


@dataclass(frozen=True)
class ItemColdTest:
    """Items withheld as if they were new, and who took them.

    Attributes:
        kept: the training data without the events of the withheld items.
        withheld: (W,) their indexes, rising.
        histories: Q users' events with other items.
        features: (N, F) metadata of the items.
        offsets, items: ragged, Q users: the withheld items that each took, as places among the W.
    """

    kept: TrainingData
    withheld: Indexes
    histories: Histories
    features: Floats
    offsets: Indexes
    items: Indexes

    @classmethod
    def of(cls, train: TrainingData, rng: np.random.Generator) -> ItemColdTest | None:
        """Draw items and users; None where items have no metadata or too few are left."""
        features = item_features(train)
        if not features.shape[1]:
            return None
        taken = np.flatnonzero(train.item_counts)
        withheld = np.sort(rng.permutation(taken)[: int(SHARE * len(taken))])
        is_withheld = np.isin(np.arange(train.num_items), withheld)
        kept = train.keep(~is_withheld[train.interactions.item_index])
        users = _users(train, kept, is_withheld, rng)
        if len(withheld) < MIN_ITEMS or len(users) < MIN_USERS:
            return None
        histories = train.histories(users)
        place = np.full(train.num_items, -1, np.int64)
        place[withheld] = np.arange(len(withheld))
        taken_place = place[histories.item_index]
        pairs = distinct((histories.row * len(withheld) + taken_place)[taken_place >= 0])
        offsets = np.searchsorted(pairs // len(withheld), np.arange(len(users) + 1)).astype(np.int64)
        return cls(kept, withheld, kept.histories(users), features, offsets, pairs % len(withheld))

    def of_model(self, model: Model) -> tuple[float, float]:
        """NDCG@10 and MRR@25 of a model that was fitted on `kept`."""
        return self.measured(model.score(self.histories)[:, self.withheld])

    def of_metadata(self) -> tuple[float, float]:
        """The same of how much items' metadata are like those of what a user took."""
        return self.measured(_profiles(self.histories, self.features) @ self.features[self.withheld].T)

    def of_chance(self, rng: np.random.Generator) -> tuple[float, float]:
        """The same of any order, which is what popularity makes of items without events."""
        return self.measured(rng.random((len(self.histories), len(self.withheld)), np.float32))

    def measured(self, scores: Floats) -> tuple[float, float]:
        """NDCG@10 and MRR@25 of (Q, W) scores."""
        ranked = top_k(np.ascontiguousarray(scores, np.float32), DEPTH).items
        hits = metrics.find_hits(ranked, self.offsets, self.items)
        relevant = metrics.count_relevant(self.offsets, self.items)
        ndcg, mrr = metrics.ndcg(hits, relevant, 10), metrics.reciprocal_rank(hits, DEPTH)
        return float(np.nanmean(ndcg)), float(np.nanmean(mrr))


def with_item_cold(evaluation: Evaluation, model: Model, train: TrainingData, run: Run) -> Evaluation:
    """The evaluation with what `model`, fitted on `train`, makes of new items; as it is where that cannot be said in seconds."""
    if type(model.recipe).relearned is Recipe.relearned:
        return evaluation
    rng = np.random.default_rng(run.seed)
    test = ItemColdTest.of(train, rng)
    relearned = None if test is None else model.recipe.relearned(model, test.kept, run)
    if test is None or relearned is None:
        return evaluation
    (ndcg, mrr), (content_ndcg, content_mrr) = test.of_model(relearned), test.of_metadata()
    chance_ndcg, chance_mrr = test.of_chance(rng)
    figures = {NDCG: ndcg, MRR: mrr, CONTENT_NDCG: content_ndcg, CONTENT_MRR: content_mrr}
    baselines = {**evaluation.baselines}
    baselines["popularity"] = baselines.get("popularity", {}) | {NDCG: chance_ndcg, MRR: chance_mrr}
    return replace(evaluation, figures=evaluation.figures | figures, baselines=baselines)


def _users(
    train: TrainingData, kept: TrainingData, is_withheld: NDArray[np.bool_], rng: np.random.Generator
) -> Indexes:
    """Users who took withheld items and others."""
    events = train.interactions
    took = np.bincount(events.user_index, is_withheld[events.item_index], train.num_users) > 0
    asked = np.flatnonzero(took & (np.diff(kept.offsets) > 0))
    most = min(MAX_USERS, max(1, MAX_SCORES // train.num_items))
    return np.sort(rng.permutation(asked)[:most])


def _profiles(histories: Histories, features: Floats) -> Floats:
    """(Q, F) summed metadata of what each user took."""
    return np.asarray(np.add.reduceat(features[histories.item_index], histories.offsets[:-1]), np.float32)
