"""The implicit library: item-item neighbours, ALS, BPR. New users' factors are solved from their histories (ALS)."""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from common import Scorer, Split, run
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender


def train(model: str, split: Split) -> Scorer:
    """Fit one of the library's models on all training users."""
    matrix = split.matrix(split.sequences)
    if model in {"cosine", "bm25"}:
        neighbours = CosineRecommender(K=100) if model == "cosine" else BM25Recommender(K=100)
        neighbours.fit(matrix, show_progress=False)
        similarity = neighbours.similarity.tocsr()
        return lambda histories: np.asarray((split.matrix(histories) @ similarity).todense())
    if model == "als":
        als = AlternatingLeastSquares(factors=128, regularization=0.01, alpha=10, iterations=15, random_state=0)
        als.fit(matrix, show_progress=False)
        return lambda h: als.recalculate_user(np.arange(len(h)), split.matrix(h)) @ als.item_factors.T
    bpr = BayesianPersonalizedRanking(factors=128, iterations=150, random_state=0)
    bpr.fit(matrix, show_progress=False)
    factors = bpr.item_factors  # BPR has no fold-in: a new user is the mean of the items in the history
    return lambda h: np.stack([factors[items].mean(0) if len(items) else factors.mean(0) for items in h]) @ factors.T


if __name__ == "__main__":
    run(train)
