"""The implicit library: item-item neighbours, ALS, BPR. New users' factors are solved from their histories (ALS)."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from collections.abc import Callable

import numpy as np
from common import Fitted, History, Scorer, Split, parse, run
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

NEIGHBOURS = {"cosine": CosineRecommender, "bm25": BM25Recommender, "tfidf": TFIDFRecommender}
Settings = dict[str, float]


def train(model: str, split: Split) -> Fitted:
    """Fit one of the library's models on all training users; `last` is how much of a history it is asked with."""
    name, settings = parse(model)
    last = int(settings.pop("last", 0)) or None
    fit: Callable[[str, Settings, Split], Scorer] = {"als": _als, "bpr": _bpr}.get(name, _neighbours)
    score = fit(name, settings, split)
    return Fitted(lambda histories: score([history.last(last) for history in histories]), {})


def _neighbours(name: str, settings: Settings, split: Split) -> Scorer:
    neighbours = NEIGHBOURS[name](K=int(settings["k"]))
    neighbours.fit(split.matrix(split.train), show_progress=False)
    similarity = neighbours.similarity.tocsr()
    return lambda histories: (split.matrix(histories) @ similarity).toarray()


def _als(_: str, settings: Settings, split: Split) -> Scorer:
    als = AlternatingLeastSquares(
        factors=int(settings["factors"]),
        regularization=settings["regularization"],
        alpha=settings["alpha"],
        iterations=15,
        random_state=0,
    )
    als.fit(split.matrix(split.train), show_progress=False)
    return lambda h: als.recalculate_user(np.arange(len(h)), split.matrix(h)) @ als.item_factors.T


def _bpr(_: str, settings: Settings, split: Split) -> Scorer:
    """BPR has no fold-in: a user it was not trained on is the mean of the items in the history."""
    bpr = BayesianPersonalizedRanking(factors=int(settings["factors"]), iterations=150, random_state=0)
    bpr.fit(split.matrix(split.train), show_progress=False)
    place = {history.user: row for row, history in enumerate(split.train)}
    users, items = np.asarray(bpr.user_factors), np.asarray(bpr.item_factors)

    def vector(history: History) -> np.ndarray:
        if history.user in place:
            return users[place[history.user]]
        return items[history.items].mean(axis=0) if len(history) else items.mean(axis=0)

    return lambda histories: np.stack([vector(history) for history in histories]) @ items.T


if __name__ == "__main__":
    run(train)
