"""Remembered scores: the same answers, fewer computations, bounded."""

from __future__ import annotations

import numpy as np
import pytest

from console.serving import score_cache
from console.serving.score_cache import ScoreMemory
from recipes.data import Histories


@pytest.fixture
def asked():
    return []


@pytest.fixture
def memory(asked):
    def score(history):
        asked.append(history)
        return np.full((1, 8), float(history.item_index.sum()), np.float32)

    return ScoreMemory(score)


def test_it_works(memory, asked):
    first = memory.score(Histories.of([[1, 2]]))
    assert (memory.score(Histories.of([[1, 2]])) == first).all()
    assert len(asked) == 1


def test_another_event_another_user_and_another_order_are_other_histories(memory, asked):
    for history in (
        Histories.of([[1, 2]]),
        Histories.of([[1, 2, 3]]),
        Histories.of([[2, 1]]),
        Histories.of([[1, 2]], user_index=[4]),
    ):
        memory.score(history)
    assert len(asked) == 4


def test_what_is_remembered_cannot_be_changed_by_accident(memory):
    with pytest.raises(ValueError, match="read-only"):
        memory.score(Histories.of([[1]]))[0, 0] = 5


def test_it_is_bounded(memory, asked, monkeypatch):
    monkeypatch.setattr(score_cache, "MOST_BYTES", 3 * 8 * 4)  # room for three rows
    for item in (1, 2, 3, 4, 1):
        memory.score(Histories.of([[item]]))
    assert len(asked) == 5
    memory.score(Histories.of([[4]]))
    assert len(asked) == 5
