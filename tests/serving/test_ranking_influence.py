"""A campaign's rankingInfluence reaches the semantic model."""

from __future__ import annotations

import numpy as np

from console.serving.loader import LoadedModel
from console.serving.pipeline import related_scores
from console.serving.targets import target_of
from recipes.methods.semantic_similarity import SemanticSimilarity
from recipes.run import Run
from tests.recipes.worlds import tasteful


def test_it_works():
    data = tasteful()
    loaded = LoadedModel("key", SemanticSimilarity().fit(data, Run()), data, 0, None, 0)
    queries = np.array([0, -1])
    plain, popular = (
        related_scores(target_of("arn", SemanticSimilarity, "key", 1, config), loaded, queries)
        for config in ({}, {"rankingInfluence": {"POPULARITY": 1}})
    )
    assert np.isneginf(plain[0, 0])
    assert np.allclose(popular[0, 1:] - plain[0, 1:], loaded.model.popularity[1:])
