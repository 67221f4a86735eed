"""New items: who gets them by metadata alone, by their takers, and where in the list they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes import catalogue
from recipes.clock import DAY, robust_newest
from recipes.cold_start.calibration import Slope, surplus_of
from recipes.cold_start.evidence import gather, shown_lists, trials_of
from recipes.cold_start.fading import Exposures, learn_fading
from recipes.components.fit_context import FitContext, Settings
from recipes.components.popularity import Popularity
from recipes.components.repeats import Repeats
from recipes.components.young_items import YoungItems
from recipes.impressions import Impressions, SeenLists
from recipes.run import Run
from recipes.simulation import START, Market, World
from tests.recipes import worlds

RECIPE = catalogue.get("aws-user-personalization")(mode="fast")
SMALL = World(users=150, items=160, past_days=8)


def market(metadata: str = "good", new: int = 30) -> Market:
    found = Market.open(replace(SMALL, metadata=metadata), 1)
    found.arrive(new, np.full(new, -0.02), 0.0)
    return found


def agreement(found: Market, scores: np.ndarray, items: slice) -> float:
    """Mean correlation of users' scores with their true tastes, over some items."""
    truth = found.taste @ found.subject.T
    pairs = zip(scores[:, items], truth[:, items], strict=True)
    return float(np.mean([np.corrcoef(said, true)[0, 1] for said, true in pairs]))


@pytest.fixture(scope="module")
def good() -> Market:
    return market()


@pytest.fixture(scope="module")
def model(good):
    return RECIPE.fit(good.data(), Run())


def test_new_items_go_to_those_who_like_such_items(good, model):
    scores = model.score(good.data().histories())
    assert agreement(good, scores, slice(160, None)) > 0.15


def test_metadata_that_say_nothing_set_no_user_apart():
    found = market("none")
    scores = RECIPE.fit(found.data(), Run()).score(found.data().histories())
    assert abs(agreement(found, scores, slice(160, None))) < 0.1


def test_vectors_in_the_place_of_categories_tell_who_new_items_are_for_and_nothing_tells_nothing():
    vectors, absent = market("vectors"), market("absent")
    told, untold = (RECIPE.fit(found.data(), Run()).score(found.data().histories()) for found in (vectors, absent))
    assert agreement(vectors, told, slice(160, None)) > 0.15
    assert np.ptp(untold[:, 160:], axis=1).max() < 1e-3


def moved(model, step: float):
    """The model with new items higher or lower by so much, in log-odds."""
    young = model.component(YoungItems)
    higher = replace(young, cold=replace(young.cold, level=young.cold.level + np.float32(step)))
    parts = [higher if part is young else part for part in model.components]
    return type(model)(model.recipe, model.num_items, parts, model.plan)


def test_new_items_stand_among_the_old_ones_as_often_as_they_are_worth(good, model):
    worth = []
    for step in (-0.7, 0.0, 0.7):
        best = np.argsort(-moved(model, step).score(good.data().histories()), axis=1)[:, :10]
        worth.append(np.take_along_axis(good.appeal(0), best, axis=1).mean())
    assert worth[1] > 0.99 * max(worth)


def test_one_history_is_scored_as_in_a_batch(good, model):
    histories = good.data().histories()
    both = model.score(histories)
    for user in (0, 7):
        np.testing.assert_allclose(model.score(histories.rows(user, user + 1))[0], both[user], atol=1e-4)


def test_a_stored_model_knows_them_too(good, model):
    restored = type(model).from_state(RECIPE, model.num_items, model.state())
    histories = good.data().histories()
    np.testing.assert_allclose(restored.score(histories), model.score(histories), atol=1e-5)
    assert restored.component(YoungItems) is not None


def test_seen_new_items_are_treated_as_other_seen_items(good, model):
    data = good.data()
    history = data.histories().rows(0, 1)
    seen = replace(
        history,
        offsets=np.array([0, len(history.item_index) + 1]),
        item_index=np.append(history.item_index, 165),
        timestamp=np.append(history.timestamp, history.timestamp[-1] + 1),
        event_type=np.append(history.event_type, 0).astype(np.int16),
    )
    before, after = model.score(history)[0], model.score(seen)[0]
    assert np.argsort(np.argsort(-after))[165] != np.argsort(np.argsort(-before))[165]


def with_repeats(model, seen: float):
    """The model where items of the history get so much for being there."""
    repeats = Repeats(model.component(Repeats).rates, seen)
    changed = {Repeats: repeats, YoungItems: replace(model.component(YoungItems), repeats=repeats)}
    return type(model)(
        model.recipe, model.num_items, [changed.get(type(part), part) for part in model.components], model.plan
    )


def test_what_repeats_get_lifts_no_new_items_over_old_ones(good, model):
    histories = good.data().histories()
    never, often = (with_repeats(model, seen).score(histories) for seen in (-30.0, 8.0))
    np.testing.assert_allclose(often[:, 160:], never[:, 160:], atol=1e-4)


def test_who_took_all_old_items_gets_the_new_ones_first(good, model):
    history = good.data().histories().rows(0, 1)
    items = np.arange(160)
    everything = replace(
        history,
        offsets=np.array([0, 160]),
        item_index=items,
        timestamp=history.timestamp[-1] + items,
        event_type=np.zeros(160, np.int16),
    )
    scores = with_repeats(model, -30.0).score(everything)[0]
    assert scores[160:].min() > scores[:160].max()


def test_an_event_from_which_an_items_age_counts_says_nothing_of_its_worth():
    found = market()
    made_known, taken = 170, 171
    for item, later in ((made_known, 0), (taken, 3600)):
        found.events.append((5, item, int(found.data().items["CREATION_TIMESTAMP"].values[item]) + later, -1))
    data = found.data()
    for known in (data, replace(data, items={})):
        assert gather(known).events[[made_known, taken]].tolist() == [1, 1]
    assert gather(data).telling[[made_known, taken]].tolist() == [0, 1]
    assert gather(replace(data, items={})).telling[[made_known, taken]].tolist() == [0, 0]


def test_new_items_that_fill_the_lists_are_not_compared_with_themselves():
    found, rng, usual = market(), np.random.default_rng(0), []
    for lists_of_new in (0.5, 1.0):
        for number in range(200):
            is_new = rng.random() < lists_of_new
            items = rng.permutation(np.arange(160, 190) if is_new else np.arange(160))[:10]
            user, moment = number % 150, START + 600 * len(found.lists)
            found.lists.append((user, moment, items))
            if rng.random() < (0.8 if is_new else 0.2):
                found.events.append((user, int(rng.choice(items)), moment + 60, len(found.lists) - 1))
        usual.append(gather(found.data()).usual_of_young)
    assert usual[0] > 1.5
    assert usual[1] > 0.8 * usual[0]


def test_what_lifts_count_is_learned_from_who_took_which_items():
    rng = np.random.default_rng(0)
    lifts = rng.normal(0, 1, (400, 30)).astype(np.float32)
    chances = np.exp(1.2 * lifts)
    chances /= chances.sum(axis=1, keepdims=True)
    row, place = np.arange(400), np.array([rng.choice(30, p=chances[user]) for user in range(400)])
    told, noise = Slope.learned(lifts, row, place), Slope.learned(lifts[::-1], row, place)
    assert told.mean == pytest.approx(1.2, abs=0.25)
    assert noise.mean < 0.2
    assert told.likelihood > noise.likelihood
    assert told.spread < Slope().spread


def test_items_fade_as_they_did_in_the_log():
    fading = Market.open(World(users=300, items=200, fade_days=4.0, base_age=20.0, past_days=10), 2)
    still = Market.open(World(users=300, items=200, fade_days=float("inf"), base_age=20.0, past_days=10), 2)
    levels = []
    for found in (fading, still):
        evidence = gather(found.data())
        levels.append(evidence.age_level[np.argsort(found.born)])
    assert levels[0][0] < levels[0][-1] - 0.5
    assert levels[1][0] > levels[0][0] + 0.4


def test_how_fast_items_fade_is_not_blurred_by_items_that_age_together():
    found = Market.open(World(users=300, items=300, fade_days=5.0, base_age=6.0, past_days=10), 3)
    ages = -1 - found.born
    chance = found.appeal(-1).mean(axis=0)
    young, old = ages < np.quantile(ages, 0.25), ages > np.quantile(ages, 0.75)
    true = float(np.log(chance[young].mean() / chance[old].mean()))
    level = gather(found.data()).age_level
    said = np.log(np.exp(level[young]).mean() / np.exp(level[old]).mean())
    assert said == pytest.approx(true, rel=0.35)


def test_scores_of_which_the_best_disappoint_leave_a_surplus():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (2000, 60))
    share = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    row = np.arange(2000)
    item = np.array([rng.choice(60, p=chances) for chances in share])
    noisy = (truth + rng.normal(0, 1.5, truth.shape)).astype(np.float32)
    assert abs(surplus_of(truth.astype(np.float32), 1.0, row, item)) < 0.05
    assert surplus_of(noisy, 1.0, row, item) > 0.2
    assert surplus_of(noisy, 1.0, row[:0], item[:0]) == 0


def with_lists(data, lists):
    """The data with a list of items for every event."""
    offsets = np.arange(len(data.interactions) + 1) * len(lists[0])
    return replace(
        data, interactions=replace(data.interactions, impressions=Impressions(offsets, np.concatenate(lists)))
    )


def test_a_list_from_which_several_items_were_taken_counts_once():
    data = worlds.tasteful()
    events = data.interactions
    shown = [np.array([1, 2, 3])] * len(events)
    lists = shown_lists(with_lists(data, shown))
    together = (np.diff(events.user_index) == 0) & (np.diff(events.timestamp) <= 3600)
    assert len(lists.user) == len(events) - together.sum()


def test_lists_that_were_only_seen_count_once_and_not_where_an_event_came_from_them():
    data = worlds.tasteful()
    events = data.interactions
    none = np.zeros(len(events), np.int64)
    offsets = np.concatenate([[0], np.cumsum(np.where(np.arange(len(events)) == 0, 2, none))])
    user, time = int(events.user_index[0]), int(events.timestamp[0])
    clicked = replace(events, impressions=Impressions(offsets, np.array([1, 2])))
    times = [time + 60, time + 4 * DAY, time + 4 * DAY + 60, time + 4 * DAY]
    shown = Impressions(np.arange(5) * 2, np.array([1, 2, 1, 2, 1, 2, 3, 2]))
    seen = SeenLists(np.full(4, user), np.array(times), shown)
    lists = shown_lists(replace(data, interactions=clicked, seen=seen))
    assert lists.items.tolist() == [1, 2, 1, 2, 3, 2]
    assert lists.time.tolist() == [time, time + 4 * DAY, time + 4 * DAY]
    assert not lists.taken[2:].any()


def test_impressions_without_a_click_lower_an_item_and_clicks_raise_it(good):
    found = market()
    quiet, liked = 170, 175
    for user in range(120):
        found.lists.append((user, START + 3600, np.array([quiet, liked, *range(8)])))
        found.events.append((user, liked if user % 3 == 0 else user % 8, START + 3700, len(found.lists) - 1))
    evidence = gather(found.data())
    assert trials_of(found.data()) is not None
    assert evidence.events[quiet] < evidence.expected[quiet]
    before = RECIPE.fit(good.data(), Run())
    after = RECIPE.update(before, found.data(), Run())
    change = (after.score(found.data().histories()) - before.score(found.data().histories())).mean(axis=0)
    others = np.delete(change, [quiet, liked])[160:]
    assert change[quiet] < np.median(others) < change[liked]


@pytest.mark.parametrize("steps", [1, 5])
def test_an_update_tells_fans_from_others_however_the_clicks_came(good, model, steps):
    found = market()
    liked = 180
    fans = np.argsort(-(found.taste @ found.subject[:160].T).mean(axis=1))
    subject = int(np.argmax(found.taste[fans[0]]))
    fans = np.argsort(-(found.taste[:, subject] - np.delete(found.taste, subject, axis=1).max(axis=1)))[:40]
    others = np.argsort(found.taste[:, subject])[:40]
    updated = model
    for part in np.array_split(fans[:25], steps):
        for user in part:
            found.events.append((int(user), liked, START + 3600 + int(user), -1))
        updated = RECIPE.update(model, found.data(), Run())
    scores = updated.score(found.data().histories())
    ranks = (scores > scores[:, [liked]]).sum(axis=1)
    assert np.median(ranks[fans[25:]]) < 15
    assert np.median(ranks[others]) > 2 * np.median(ranks[fans[25:]]) + 2


def test_many_small_updates_know_what_a_large_one_knows(good, model):
    found = market()
    for user in range(20):
        found.events.append((user, 165 + user % 3, START + 3600 + user, -1))
    data = found.data()
    first = RECIPE.update(model, good.data(), Run())
    np.testing.assert_allclose(
        RECIPE.update(first, data, Run()).score(data.histories()),
        RECIPE.update(model, data, Run()).score(data.histories()),
        atol=1e-3,
    )


def test_an_event_far_ahead_does_not_become_now():
    times = np.arange(1000, dtype=np.int64) * 600
    assert robust_newest(np.append(times, 400 * DAY)) == times[-1]
    assert robust_newest(times) == times[-1]
    assert robust_newest(np.zeros(0, np.int64)) == 0


def test_without_events_nothing_fades():
    none = np.zeros(0)
    assert learn_fading(Exposures(none.astype(np.int64), none, none, none, none.astype(np.int64)), 3).daily == 0


def test_an_event_far_ahead_does_not_become_the_whole_trend():
    data = worlds.tasteful()
    times = data.interactions.timestamp.copy()
    times[5] += 400 * DAY
    wrong = replace(data, interactions=replace(data.interactions, timestamp=times))
    rises = []
    for known in (data, wrong):
        context = FitContext.of(Settings(), known, Run())
        rises.append(Popularity.fit(known.interactions, context).log_rise)
    np.testing.assert_allclose(rises[1], rises[0], atol=0.5)
