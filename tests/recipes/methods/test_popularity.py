"""Popularity: distinct users, the same for everyone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from recipes.data import Histories, TrainingData
from recipes.methods.popularity import PopularityCount, distinct_users, weighted_users
from recipes.numerics import grouping
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes import worlds


def data() -> TrainingData:
    """Alice took x three times; bob and charlie took y; bob also took z."""
    events = {
        "USER_ID": ["a", "a", "a", "b", "c", "b"],
        "ITEM_ID": ["x", "x", "x", "y", "y", "z"],
        "TIMESTAMP": range(6),
    }
    return TrainingData.from_tables(pa.table({name: list(column) for name, column in events.items()}))


def test_it_works():
    model = PopularityCount().fit(data(), Run())
    ids = data().item_ids
    assert ids.take(top_k(model.score(Histories.of([[], [0]])), 1).items[:, 0]) == ["y", "y"]


def test_a_user_who_comes_back_counts_once():
    assert dict(zip("xyz", distinct_users(data()).tolist(), strict=True)) == {"x": 1, "y": 2, "z": 1}


def test_it_agrees_with_a_plain_count():
    world = worlds.tasteful()
    pairs = {
        (int(u), int(i)) for u, i in zip(world.interactions.user_index, world.interactions.item_index, strict=True)
    }
    plain = np.bincount([item for _, item in pairs], minlength=world.num_items)
    assert (distinct_users(world) == plain).all()


def test_probabilities_are_shares_and_leave_out_what_is_masked():
    model = PopularityCount().fit(data(), Run())
    scores = model.score(Histories.of([[]]))
    assert model.probabilities(scores).tolist() == [[0.25, 0.5, 0.25]]
    scores[0, 1] = -np.inf
    assert model.probabilities(scores).tolist() == [[0.5, 0, 0.5]]


def test_no_event_explains_it():
    model = PopularityCount().fit(data(), Run())
    (only,) = model.explain(Histories.of([[0, 1]]), 1)
    assert (only.position, only.weight) == (-1, 2)


def test_blocks_of_users_count_what_all_together_count(monkeypatch):
    rng = np.random.default_rng(3)
    events = pa.table(
        {"USER_ID": rng.integers(0, 40, 900), "ITEM_ID": rng.integers(0, 12, 900), "TIMESTAMP": np.arange(900)}
    )
    plain = TrainingData.from_tables(events)
    weighed = replace(plain, interactions=replace(plain.interactions, weight=rng.random(900).astype(np.float32)))
    chosen = rng.random(900) < 0.5
    given = [(data, part) for data in (plain, weighed) for part in (None, chosen)]
    whole = [weighted_users(data, part) for data, part in given]
    monkeypatch.setattr(grouping, "BLOCK", 7)
    for (data, part), expected in zip(given, whole, strict=True):
        assert weighted_users(data, part).tolist() == expected.tolist()
    assert whole[0].tolist() == distinct_users(plain).tolist()
