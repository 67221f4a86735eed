"""The network of a stack goes on with the newest events as long as they do not make it worse on the very newest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.components.fit_context import FitContext, Settings
from recipes.data import Histories
from recipes.run import Run
from recipes.stacking.holdout import HeldOut
from recipes.stacking.recurrent_fit import continue_network, fit_network, without_unread
from tests.recipes import worlds

ITEMS, USERS, READ, LENGTH = 12, 220, 12, 20


def walks() -> Histories:
    """Everyone walks the circle of items."""
    walk = np.arange(LENGTH)
    return Histories.of([((start + walk) % ITEMS).tolist() for start in range(USERS)], user_index=range(USERS))


def held(histories: Histories, sizes: int) -> HeldOut:
    """A fit that has read `sizes` events of each user."""
    data = worlds.checkerboard(ITEMS)
    context = FitContext.of(Settings(hidden_dimension=32, window=8, metadata=False), data, Run())
    held_out = HeldOut.of(context, histories)
    row = histories.row
    return replace(held_out, training=histories.keep(np.arange(len(row)) - histories.offsets[row] < sizes))


@pytest.fixture(scope="module")
def network():
    return fit_network(held(walks(), READ), Run())


def test_it_works(network):
    scores = network.scorer.score(Histories.of([[3, 4, 5], [9, 10, 11]]))
    assert scores.argmax(axis=1).tolist() == [6, 0]
    assert network.sizes.tolist() == [READ] * USERS


def test_the_newest_events_that_tell_were_read_by_no_network(network):
    histories = walks()
    newest = without_unread(held(histories, READ), network)
    assert newest is not None
    left_out = np.diff(histories.offsets) - np.diff(newest.training.offsets)
    assert set(left_out) == {0, 1}
    assert len(newest.queries.histories) == left_out.sum()


def test_nothing_is_left_out_where_all_has_been_read(network):
    assert without_unread(held(walks(), READ), replace(network, sizes=np.full(USERS, LENGTH))) is None


def test_what_makes_it_worse_is_not_accepted(network):
    """Most users, all of whose events have been read, walk otherwise than those who tell."""
    mine = np.arange(USERS) % 4 == 0
    steps = np.where(mine, 1, 5)[:, None] * np.arange(LENGTH)
    histories = Histories.of(((np.arange(USERS)[:, None] + steps) % ITEMS).tolist(), user_index=range(USERS))
    fast = replace(network.shape, learning_rate=0.2)
    read = replace(network, sizes=np.where(mine, READ, LENGTH), shape=fast)
    after = continue_network(held(histories, READ), read, Run())
    np.testing.assert_array_equal(after.table, network.scorer.table)


def test_what_does_not_is_learned_from(network):
    after = continue_network(held(walks(), READ), network, Run())
    assert not np.array_equal(after.table, network.scorer.table)


def test_where_many_lose_their_newest_event_it_is_learned_after_all():
    """Those who tell, and nobody else, end with an item that nobody has read before."""
    walk, rare = np.arange(LENGTH), ITEMS - 1
    items = (np.arange(USERS)[:, None] + walk) % rare
    histories = Histories.of(items.tolist(), user_index=range(USERS))
    network = fit_network(held(histories, READ), Run())
    newest = without_unread(held(histories, READ), network)
    assert newest is not None
    items[np.diff(histories.offsets) > np.diff(newest.training.offsets), -1] = rare
    after = continue_network(held(Histories.of(items.tolist(), user_index=range(USERS)), READ), network, Run())
    assert not np.array_equal(after.table[rare], network.scorer.table[rare])
