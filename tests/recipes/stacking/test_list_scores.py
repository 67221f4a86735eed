"""Lists of large catalogues: candidates have the scores that `score` gives them, whatever else is in the stack."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.popularity import Popularity
from recipes.components.recurrent import Recurrent
from recipes.components.repeats import Repeats
from recipes.data import Histories
from recipes.methods.user_personalization import UserPersonalization
from recipes.numerics import candidates
from recipes.numerics.candidates import Candidates
from recipes.numerics.topk import top_k
from recipes.recurrent import scorer as scoring
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.recurrent.training import reproducible
from recipes.run import Run
from recipes.stacking.model import StackedModel
from tests.recipes.components import fitted
from tests.recipes.components.fitted import ITEMS, USERS

LARGE, K = 12_000, 25


@pytest.fixture
def model(monkeypatch) -> StackedModel:
    """One of each component, young items too, with a network whose table is quantised; candidates are few."""
    monkeypatch.setattr(candidates, "SIZE", 6)
    monkeypatch.setattr(candidates, "FEW", 3)
    monkeypatch.setattr(candidates, "STEP", 1)
    components = fitted.stack()
    network = next(place for place, component in enumerate(components) if component.key == "recurrent")
    components[network] = Recurrent(fitted.quantized_network(), 0.6)
    return StackedModel(UserPersonalization(), ITEMS, [*components[:-1], fitted.young_items(), components[-1]])


def is_exact(scores: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """(N,)."""
    return np.abs(scores - exact)[0] < 2e-4


def approximate(model: StackedModel, history: Histories) -> np.ndarray:
    row = model._constant.copy()
    for component in model.components:
        component.add_approximately(row, history)
    return row


def test_it_works(model):
    histories = replace(fitted.histories(), context={"DEVICE": "tv"})
    for row in range(1, USERS):
        history = histories.rows(row, row + 1)
        exact, found = model.score(history), model.list_scores(history, Candidates())
        rough = approximate(model, history)
        best = Candidates().choose(rough)
        others = np.setdiff1d(np.arange(ITEMS), best)
        assert len(best) == candidates.SIZE
        assert is_exact(found, exact)[np.setdiff1d(best, fitted.YOUNG)].all()
        assert np.array_equal(found[0, others], rough[others])
        assert not is_exact(found, exact)[others].all()


def test_young_items_are_corrected_by_what_stays_of_the_scores_they_replace(model):
    history, young = fitted.histories().rows(6, 7), fitted.YOUNG
    found = model.list_scores(history, Candidates(None, young))
    [place] = [place for place, component in enumerate(model.components) if component.key == "young_items"]
    before = StackedModel(model.recipe, ITEMS, model.components[:place])
    lacking = before.score(history)[0] - approximate(before, history)
    assert found[0, young] == pytest.approx(
        (approximate(model, history) + model.components[place].kept_share(np.arange(ITEMS)) * lacking)[young], abs=2e-4
    )


def test_few_allowed_items_are_all_exact(model):
    allowed = np.zeros(ITEMS, bool)
    allowed[[3, 20, 33]] = True
    history = fitted.histories().rows(6, 7)
    found = model.list_scores(history, Candidates(allowed))
    known = np.setdiff1d(np.flatnonzero(allowed), fitted.YOUNG)
    assert found[0, known] == pytest.approx(model.score(history)[0, known], abs=2e-4)


def test_items_that_are_always_wanted_are_exact(model):
    history = fitted.histories().rows(6, 7)
    exact = model.score(history)
    worst = np.argsort(exact[0])[:2]
    assert not is_exact(model.list_scores(history, Candidates()), exact)[worst].all()
    assert is_exact(model.list_scores(history, Candidates(None, worst)), exact)[worst].all()


def test_nothing_is_approximate_where_nearly_all_items_are_wanted(model):
    history = fitted.histories().rows(6, 7)
    assert np.array_equal(model.list_scores(history, Candidates(None, np.arange(ITEMS))), model.score(history))


def test_users_without_events_get_the_cold_scores(model):
    nobody = fitted.histories().rows(0, 1)
    assert np.array_equal(model.list_scores(nobody, Candidates()), model.score(nobody))


def test_batches_and_single_scores_stay_exact(model):
    plain = StackedModel(
        model.recipe,
        ITEMS,
        [
            replace(part, network=replace(part.network, quantized=None)) if isinstance(part, Recurrent) else part
            for part in model.components
        ],
    )
    histories = fitted.histories()
    assert np.array_equal(model.score(histories), plain.score(histories))
    assert np.array_equal(model.score(histories.rows(6, 7)), plain.score(histories.rows(6, 7)))
    assert model.approximates
    assert not plain.approximates
    assert np.array_equal(plain.list_scores(histories.rows(6, 7), Candidates()), plain.score(histories.rows(6, 7)))


def test_a_stored_model_makes_the_same_lists(model):
    history = fitted.histories().rows(8, 9)
    stored = StackedModel.from_state(model.recipe, ITEMS, model.state())
    assert stored.approximates
    assert np.array_equal(stored.list_scores(history, Candidates()), model.list_scores(history, Candidates()))


def test_forgotten_users_change_no_list_of_others(model):
    histories = fitted.histories()
    model.prepare(histories, Run())
    history = histories.rows(8, 9)
    before, after = (each.list_scores(history, Candidates()) for each in (model, model.forget_users(np.array([2, 5]))))
    assert np.array_equal(before, after)


@pytest.fixture(scope="module")
def large() -> StackedModel:
    """A network on a catalogue whose items lie in groups, as training leaves them, beside popularity."""
    rng = np.random.default_rng(0)
    shape = Shape(hidden=16, width=16, bptt=4, lanes=2, negatives=4)
    some = Histories.of([list(range(30))])
    with reproducible(0, small=True):
        plain = RecurrentTask(shape, some, LARGE, np.zeros((LARGE, 0), np.float32), 1, 0).scorer()
    groups = rng.standard_normal((200, 16), np.float32)
    table = groups[rng.integers(200, size=LARGE)] + 0.5 * rng.standard_normal((LARGE, 16), np.float32)
    log_share = np.log(rng.random(LARGE)).astype(np.float32)
    popularity = Popularity(log_share, np.zeros_like(log_share), log_share, 0.3)
    network = RecurrentScorer(table, np.zeros(LARGE, np.float32), plain.weights)
    return StackedModel(
        UserPersonalization(), LARGE, [popularity, Recurrent(network, 0.5), Repeats(np.zeros((12, 6)), -12.0)]
    )


@pytest.fixture
def prepared(large, monkeypatch) -> StackedModel:
    monkeypatch.setattr(scoring, "MANY_ITEMS", LARGE)
    monkeypatch.setattr(candidates, "SIZE", 800)
    monkeypatch.setattr(candidates, "FEW", 1600)
    monkeypatch.setattr(candidates, "STEP", 4)
    made = StackedModel(large.recipe, LARGE, large.components)
    made.prepare(Histories.of([]), Run())
    return made


def users(count: int = 30) -> list[Histories]:
    rng = np.random.default_rng(2)
    return [Histories.of([rng.integers(0, LARGE, 12).tolist()]) for _ in range(count)]


@pytest.mark.parametrize(("share", "least"), [(1.0, 0.98), (0.3, 0.98), (0.01, 1.0)])
def test_hardly_any_item_of_a_list_is_missed(prepared, share, least):
    """Of all items, of some, and of so few that a filter passes one in a hundred."""
    allowed = None if share == 1 else np.random.default_rng(3).random(LARGE) < share
    recalls = []
    for history in users():
        exact, found = prepared.score(history), prepared.list_scores(history, Candidates(allowed))
        if allowed is not None:
            exact[:, ~allowed] = found[:, ~allowed] = -np.inf
        true, listed = top_k(exact, K), top_k(found, K)
        recalls.append(np.isin(true.items, listed.items).mean())
        assert (listed.items >= 0).all()
        assert listed.scores[0] == pytest.approx(exact[0, listed.items[0]], abs=1e-3)
    assert np.mean(recalls) >= least


def test_a_smaller_catalogue_is_not_quantised(large, monkeypatch):
    monkeypatch.setattr(scoring, "MANY_ITEMS", LARGE + 1)
    made = StackedModel(large.recipe, LARGE, large.components)
    made.prepare(Histories.of([]), Run())
    history = users(1)[0]
    assert not made.approximates
    assert (
        made.state().tensors.keys() - {"recurrent.history_hashes", "recurrent.user_states"}
        == large.state().tensors.keys()
    )
    assert np.array_equal(made.list_scores(history, Candidates()), large.score(history))


def test_items_added_by_an_update_are_found(prepared):
    network = prepared.component(Recurrent)
    larger = network.enlarged(LARGE + 3, None)
    table = larger.network.table.copy()
    table[LARGE:] = 4 * network.network.table[:3]
    grown = replace(larger, network=network.network.with_items(table, larger.network.bias))
    model, history = StackedModel(prepared.recipe, LARGE + 3, [grown]), users(1)[0]
    assert larger.network.quantized.codes.shape[0] == LARGE + 3
    assert np.array_equal(larger.network.quantized.codes[:LARGE], network.network.quantized.codes)
    new = np.arange(LARGE, LARGE + 3)
    exact, found = model.score(history)[0, new], model.list_scores(history, Candidates(None, new))[0, new]
    assert found == pytest.approx(exact, abs=1e-3)


def test_what_is_quantised_stays_when_users_are_prepared_again(prepared):
    before = prepared.component(Recurrent).network.quantized
    prepared.prepare(Histories.of([]), Run())
    assert prepared.component(Recurrent).network.quantized is before
