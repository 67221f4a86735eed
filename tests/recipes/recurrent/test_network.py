from __future__ import annotations

import numpy as np
import pytest
import torch

from recipes.base import RecipeError
from recipes.data import Histories
from recipes.recurrent.layers import LinearScan
from recipes.recurrent.losses import SampledSoftmax
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.sampling import chunks, count_chunks
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import rate, reproducible, train
from recipes.run import Run, StopRequested

SHAPE = Shape(hidden=24, width=16, bptt=4, lanes=3, negatives=8)


@pytest.fixture
def cycles():
    """Everyone walks the circle of twelve items, from different places."""
    return Histories.of([[(start + step) % 12 for step in range(10 + start % 5)] for start in range(40)])


def task_on(histories: Histories, features: np.ndarray | None = None) -> RecurrentTask:
    return RecurrentTask(SHAPE, histories, 12, np.zeros((12, 0)) if features is None else features, 0, 0)


def test_it_learns_what_follows(cycles):
    with reproducible(0, small=True):
        task = task_on(cycles)
        train(task, steps=300, run=Run())
    scores = task.scorer().score(Histories.of([[3, 4, 5], [9, 10, 11]]))

    assert scores.argmax(axis=1).tolist() == [6, 0]


def test_numpy_answers_as_torch_does(cycles):
    with reproducible(0, small=True):
        task = task_on(cycles)
        train(task, steps=10, run=Run())
    history = cycles.rows(0, 1)
    network, length = task.network.eval(), len(history.item_index)
    with torch.inference_mode():
        goes_on = torch.ones(length, 1)
        goes_on[0] = 0
        hidden, _ = network(
            task.table[torch.from_numpy(history.item_index), :-1][:, None],
            torch.from_numpy(task.gaps[:length])[:, None],
            torch.zeros(length, 1, dtype=torch.int64),
            goes_on,
            [torch.zeros(1, SHAPE.hidden)] * SHAPE.blocks,
        )

    assert task.scorer().hidden(history)[0] == pytest.approx(hidden[-1, 0].numpy(), abs=1e-4)


def test_one_user_scores_as_in_a_batch(cycles):
    with reproducible(0, small=True):
        scorer = task_on(cycles).scorer()
    batch = scorer.score(cycles)

    for row in (0, 7, 39):
        assert scorer.score(cycles.rows(row, row + 1))[0] == pytest.approx(batch[row], abs=1e-4)


def test_an_item_without_events_is_known_by_its_features(cycles):
    features = np.eye(12, dtype=np.float32)
    features[11] = features[3]
    known = cycles.keep(cycles.item_index != 11)
    with reproducible(0, small=True):
        task = task_on(known, features)
        train(task, steps=60, run=Run())
        scorer = task.scorer()

    described = features @ task.network.features.weight.detach().numpy().T
    assert scorer.table[11] == pytest.approx(described[11], abs=1e-5)


def test_the_scan_has_the_gradients_of_its_definition():
    torch.manual_seed(0)
    keep, new = torch.rand(5, 2, 3, dtype=torch.float64), torch.randn(5, 2, 3, dtype=torch.float64)
    start = torch.randn(2, 3, dtype=torch.float64)

    assert torch.autograd.gradcheck(
        lambda k, n: LinearScan.apply(k, n, start), (keep.requires_grad_(), new.requires_grad_())
    )


def test_sampled_softmax_has_the_gradients_of_its_definition():
    torch.manual_seed(0)
    shapes = [(4, 3), (4, 3), (4,), (6, 3), (6,)]
    given = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    collisions = torch.tensor([[1, 3], [2, 0]])

    assert torch.autograd.gradcheck(lambda *tensors: SampledSoftmax.apply(*tensors, collisions), given)


def test_an_epoch_reads_every_event_but_a_rest_once(cycles):
    read = list(chunks(cycles.offsets, 3, 4, np.random.default_rng(0)))
    events = np.concatenate([chunk.events.ravel() for chunk in read])

    assert len(read) == count_chunks(cycles.offsets, 3, 4)
    assert len(np.unique(events)) == len(events) >= len(cycles.item_index) - 3
    for chunk in read:
        assert (chunk.goes_on == 0).sum() == np.isin(chunk.events, cycles.offsets[:-1]).sum()
        assert not np.isin(chunk.events[chunk.has_target] + 1, cycles.offsets).any()


def test_the_same_seed_gives_the_same_network(cycles):
    tables = []
    for _ in range(2):
        with reproducible(5, small=True):
            task = task_on(cycles)
            train(task, steps=12, run=Run())
            tables.append(task.scorer().table)

    assert np.array_equal(*tables)


class Counting:
    """A task whose quality rises and falls."""

    def __init__(self, losses=0.0):
        self.steps, self.loss, self.kept = 0, losses, None

    def epoch(self, number):
        def step(rate):
            self.steps += 1
            return self.loss

        for _ in range(10):
            yield step

    def snapshot(self):
        return self.steps

    def restore(self, snapshot):
        self.kept = snapshot


def test_training_stops_when_quality_falls_and_keeps_the_best():
    task = Counting()
    best = train(task, steps=1000, run=Run(), validate=lambda: -abs(task.steps - 30) / 100 + 1)

    assert best.quality == 1.0
    assert task.kept == 30
    assert task.steps == 60


def test_training_respects_the_budget():
    task = Counting()
    train(task, steps=10**9, run=Run(max_seconds=0.2))

    assert 0 < task.steps < 10**9


def test_training_passes_a_stop_on_and_refuses_nan():
    def stop(progress):
        raise StopRequested

    with pytest.raises(StopRequested):
        train(Counting(), steps=20, run=Run(on_progress=stop))
    with pytest.raises(RecipeError, match="diverged"):
        train(Counting(float("nan")), steps=20, run=Run())


def test_the_learning_rate_rises_and_falls():
    assert rate(0.0) < rate(0.03) > rate(0.5) > rate(1.0) > 0


def test_a_grown_network_scores_as_before_and_learns_on(cycles):
    with reproducible(0, small=True):
        task = task_on(cycles)
        train(task, steps=60, run=Run())
        larger = task.grown()
        before, after = task.scorer().score(cycles), larger.scorer().score(cycles)
        train(larger, steps=20, run=Run())

    assert larger.shape.blocks == SHAPE.blocks + 1
    np.testing.assert_allclose(after, before, atol=1e-5)
    np.testing.assert_array_equal(task.scorer().score(cycles), before)  # the small one stays as it was
    assert not np.allclose(larger.scorer().score(cycles), before, atol=1e-2)
