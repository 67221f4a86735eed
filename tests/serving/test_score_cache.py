"""Cached scores: the same answers, fewer computations, bounded."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from console.serving.caches import ENTRY_BYTES, ScoreCache
from recipes.data import Histories


@pytest.fixture
def asked():
    return []


@pytest.fixture
def score(asked):
    def score(history):
        asked.append(history)
        return np.full((1, 8), float(history.item_index.sum()), np.float32)

    return score


@pytest.fixture
def cache(score):
    return ScoreCache(score)


def test_it_works(cache, asked):
    first = cache.score(Histories.of([[1, 2]]))
    assert (cache.score(Histories.of([[1, 2]])) == first).all()
    assert len(asked) == 1


def test_another_event_another_user_and_another_order_are_other_histories(cache, asked):
    for history in (
        Histories.of([[1, 2]]),
        Histories.of([[1, 2, 3]]),
        Histories.of([[2, 1]]),
        Histories.of([[1, 2]], user_index=[4]),
    ):
        cache.score(history)
    assert len(asked) == 4


def test_what_is_cached_cannot_be_changed_by_accident(cache):
    with pytest.raises(ValueError, match="read-only"):
        cache.score(Histories.of([[1]]))[0, 0] = 5


def test_it_is_bounded(score, asked):
    cache = ScoreCache(score, max_bytes=3 * (8 * 4 + ENTRY_BYTES))  # room for three rows
    for item in (1, 2, 3, 4, 1):
        cache.score(Histories.of([[item]]))
    assert len(asked) == 5
    cache.score(Histories.of([[4]]))
    assert len(asked) == 5


def test_an_answer_larger_than_the_cache_is_given_all_the_same(score):
    assert ScoreCache(score, max_bytes=8).score(Histories.of([[3]])).tolist() == [[3.0] * 8]


def test_long_histories_take_no_more_room_than_their_scores():
    cache = ScoreCache(lambda history: np.zeros((len(history), 8), np.float32))
    tracemalloc.start()
    try:
        for user in range(100):
            cache.score(Histories.of([list(range(10_000))], user_index=[user]))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 100 * 4 * ENTRY_BYTES
