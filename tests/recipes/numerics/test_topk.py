"""Top k: exact, in order, ties by lower index, batches without effect."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes import ranking
from recipes.base import Model, State
from recipes.data import Histories
from recipes.executor import THREADS
from recipes.methods.popularity import PopularityCount
from recipes.numerics import topk
from recipes.run import Run
from tests.recipes import worlds

SCORES = st.integers(1, 4).flatmap(
    lambda rows: st.lists(
        st.lists(st.sampled_from([-np.inf, 0.0, 0.25, 0.5, 1.0]), min_size=30, max_size=30),
        min_size=rows,
        max_size=rows,
    )
)


@given(SCORES, st.integers(1, 40))
def test_it_is_what_a_full_stable_sort_gives(rows, k):
    scores = np.array(rows, np.float32)
    found = topk.top_k(scores, k)
    for row, items, best in zip(scores, found.items, found.scores, strict=True):
        order = np.argsort(-row, kind="stable")[:k]
        plain = [int(item) for item in order if row[item] > -np.inf]
        assert items.tolist() == plain + [-1] * (k - len(plain))
        assert best[: len(plain)].tolist() == row[plain].tolist()


def test_batches_do_not_change_what_is_recommended():
    data = worlds.tasteful()
    model = PopularityCount().fit(data, Run())
    whole = ranking.recommend(model, data.histories(), 7, exclude_seen=True)
    parts = ranking.recommend(model, data.histories(), 7, exclude_seen=True, batch_size=11)
    assert (whole.items == parts.items).all()
    assert not (whole.items == data.histories().rows(0, 120).item_index[0]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(2, 3_000), st.integers(1, 12))
def test_many_scores_give_what_a_partition_gives(seed, rows, distinct, k):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, distinct, (rows, topk.MANY // rows + 7)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    scores[0, : rng.integers(0, scores.shape[1])] = -np.inf
    assert (topk._best(scores, k) == topk._by_partition(scores, k)).all()


def test_lists_made_ahead_come_in_order():
    class Echo(Model):
        """Each row's best item is the last of its history."""

        def score(self, histories: Histories) -> np.ndarray:
            scores = np.zeros((len(histories), self.num_items), np.float32)
            scores[np.arange(len(histories)), histories.item_index[histories.offsets[1:] - 1]] = 1
            return scores

        def forget_users(self, users: np.ndarray) -> Echo:
            return self

        def state(self) -> State:
            return State({})

        @classmethod
        def from_state(cls, recipe, num_items, state):
            return cls(recipe, num_items)

    histories = Histories.of([[row % 50] for row in range(1000)])
    model = Echo(PopularityCount(), 50)

    found = [lists.items[:, 0] for lists in ranking.lists(model, histories, 2, batch_size=7)]

    assert [len(batch) for batch in found] == [7] * 142 + [6]
    shares = [len(lists.items) for lists in ranking.lists(model, histories, 2)]
    assert shares == [1000 // THREADS] * THREADS
    assert np.concatenate(found).tolist() == [row % 50 for row in range(1000)]
    assert ranking.recommend(model, histories, 2, exclude_seen=True).items[:, 0].tolist() == [
        int(not row % 50) for row in range(1000)
    ]
    assert list(ranking.lists(model, Histories.of([]), 2)) == []
