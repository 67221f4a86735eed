"""Windowed co-occurrence: what is counted, and how similarities weigh it."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.numerics import grouping
from recipes.numerics.cooccurrence import (
    WINDOW,
    FirstEvents,
    Pairs,
    Similarity,
    windowed_cooccurrence,
    windowed_neighbours,
    windowed_pairs,
)
from recipes.run import Run
from tests.recipes import worlds

USERS = np.array([4.0, 9.0, 1.0])
PAIRS = Pairs(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([4, 3, 1]), np.array([4.0, 3.0, 1.0]))


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        (Similarity(), [0.0, 3 / 6, 1 / 2]),
        (Similarity(discount=1.0), [0.0, 3 / 18, 1 / 2]),
        (Similarity(min_cooccurrence=2), [0.0, 3 / 6, 0.0]),
        (Similarity(shrinkage=1.0), [0.0, 3 / 6 * 3 / 4, 1 / 2 / 2]),
        (Similarity(user_prior=5.0), [0.0, 3 / np.sqrt(9 * 14), 1 / np.sqrt(9 * 6)]),
    ],
)
def test_each_setting_weighs_pairs_as_it_says(similarity, expected):
    np.testing.assert_allclose(similarity.nearest(PAIRS, USERS, 0, 1).toarray(), [expected], rtol=1e-6)


def test_several_similarities_are_what_each_alone_is(monkeypatch):
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_CELLS", 300)  # several blocks
    data = worlds.tasteful()
    similarities = [Similarity(shrinkage=1.0, user_prior=5.0), Similarity(min_cooccurrence=2)]
    events = FirstEvents.of(data.interactions.user_index, data.interactions.item_index, data.num_items)
    together = windowed_neighbours(events, similarities, Run())
    for similarity, found in zip(similarities, together, strict=True):
        (alone,) = windowed_neighbours(events, [similarity], Run())
        assert found.shape == (data.num_items, data.num_items)
        assert (found != alone).nnz == 0
        assert found.nnz


@pytest.fixture
def sequences():
    rng = np.random.default_rng(1)
    row = np.repeat(np.arange(30), rng.integers(1, 12, 30))
    return row, rng.integers(0, 9, len(row))


def plain_counts(row, item, weights, event_weights=None):
    counts = np.zeros((9, 9))
    for later in range(len(row)):
        for distance in range(1, len(weights) + 1):
            if later >= distance and row[later - distance] == row[later]:
                both = 1 if event_weights is None else event_weights[later - distance] * event_weights[later]
                counts[item[later - distance], item[later]] += weights[distance - 1] * both
    return counts


def test_every_pair_within_the_window_is_enumerated_once(sequences):
    row, _ = sequences
    found = {(int(later - distance), int(later)) for distance, places in windowed_pairs(row, 3) for later in places}
    assert found == {(i, j) for i in range(len(row)) for j in range(i + 1, min(len(row), i + 4)) if row[i] == row[j]}


@pytest.mark.parametrize("held", [1, 10_000])
def test_counts_are_those_of_a_plain_loop_however_often_they_are_added_up(sequences, monkeypatch, held):
    monkeypatch.setattr("recipes.numerics.cooccurrence.PAIRS_HELD", held)
    row, item = sequences
    weights = 0.8 ** np.arange(5)
    event_weights = np.random.default_rng(2).random(len(row)).astype(np.float32)
    for given in (None, event_weights):
        counts = windowed_cooccurrence(row, item, 9, weights, Run(), event_weights=given).toarray()
        assert counts == pytest.approx(plain_counts(row, item, weights, given), abs=1e-5)


def test_symmetric_counts_add_both_directions_and_excluded_pairs_are_left_out(sequences):
    row, item = sequences
    weights = np.ones(4)
    counts = windowed_cooccurrence(row, item, 9, weights, Run(), excluded=np.equal, is_symmetric=True).toarray()
    plain = plain_counts(row, item, weights)
    np.fill_diagonal(plain, 0)
    assert counts == pytest.approx(plain + plain.T)


def test_no_events_give_no_pairs():
    none = np.zeros(0, np.int64)
    assert windowed_cooccurrence(none, none, 3, np.ones(2), Run()).shape == (3, 3)


@pytest.mark.parametrize("dense_items", [0, 20_000])
@pytest.mark.parametrize("is_weighed", [False, True])
@pytest.mark.parametrize("is_kept", [False, True])
def test_pairs_are_the_same_wherever_blocks_of_events_end(monkeypatch, dense_items, is_weighed, is_kept):
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_ITEMS", dense_items)
    rng = np.random.default_rng(5)
    user = np.repeat(rng.permutation(30), rng.integers(0, 40, 30))
    item = rng.integers(0, 15, len(user))
    weight = rng.random(len(user)).astype(np.float32) if is_weighed else None
    kept = rng.random(len(user)) < 0.7 if is_kept else None
    found = []
    for block in (1, 1000):
        monkeypatch.setattr(grouping, "BLOCK", block)
        found.append(FirstEvents.of(user, item, 15, weight, kept).count(0, 15))
    assert found[0].users.sum()
    for name in ("left", "right", "users", "weight"):
        assert getattr(found[0], name).tolist() == getattr(found[1], name).tolist()
    if not is_weighed:
        assert pairs_of(user, item, kept) == set(zip(found[0].left.tolist(), found[0].right.tolist(), strict=True))


def pairs_of(user, item, kept):
    """The pairs of items whose first events stand within the window in some history, by a plain loop."""
    found = set()
    for each in set(user.tolist()):
        chosen = (user == each) if kept is None else (user == each) & kept
        history = list(dict.fromkeys(item[chosen].tolist()))
        found |= {(a, b) for x, a in enumerate(history) for y, b in enumerate(history) if 0 < abs(x - y) <= WINDOW}
    return found


def test_histories_without_events_have_no_neighbours():
    none = np.zeros(0, np.int64)
    (found,) = windowed_neighbours(FirstEvents.of(none, none, 3), [Similarity()], Run())
    assert (found.shape, found.nnz) == ((3, 3), 0)
