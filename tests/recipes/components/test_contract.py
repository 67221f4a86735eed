"""The contract of `recipes.components.contract`, over every component."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from recipes.components.registry import COMPONENTS
from recipes.data import Histories
from recipes.run import Run
from tests.recipes.components import fitted
from tests.recipes.components.fitted import ITEMS, USERS

COMPONENTS_BY_CASE = fitted.every_component()
EVERY = pytest.mark.parametrize("case", COMPONENTS_BY_CASE)
FORGOTTEN = np.array([2, 5, 11])


def scores(component, histories: Histories) -> np.ndarray:
    """What the component adds to rows that have events."""
    total = np.zeros((len(histories), len(component.constant) if component.constant is not None else ITEMS), np.float32)
    component.add_scores(total, histories)
    return total if component.constant is None else total + component.constant


def kept(component) -> np.ndarray:
    """The items whose scores by other components stay."""
    return np.array([item for item in range(ITEMS) if not component.replaces(item)])


def test_every_kind_is_here():
    assert {component.key for component in COMPONENTS_BY_CASE.values()} == COMPONENTS.keys()


@EVERY
def test_one_history_scores_as_in_a_batch(case):
    component, histories = COMPONENTS_BY_CASE[case], replace(fitted.histories(), context={"DEVICE": "tv"})
    batch = np.ones((USERS, ITEMS), np.float32)
    component.add_scores(batch, histories)
    for row in range(1, USERS):
        one = np.ones(ITEMS, np.float32)
        component.add_to_row(one, histories.rows(row, row + 1))
        assert one == pytest.approx(batch[row], abs=1e-4)


@EVERY
def test_what_is_added_approximately_is_exact_where_it_is_corrected(case):
    component, histories = COMPONENTS_BY_CASE[case], replace(fitted.histories(), context={"DEVICE": "tv"})
    items = np.array([0, 7, 20, 39])
    for row in range(1, USERS):
        history = histories.rows(row, row + 1)
        exact, near = np.ones(ITEMS, np.float32), np.ones(ITEMS, np.float32)
        component.add_to_row(exact, history)
        correction = component.add_approximately(near, history)
        assert (correction is not None) == component.approximates
        if correction is None:
            assert np.array_equal(near, exact)
            continue
        assert np.abs(near - exact).max() > 1e-3, "nothing is approximate"
        near[items] += correction(items)
        assert near[items] == pytest.approx(exact[items], abs=1e-4)


@EVERY
def test_the_kept_share_is_what_stays_of_scores_before(case):
    component, history = COMPONENTS_BY_CASE[case], fitted.histories().rows(6, 7)
    items = np.arange(ITEMS)
    shares = component.kept_share(items)
    for item in (0, 3, 20, 38, 39):
        plain, raised = np.zeros(ITEMS, np.float32), np.zeros(ITEMS, np.float32)
        raised[item] = 2
        component.add_to_row(plain, history)
        component.add_to_row(raised, history)
        assert raised[item] - plain[item] == pytest.approx(2 * (1 if shares is None else shares[item]), abs=1e-4)


@EVERY
def test_what_is_there_already_is_added_to(case):
    component, histories = COMPONENTS_BY_CASE[case], fitted.histories()
    plain, raised = np.zeros((USERS, ITEMS), np.float32), np.full((USERS, ITEMS), 3, np.float32)
    component.add_scores(plain, histories)
    component.add_scores(raised, histories)
    items = kept(component)
    assert raised[:, items] == pytest.approx(plain[:, items] + 3, abs=1e-4)


@EVERY
def test_scores_that_are_replaced_move_with_those_of_all_items(case):
    component, histories = COMPONENTS_BY_CASE[case], fitted.histories().rows(1, USERS)
    replaced = np.setdiff1d(np.arange(ITEMS), kept(component))
    plain, raised = np.zeros((USERS - 1, ITEMS), np.float32), np.full((USERS - 1, ITEMS), 3, np.float32)
    component.add_scores(plain, histories)
    component.add_scores(raised, histories)
    assert raised[:, replaced] == pytest.approx(plain[:, replaced] + 3, abs=1e-4)


@EVERY
def test_rows_without_events_are_left_as_they_are(case):
    total = np.full((USERS, ITEMS), 3, np.float32)
    COMPONENTS_BY_CASE[case].add_scores(total, fitted.histories())
    assert (total[0, kept(COMPONENTS_BY_CASE[case])] == 3).all()


@EVERY
def test_contributions_add_up_to_what_events_add(case):
    component, history = COMPONENTS_BY_CASE[case], fitted.histories().rows(6, 7)
    added, without = np.zeros(ITEMS, np.float32), np.zeros(ITEMS, np.float32)
    component.add_to_row(added, history)
    if case == "user ridge":  # the user's features add it, whatever the events are
        component.add_to_row(without, history)
    for item in filter(component.is_additive, range(ITEMS)):
        shares = component.contributions(history, item)
        assert shares.shape == history.item_index.shape
        assert shares.sum() == pytest.approx(added[item] - without[item], abs=1e-4)


@EVERY
def test_a_stored_component_scores_alike(case):
    component, histories = COMPONENTS_BY_CASE[case], replace(fitted.histories(), context={"DEVICE": "tv"})
    tensors = fitted.popularity().tensors() | fitted.repeats().tensors() | component.tensors()
    assert all(name.startswith(f"{component.key}.") for name in component.tensors())
    mapped = {name: np.array(tensor) for name, tensor in tensors.items()}
    for tensor in mapped.values():
        tensor.flags.writeable = False
    again = type(component).from_tensors(mapped, component.values(), ITEMS)
    assert scores(again, histories) == pytest.approx(scores(component, histories), abs=1e-5)
    users = np.array([3, -1])
    before, after = component.cold_scores(users), again.cold_scores(users)
    assert (before is None) == (after is None)
    assert before is None or after == pytest.approx(before)


@EVERY
def test_an_enlarged_component_scores_known_items_as_before(case):
    component, histories = COMPONENTS_BY_CASE[case], fitted.histories().rows(1, USERS)
    near = np.zeros((ITEMS + 3, ITEMS + 3), np.float32)
    near[:5, ITEMS:] = 0.2
    larger = component.enlarged(ITEMS + 3, sp.csr_matrix(near))
    if component.key in {"popularity", "unknown_items", "young_items", "context"}:
        assert larger is component, "counted anew by an update, nothing is learned"
        return
    total = np.zeros((USERS - 1, ITEMS + 3), np.float32)
    larger.add_scores(total, histories)
    before = np.zeros((USERS - 1, ITEMS), np.float32)
    component.add_scores(before, histories)
    if getattr(component, "content", None) is None:
        assert total[:, :ITEMS] == pytest.approx(before, abs=1e-4)
    for row in range(USERS - 1):
        one = np.zeros(ITEMS + 3, np.float32)
        larger.add_to_row(one, histories.rows(row, row + 1))
        assert one == pytest.approx(total[row], abs=1e-4)


@EVERY
def test_new_items_are_reached_by_what_reads_their_metadata(case):
    component = COMPONENTS_BY_CASE[case]
    near = np.zeros((ITEMS + 1, ITEMS + 1), np.float32)
    near[:5, ITEMS] = 0.2
    larger = component.enlarged(ITEMS + 1, sp.csr_matrix(near))
    if larger is component:
        return
    total = np.zeros((1, ITEMS + 1), np.float32)
    larger.add_scores(total, fitted.histories().rows(6, 7))
    assert (total[0, ITEMS] != 0) == component.reads_item_metadata


@EVERY
def test_forgotten_users_leave_no_row(case):
    component = COMPONENTS_BY_CASE[case].prepared(fitted.histories(), Run())
    before = component.tensors()
    after = component.forget_users(FORGOTTEN).tensors()
    rows = {name for name, tensor in before.items() if tensor.shape[:1] == (USERS,)} - {"repeats.rates"}
    others = np.setdiff1d(np.arange(USERS), FORGOTTEN)
    for name in before:
        if name in rows:
            assert not after[name][FORGOTTEN].any(), name
            assert np.array_equal(after[name][others], before[name][others])
        else:
            assert np.array_equal(after[name], before[name])
    assert bool(rows) == (component.key in {"user_ridge", "recurrent"})


@EVERY
def test_a_component_is_never_changed_in_place(case):
    component, histories = COMPONENTS_BY_CASE[case], fitted.histories()
    before = {name: tensor.copy() for name, tensor in component.tensors().items()}
    component.prepared(histories, Run()).forget_users(FORGOTTEN)
    component.enlarged(ITEMS + 2, None)
    scores(component, histories)
    assert all(np.array_equal(component.tensors()[name], tensor) for name, tensor in before.items())
