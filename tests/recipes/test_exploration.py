"""Exploration: what the bandit promises, and that its probabilities are the frequencies one sees."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.data import Ids
from recipes.exploration import DAY, ExplorationState, SharedDraw, explore, most_explored
from recipes.numerics.topk import top_k
from recipes.simulation import START, Market, World
from tests.recipes import worlds

N, COLD = 400, 40


def state(interactions=None, impressions=None, age_days=10.0) -> ExplorationState:
    """Items 0 to 39 were created `age_days` ago and are unknown, the others are old and known."""
    young = np.arange(N) < COLD
    created = np.where(young, 1000 * DAY - int(age_days * DAY), 0)
    counts = np.where(young, 0, 50) if interactions is None else interactions
    shown = np.zeros(N) if impressions is None else impressions
    return ExplorationState(created, 1000 * DAY, counts.astype(np.float32), shown.astype(np.float32))


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((50, N)).astype(np.float32)


def share_of_cold(scores, weight, seed=1, **about):
    explored = explore(scores, state(**about), weight, 30, np.random.default_rng(seed))
    return float((top_k(explored.scores, 25).items < COLD).mean())


def test_it_works(scores):
    explored = explore(scores, state(), 0.3, 30, np.random.default_rng(0))
    items = top_k(explored.scores, 25).items
    assert explored.is_explored(items).any()
    assert (explored.scores[:, COLD:] == scores[:, COLD:]).all()


def test_an_item_draws_the_same_in_every_list_of_a_seed(scores):
    names = [f"i{item}" for item in range(N)]
    order = np.random.default_rng(3).permutation(N)
    draw, renumbered = SharedDraw(Ids(names), 5), SharedDraw(Ids([names[item] for item in order]), 5)
    noise = draw.of(np.arange(N))
    assert (renumbered.of(np.arange(N)) == noise[order]).all()
    assert abs(noise.mean()) < 0.2
    assert 0.85 < noise.std() < 1.15
    assert (SharedDraw(draw.ids, 6).of(np.arange(N)) != noise).all()

    lists = [explore(scores, state(), 1.0, 30, np.random.default_rng(seed), shared=draw).scores for seed in (0, 1)]
    assert (lists[0] == lists[1]).all()
    assert (lists[0] > scores).any()


def test_weight_0_is_pure_relevance(scores):
    explored = explore(scores, state(), 0.0, 30, np.random.default_rng(0))
    assert (explored.scores == scores).all()
    assert (explored.propensity(top_k(scores, 25).items) == 1).all()


def test_the_share_of_cold_items_does_not_fall_when_the_weight_rises(scores):
    shares = [share_of_cold(scores, weight) for weight in (0, 0.1, 0.3, 0.5, 0.8, 1.0)]
    assert shares == sorted(shares)
    assert shares[-1] > shares[0] + 0.1


def test_items_as_old_as_the_cut_off_are_not_explored(scores):
    assert share_of_cold(scores, 1.0, age_days=29.99) > share_of_cold(scores, 0.0) + 0.1
    assert share_of_cold(scores, 1.0, age_days=30) == share_of_cold(scores, 0.0)


def test_impressions_without_interactions_take_the_bonus_away(scores):
    shown = np.where(np.arange(N) < COLD, 200.0, 0.0)
    assert share_of_cold(scores, 1.0, impressions=shown) < share_of_cold(scores, 1.0) / 2


def test_the_bonus_falls_with_interactions_and_with_impressions():
    unknown = state()
    taken = unknown.add(np.array([0, 0, 0]), np.array([1] * 3 + [2] * 60))
    before, after = unknown.uncertainty(), taken.uncertainty()
    assert (before[:3] == 1).all()
    assert 1 > after[1] > after[0] > after[2]  # an impression without an event teaches less than an event
    assert (after[3:] == before[3:]).all()


def test_lists_vary_from_request_to_request_but_not_for_the_same_draws(scores):
    lists = [
        top_k(explore(scores[:1], state(), 0.5, 30, np.random.default_rng(seed)).scores, 25).items.tolist()
        for seed in (1, 1, 2)
    ]
    assert lists[0] == lists[1] != lists[2]


def test_a_propensity_is_how_often_an_item_is_shown(scores):
    rng, shown, told = np.random.default_rng(3), np.zeros(N), []
    for _ in range(1500):
        explored = explore(scores[:1], state(), 0.4, 30, rng, 25)
        items = top_k(explored.scores, 25).items
        shown[items[0]] += 1
        told.append((items[0], explored.propensity(items)[0]))
    inverse = np.zeros(N)
    for items, chance in told:
        inverse[items] += 1 / chance
    # the inverse of its propensity, summed over the lists that show an item, is unbiased for the number of all lists
    often = (shown > 250) & (np.arange(N) < COLD)
    assert often.sum() >= 3
    assert inverse[often] / 1500 == pytest.approx(np.ones(often.sum()), abs=0.15)


def test_what_may_not_be_recommended_stays_out(scores):
    scores[:, :COLD:2] = -np.inf
    explored = explore(scores, state(), 1.0, 30, np.random.default_rng(0))
    assert not np.isin(top_k(explored.scores, 25).items, np.arange(0, COLD, 2)).any()


def test_ages_come_from_the_items_else_from_the_first_interaction_else_from_the_newest():
    data = worlds.tasteful()
    known = ExplorationState.of(data)
    created = data.items["CREATION_TIMESTAMP"].values
    assert (known.created == created).all()
    del data.items["CREATION_TIMESTAMP"]
    guessed = ExplorationState.of(data)
    cold = data.item_counts == 0
    assert (guessed.created[cold] == guessed.newest).all()
    first = data.interactions.timestamp[data.interactions.item_index == 3].min()
    assert guessed.created[3] == first
    assert (guessed.eligible(1e-9)[cold]).all()


def test_impressions_are_counted_from_the_data():
    data = worlds.tasteful()
    assert ExplorationState.of(data).impressions.sum() == 5 * len(data.interactions)


def in_lists(chance: float):
    """Lists of four items, one of which is new; users take others with a chance of 0.3, new ones with `chance`."""
    found, rng = Market.open(World(users=150, items=160), 1), np.random.default_rng(0)
    found.arrive(10, np.full(10, -0.02), 0.0)
    for user in range(150):
        items = rng.permutation([*rng.permutation(160)[:3], 160 + user % 10])
        found.lists.append((user, START + 3600, items))
        taken = items[rng.random(4) < np.where(items < 160, 0.3, chance)]
        found.events += [(user, int(item), START + 3700, len(found.lists) - 1) for item in taken]
    return found.data()


def test_fewer_places_are_explored_where_new_items_disappoint_and_where_nothing_is_known():
    places = [most_explored(1.0, 10, ExplorationState.of(in_lists(chance)).success) for chance in (0.0, 0.15, 0.45)]
    assert places[0] == 1 < places[1] < places[2] == 8
    assert 1 < most_explored(1.0, 10, ExplorationState.of(worlds.tasteful()).success) < 8


@pytest.mark.parametrize(("weight", "cutoff"), [(-0.1, 30), (1.1, 30), (float("nan"), 30), (0.5, 0), (0.5, -3)])
def test_it_rejects_settings_out_of_range(scores, weight, cutoff):
    with pytest.raises(ValueError, match="exploration"):
        explore(scores, state(), weight, cutoff, np.random.default_rng(0))


def test_fewer_items_than_places(scores):
    explored = explore(scores[:, :10], state_of_ten(), 1.0, 30, np.random.default_rng(0))
    items = top_k(explored.scores, 25).items
    assert (explored.propensity(items)[:, :10] == 1).all()
    assert (explored.propensity(items)[:, 10:] == 0).all()


def state_of_ten() -> ExplorationState:
    zeros = np.zeros(10, np.float32)
    return ExplorationState(np.zeros(10, np.int64), 0, zeros, zeros)


@pytest.mark.parametrize(("weight", "most"), [(0.0, 0), (0.1, 1), (0.3, 3), (1.0, 8)])
def test_a_list_explores_no_more_places_than_the_weight_allows(weight, most):
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 0.1, (60, N)).astype(np.float32)  # so near each other that every draw would win
    explored = explore(scores, state(), weight, 30, rng, 10)
    counts = explored.is_explored(top_k(explored.scores, 10).items).sum(axis=1)
    assert counts.max() == most


def test_where_nothing_else_is_left_new_items_fill_the_list(scores):
    scores[:, COLD:] = -np.inf
    items = top_k(explore(scores, state(), 0.3, 30, np.random.default_rng(0), 10).scores, 10).items
    assert (items >= 0).all()


def test_what_is_known_to_be_worse_is_not_explored_however_new(scores):
    scores[:, :COLD] = -8.0
    assert share_of_cold(scores, 1.0) == 0


def test_an_item_of_which_nothing_is_known_is_taken_for_an_average_one(scores):
    scores[:, :COLD] = -30.0
    assert share_of_cold(scores, 1.0) > 0


def test_chances_are_marginal_over_all_that_could_have_been_drawn():
    scores = np.random.default_rng(4).standard_normal((1, N)).astype(np.float32)
    rng, often = np.random.default_rng(5), np.zeros(N)
    told: dict[int, list[float]] = {}
    for _ in range(600):
        explored = explore(scores, state(), 1.0, 30, rng, 10)
        items = top_k(explored.scores, 10).items
        often[items[0]] += 1
        for item, chance in zip(items[0].tolist(), explored.propensity(items)[0].tolist(), strict=True):
            told.setdefault(item, []).append(chance)
    common = [item for item in told if often[item] >= 60]
    assert len(common) >= 5
    for item in common:  # also of the items that relevance places, which draws of others may displace
        assert np.mean(told[item]) == pytest.approx(often[item] / 600, abs=0.08)
    assert min(np.mean(told[item]) for item in common if item >= COLD) < 0.99
