from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.data import Histories
from recipes.recurrent import scorer as scoring
from recipes.recurrent.network import RecurrentTask
from recipes.recurrent.shape import Shape
from recipes.recurrent.state_cache import hash_of, hashes_of
from recipes.recurrent.training import reproducible
from recipes.run import Run

ITEMS, USERS = 30, 9


@pytest.fixture
def histories():
    """From nobody to a person with more events than are read."""
    rng = np.random.default_rng(5)
    sizes = (0, 1, 2, 3, 7, 20, 50, 51, 120)
    made = Histories.of([rng.integers(0, ITEMS, size).tolist() for size in sizes], user_index=range(USERS))
    kinds = rng.integers(-1, 2, len(made.item_index)).astype(np.int16)
    times = rng.integers(0, 90_000, len(made.item_index)).cumsum()
    return Histories(made.offsets, made.item_index, times, kinds, made.user_index)


@pytest.fixture
def network(histories):
    shape = Shape(hidden=11, width=8, bptt=4, lanes=2, negatives=4)
    with reproducible(0, small=True):
        return RecurrentTask(shape, histories, ITEMS, np.zeros((ITEMS, 0), np.float32), 2, 0).scorer()


@pytest.fixture
def read(monkeypatch):
    """How many histories the network had to read, one after the other."""
    counted = []
    kernel = scoring.FoldedNetwork.hidden
    monkeypatch.setattr(
        scoring.FoldedNetwork, "hidden",
        lambda self, *given: counted.append(len(given[-1].newest)) or kernel(self, *given),
    )  # fmt: skip
    return counted


def test_it_works(network, histories, read):
    with_cached_states = network.with_cached_states(histories, Run())
    read.clear()

    assert with_cached_states.hidden(histories) == pytest.approx(network.hidden(histories), abs=1e-5)
    assert sum(read) == USERS - 1  # the plain network's; one user has no history
    for user in range(USERS):
        alone = histories.rows(user, user + 1)
        read.clear()
        assert with_cached_states.hidden(alone) == pytest.approx(network.hidden(histories)[user : user + 1], abs=1e-5)
        assert sum(read) == USERS - 1


def swapped(items: np.ndarray) -> np.ndarray:
    found = items.copy()
    found[[0, -1]] = items[[-1, 0]]
    return found


def plus(values: np.ndarray, added: int) -> np.ndarray:
    """With the last one changed."""
    found = values.copy()
    found[-1] += added
    return found


CHANGES = {
    "an item": lambda h: replace(h, item_index=plus(h.item_index, -1 if h.item_index[-1] else 1)),
    "two items in turn": lambda h: replace(h, item_index=swapped(h.item_index)),
    "a gap": lambda h: replace(h, timestamp=plus(h.timestamp, 10**6)),
    "an event type": lambda h: replace(h, event_type=plus(h.event_type, 1 if h.event_type[-1] < 1 else -1)),
    "an event less": lambda h: h.without(len(h.item_index) - 1),
    "another user": lambda h: replace(h, user_index=np.array([2])),
    "a stranger": lambda h: replace(h, user_index=np.array([-1])),
    "a user since then": lambda h: replace(h, user_index=np.array([USERS])),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_reads_what_changed(network, histories, read, what):
    with_cached_states = network.with_cached_states(histories, Run())
    history = CHANGES[what](histories.rows(5, 6))
    read.clear()

    found = with_cached_states.hidden(history)

    assert read == [1]
    assert found == pytest.approx(network.hidden(history), abs=1e-6)


def test_it_does_not_mind_older_events_than_are_read(network, histories, read):
    with_cached_states = network.with_cached_states(histories, Run())
    older = histories.rows(8, 9)
    read.clear()
    with_cached_states.hidden(older.tail(60))

    assert read == []


def test_it_remembers_nobody_where_there_are_too_many(network, histories, monkeypatch):
    monkeypatch.setattr(scoring, "MAX_BYTES", 8 * 4 * USERS - 1)

    assert network.with_cached_states(histories, Run()).cache is None


def test_those_for_whom_there_was_no_time_are_read(network, histories, read):
    with_cached_states, plain = network.with_cached_states(histories, Run(max_seconds=0.0)), network.hidden(histories)
    read.clear()

    assert len(with_cached_states.cache.hashes) == USERS, "a deletion finds everybody's row"
    assert with_cached_states.hidden(histories) == pytest.approx(plain, abs=1e-5)
    assert read == [USERS - 1], "all but the one without events"


@pytest.mark.parametrize(("budget", "known"), [(500.0, USERS), (250.0, 6), (150.0, 2)])
def test_a_spent_budget_leaves_a_fiftieth_of_it(network, histories, monkeypatch, budget, known):
    monkeypatch.setattr(scoring, "TOGETHER", 2)
    seconds = iter(range(1000, 2000))  # one a look at the clock
    run = Run(max_seconds=budget, started=0.0, clock=lambda: float(next(seconds)))
    hashes = network.with_cached_states(histories, run).cache.hashes
    expected = np.where(np.arange(USERS) < known, hashes_of(histories), 0)
    assert hashes.tolist() == expected.tolist()


def test_a_model_stored_without_users_reads_whoever_asks(network, histories, read):
    with_cached_states, plain = network.with_cached_states(histories.rows(0, 0), Run()), network.hidden(histories)
    read.clear()

    assert with_cached_states.cache.hashes.shape == (0,)
    assert with_cached_states.hidden(histories) == pytest.approx(plain, abs=1e-5)
    assert with_cached_states.hidden(histories.rows(5, 6)) == pytest.approx(plain[5:6], abs=1e-5)
    assert read == [USERS - 1, 1]


def test_prints_of_many_are_those_of_each(histories):
    together = hashes_of(histories).view(np.uint64)
    alone = [hash_of(histories.rows(user, user + 1)) for user in range(USERS)]

    assert together.tolist() == alone
    assert len(set(alone)) == USERS
    assert alone[0] == 0


def test_gaps_are_in_buckets_of_powers_of_two():
    seconds = np.array([-5, 0, 1, 2, 3, 6, 7, 2**26 - 2, 2**26 - 1, 2**40])

    assert scoring._buckets(seconds).tolist() == [0, 0, 1, 1, 2, 2, 3, 25, 26, 26]
