from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.item_weights import DenseWeights
from recipes.components.sequence_ridge import Moments
from recipes.components.sparse_ridge import sparse_ridge
from recipes.components.window_kernel import WindowKernel
from recipes.data import Histories
from recipes.run import Run, StopRequested

ITEMS = 7


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return Histories.of([rng.integers(0, ITEMS, rng.integers(1, 12)).tolist() for _ in range(30)])


def explicit_design(histories: Histories, kernel: WindowKernel):
    inputs, targets = [], []
    for low, high in zip(histories.offsets[:-1], histories.offsets[1:], strict=True):
        items = histories.item_index[low:high]
        for t in range(1, len(items)):
            x, y = np.zeros(ITEMS), np.zeros(ITEMS)
            for k in range(min(kernel.window, t)):
                x[items[t - 1 - k]] += kernel.decay**k
            for j in range(min(kernel.future, len(items) - t)):
                y[items[t + j]] += kernel.future_decay**j
            inputs.append(x)
            targets.append(y)
    return np.array(inputs), np.array(targets)


def fitted(histories: Histories, kernel: WindowKernel, ridge: float, dropout: float = 0.0) -> DenseWeights:
    moments = Moments.partial(kernel, ITEMS, Run(), histories)
    return DenseWeights.of(kernel, moments.finish(ridge, dropout), np.arange(ITEMS), ITEMS)


@pytest.mark.parametrize("kernel", [WindowKernel(4, 0.7, 3, 0.6), WindowKernel(1, 0.5), WindowKernel(32, 0.9, 5)])
def test_it_equals_the_regression_on_the_explicit_design(sequences, kernel):
    x, y = explicit_design(sequences, kernel)
    gram = x.T @ x
    expected = np.linalg.solve(gram + 2.0 * np.eye(ITEMS) + 0.5 * np.diag(np.diag(gram)), x.T @ y)

    assert fitted(sequences, kernel, 2.0, 0.5).weights == pytest.approx(expected, abs=1e-5)


def test_profile_weights_are_those_of_ease(sequences):
    kernel = WindowKernel(100, 1.0, profile=True)
    profiles = np.zeros((len(sequences), ITEMS))
    profiles[sequences.row, sequences.item_index] = 1
    inverse = np.linalg.inv(profiles.T @ profiles + 3.0 * np.eye(ITEMS))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)

    assert fitted(sequences, kernel, 3.0).weights == pytest.approx(expected, abs=1e-4)


def test_one_user_scores_as_in_a_batch(sequences):
    ridge = fitted(sequences, WindowKernel(6, 0.8, 2), 1.0)
    batch = ridge.score(sequences)

    for row in range(len(sequences)):
        assert ridge.score(sequences.rows(row, row + 1))[0] == pytest.approx(batch[row], abs=1e-5)


def test_contributions_add_up_to_the_score(sequences):
    ridge = fitted(sequences, WindowKernel(6, 0.8, 2), 1.0)
    history = sequences.rows(3, 4)

    for item in range(ITEMS):
        assert ridge.contributions(history, item).sum() == pytest.approx(ridge.score(history)[0, item], abs=1e-5)


def test_items_it_does_not_know_score_zero(sequences):
    kernel = WindowKernel(6, 0.8)
    members = np.array([0, 2, 5])
    position = np.full(ITEMS, -1)
    position[members] = np.arange(3)
    moments = Moments.partial(kernel, 3, Run(), replace(sequences, item_index=position[sequences.item_index]))
    scores = DenseWeights.of(kernel, moments.finish(1.0, 0.0), members, ITEMS).score(sequences)

    assert not scores[:, [1, 3, 4, 6]].any()
    assert scores[:, members].any()


def test_sparse_weights_hold_only_pairs_that_the_ridge_leaves_out(sequences):
    members = np.array([0, 1, 2])
    found = sparse_ridge(WindowKernel(4, 0.8), sequences, members, ITEMS, 1.0, Run()).toarray()

    assert not found[np.ix_(members, members)].any()
    assert found[3:, 3:].any()
    assert (found >= 0).all()


def test_a_stop_ends_the_accumulation(sequences):
    def stop(progress):
        raise StopRequested

    with pytest.raises(StopRequested):
        Moments.partial(WindowKernel(4, 0.8), ITEMS, Run(on_progress=stop), sequences)
