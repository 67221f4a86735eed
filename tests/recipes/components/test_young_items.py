"""New items keep their distance to the best of all others from one UPDATE to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.young_items import BEST, YoungItems
from tests.recipes.components.fitted import ITEMS, YOUNG, histories, young_items

FEW = histories().rows(0, 6)  # users with few events


def others(lead: float) -> np.ndarray:
    """Scores in which ten items that nobody has taken are so far ahead of all others."""
    scores = np.zeros((len(FEW), ITEMS), np.float32)
    free = np.setdiff1d(np.arange(ITEMS), [*YOUNG, *FEW.item_index])
    scores[:, free[:BEST]] = lead
    return scores


def test_the_lead_is_that_of_the_best_items_which_are_not_young_and_not_taken_yet():
    young = young_items()
    scores = others(0.0)
    assert young.lead_in(scores, FEW) == pytest.approx(0, abs=1e-5)
    scores[:, YOUNG] = 9.0
    scores[FEW.row, FEW.item_index] = 9.0
    assert young.lead_in(scores, FEW) == pytest.approx(0, abs=1e-5)
    assert young.lead_in(others(2.0), FEW) > young.lead_in(others(1.0), FEW) > 0.1


def test_what_an_update_adds_to_the_lead_of_the_best_is_added_to_young_items():
    full = young_items().following(1.0, None)
    after = young_items().following(1.5, full)
    np.testing.assert_allclose(after.cold.level, full.cold.level + 0.5, rtol=1e-6)
    np.testing.assert_allclose(after.following(1.5, None).lead, 1.5)
    again = young_items().following(1.7, after)
    np.testing.assert_allclose(again.cold.level, full.cold.level + 0.7, rtol=1e-6)


def test_a_smaller_or_an_unknown_lead_changes_nothing():
    full = young_items().following(1.0, None)
    for now, before in ((0.6, full), (None, full), (1.5, replace(full, lead=None))):
        np.testing.assert_array_equal(young_items().following(now, before).cold.level, full.cold.level)


def test_the_lead_is_stored():
    young = young_items().following(1.25, None)
    tensors = young.tensors() | young.repeats.tensors()
    assert YoungItems.from_tensors(tensors, young.values(), ITEMS).lead == 1.25
