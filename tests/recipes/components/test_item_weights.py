"""What reaches similar items: the same numbers from the few items that have a sum and from all."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.components.item_weights import MANY_TIMES
from recipes.numerics.weighted_rows import add_product
from tests.recipes.components import fitted
from tests.recipes.components.fitted import ITEMS


@pytest.mark.parametrize("sources", [0, 1, ITEMS // MANY_TIMES - 1, ITEMS // MANY_TIMES + 1, ITEMS])
def test_it_works(sources):
    rng, weights = np.random.default_rng(0), fitted.item_weights()
    total = np.zeros(ITEMS, np.float32)
    total[rng.permutation(ITEMS)[:sources]] = rng.standard_normal(sources)
    scores = rng.standard_normal(ITEMS).astype(np.float32)
    all_of_them = scores.copy()
    add_product(all_of_them, weights._similar_rows, total)

    weights._add_through(scores, total)

    assert np.array_equal(scores, all_of_them)
