from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recipes.components.popularity import Priors
from recipes.components.sequence_ridge import Kernel, SequenceRidge
from recipes.components.sparse_ridge import Transitions
from recipes.components.user_ridge import Audience
from recipes.data import Histories
from recipes.methods.user_personalization import UserPersonalization
from recipes.recurrent.network import RecurrenceTask, Shape
from recipes.recurrent.scorer import RecurrenceScorer
from recipes.recurrent.training import reproducible
from recipes.run import Run
from recipes.stacking.batch_scoring import Answering
from recipes.stacking.meta_model import Blend
from recipes.stacking.model import Components, RelevanceModel

ITEMS, USERS = 40, 12


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def histories(rng):
    """From nobody to a person with two hundred events, some items again and again."""
    sizes = (0, 1, 2, 3, 5, 8, 31, 33, 49, 50, 51, 200)
    made = Histories.of([rng.integers(0, ITEMS, size).tolist() for size in sizes], user_index=range(USERS))
    kinds = rng.integers(-1, 3, len(made.item_index)).astype(np.int16)
    gaps = rng.integers(0, 90_000, len(made.item_index)).cumsum()
    return Histories(made.offsets, made.item_index, gaps, kinds, made.user_index)


def ridge(rng, kernel: Kernel, members: np.ndarray) -> SequenceRidge:
    weights = rng.standard_normal((len(members), len(members))).astype(np.float32) * 0.02
    return SequenceRidge.of(kernel, weights, members, ITEMS)


def sparse(rng, density: float) -> sp.csr_matrix:
    return sp.random(ITEMS, ITEMS, density, "csr", np.float32, rng)


def network(blocks: int) -> RecurrenceScorer:
    shape = Shape(hidden=11, width=8, bptt=4, lanes=2, negatives=4, blocks=blocks)
    some = Histories.of([list(range(ITEMS))])
    with reproducible(0, small=True):
        task = RecurrenceTask(shape, some, ITEMS, np.zeros((ITEMS, 0), np.float32), 2, 0)
        scorer = task.scorer()
    spread = {
        name: value + 0.3 * np.sin(np.arange(value.size)).reshape(value.shape) for name, value in scorer.weights.items()
    }
    weights = {name: value.astype(np.float32) for name, value in spread.items()}
    return RecurrenceScorer(scorer.table, np.cos(np.arange(ITEMS)).astype(np.float32), weights)


def everything(rng, repeat: float, seen: float) -> RelevanceModel:
    few = np.sort(rng.permutation(ITEMS)[:25])
    parts = Components(
        [ridge(rng, Kernel(32, 0.8, 5), few), ridge(rng, Kernel(400, 1.0, profile=True), few)],
        [Transitions(Kernel(16, 0.8, 3), sparse(rng, 0.1)), Transitions(Kernel(400, 1.0), sparse(rng, 0.1))],
        Audience(
            rng.standard_normal((USERS, 4)).astype(np.float32), rng.standard_normal((4, ITEMS)).astype(np.float32)
        ),
        network(2),
        sparse(rng, 0.2),
        Blend(
            {"history": 0.7, "audience": 0.01, "content": 0.3, "network": 0.6, "popularity": 0.15, "trend": -0.1},
            repeat,
            seen,
        ),
    )
    priors = Priors(*rng.standard_normal((4, ITEMS)).astype(np.float32))
    return RelevanceModel(UserPersonalization(), ITEMS, parts, priors, rng.random((12, 6), np.float32))


@pytest.mark.parametrize(("repeat", "seen"), [(0.0, 0.0), (0.5, 0.0), (0.0, -12.0), (0.5, 1.5)])
def test_the_arranged_score_is_the_mix_of_all_parts(rng, histories, repeat, seen):
    model = everything(rng, repeat, seen)
    plain = model.components.blend.mix(model.parts(histories)) + model.priors.unknown

    assert Answering(model.components, model.priors, model.rates).score(histories) == pytest.approx(plain, abs=2e-4)


def test_a_block_of_rows_and_one_row_score_alike(rng, histories, monkeypatch):
    model = everything(rng, 0.5, -1.0)
    whole = model.score(histories)
    monkeypatch.setattr("recipes.stacking.batch_scoring.BLOCK_SCORES", 3 * ITEMS)
    monkeypatch.setattr("recipes.stacking.batch_scoring.FEWEST_ROWS", 2)

    assert model.score(histories) == pytest.approx(whole, abs=2e-4)
    for row in range(len(histories)):
        assert model.score(histories.rows(row, row + 1))[0] == pytest.approx(whole[row], abs=2e-4)


def test_a_network_alone_and_nothing_at_all_score(rng, histories):
    priors = Priors(*rng.standard_normal((4, ITEMS)).astype(np.float32))
    rates = np.zeros((12, 6), np.float32)
    for parts in (Components(network=network(1), blend=Blend({"network": 1.0})), Components()):
        model = RelevanceModel(UserPersonalization(), ITEMS, parts, priors, rates)
        plain = parts.blend.mix(model.parts(histories)) + priors.unknown

        assert Answering(parts, priors, rates).score(histories) == pytest.approx(plain, abs=2e-4)


def test_a_stored_model_remembers_what_its_network_expects(rng, histories):
    model = everything(rng, 0.5, -1.0)
    plain = model.score(histories)
    model.prepare(histories, Run())
    stored = RelevanceModel.from_state(model.recipe, ITEMS, model.state())

    assert stored.components.network.remembered is not None
    assert stored.score(histories) == pytest.approx(plain, abs=2e-4)
    assert stored.score(histories.rows(5, 6)) == pytest.approx(plain[5:6], abs=2e-4)
