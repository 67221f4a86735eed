"""New items keep their distance to the best of all others from one UPDATE to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.young_items import BEST, YoungItems
from recipes.data import Histories
from tests.recipes.components.fitted import ITEMS, USERS, YOUNG, histories, young_items

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


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_rows_score_alike_however_many_are_read_together(monkeypatch, weight):
    young = young_items().weighted(weight)
    together, apart = np.ones((USERS, ITEMS), np.float32), np.ones((USERS, ITEMS), np.float32)
    young.add_scores(together, histories())
    monkeypatch.setattr("recipes.components.young_items.BLOCK_SCORES", 2 * ITEMS)
    young.add_scores(apart, histories())
    np.testing.assert_allclose(apart, together, rtol=1e-6)


def test_a_history_of_all_other_items_is_compared_with_them_without_what_they_get_for_being_there():
    others = np.setdiff1d(np.arange(ITEMS), YOUNG).tolist()
    queries = Histories.of([[0, 1], others, [others[0], *others], []])
    young = young_items()
    forgetful = replace(young, repeats=replace(young.repeats, seen=0.0, repeat=0.0))
    expected, scores = np.ones((4, ITEMS), np.float32), np.ones((4, ITEMS), np.float32)
    young.repeats.add_scores(scores, queries)
    rows = scores.copy()
    forgetful.add_scores(expected, queries)
    young.add_scores(scores, queries)
    np.testing.assert_allclose(scores[:, YOUNG], expected[:, YOUNG], rtol=1e-5)
    for row in range(3):
        young.add_to_row(rows[row], queries.rows(row, row + 1))
    np.testing.assert_allclose(rows[:3], scores[:3], rtol=1e-5)
