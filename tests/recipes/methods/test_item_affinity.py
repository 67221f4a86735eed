"""Segments: those who would like an item, or items of a kind, come first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from recipes import artefact, filters
from recipes.base import RecipeError
from recipes.data import Histories, TrainingData
from recipes.filters import Catalogue, FilterError
from recipes.methods.item_affinity import AffinityModel, ItemAffinity, ItemAttributeAffinity, Owners
from recipes.numerics.topk import top_k
from recipes.run import Run
from tests.recipes.worlds import checkerboard, item_genres, number, tasteful, user_tastes

SMALL = ItemAffinity(hidden_dimension=32)


def test_it_works():
    data = checkerboard()
    model = SMALL.fit(data, Run())
    items = np.arange(data.num_items)
    best = top_k(model.segment(items), 1).items[:, 0]
    assert [number(data.user_ids[user]) for user in best] == items.tolist()


def test_users_of_the_same_taste_come_first():
    data = tasteful()
    items, tastes = np.arange(data.num_items), user_tastes(data)
    top = top_k(SMALL.fit(data, Run()).segment(items), 10).items
    fits = tastes[top] == item_genres(data)[:, None]
    assert fits.mean() > 0.7
    assert fits[data.item_counts == 0].mean() > 0.7, "new items are placed by their metadata"


def test_an_unknown_item_gets_the_most_active_users():
    data = tasteful()
    model = SMALL.fit(data, Run())
    assert np.array_equal(model.segment(np.array([-1]))[0], model.activity)


def test_the_dimension_changes_the_model():
    data = checkerboard()
    assert ItemAffinity(hidden_dimension=40).fit(data, Run()).users.shape == (50, 40)
    with pytest.raises(ValueError, match="hidden_dimension is 31, allowed is a whole number from 32 to 256"):
        ItemAffinity(hidden_dimension=31)


def test_histories_are_scored_without_being_known():
    data = tasteful()
    model, genres = SMALL.fit(data, Run()), item_genres(data)
    warm = np.flatnonzero(data.item_counts > 0)
    comedies = warm[genres[warm] == 0]
    top = top_k(model.score(Histories.of([comedies[:5].tolist(), []])), 5).items
    assert (genres[top[0]] == 0).mean() > 0.7
    assert np.array_equal(model.popularity[top[1]], np.sort(model.popularity)[::-1][:5])


def test_those_who_come_back_are_not_left_out():
    weekly = [(user, item, 100 * week) for user in range(30) for week in range(6) for item in (user % 3,)]
    users, items, times = zip(*weekly, strict=True)
    data = TrainingData.from_tables(
        pa.table({"USER_ID": [f"u{u}" for u in users], "ITEM_ID": [f"i{i}" for i in items], "TIMESTAMP": times})
    )
    model = SMALL.fit(data, Run())
    top = top_k(model.segment(np.arange(3)), 10).items
    assert all(number(data.user_ids[user]) % 3 == item for item, row in enumerate(top) for user in row)


def test_attributes_find_those_who_like_the_kind():
    data = tasteful()
    model = ItemAttributeAffinity(hidden_dimension=32).fit(data, Run())
    catalogue = Catalogue.of_items(data)
    bound = filters.parse_attributes('ITEMS.genre = "horror" AND ITEMS.YEAR = 1999')
    assert (
        filters.mask(bound, catalogue).sum()
        <= filters.mask(filters.parse_attributes('ITEMS.genre = "horror"'), catalogue).sum()
    )
    masks = np.stack(
        [filters.mask(filters.parse_attributes(f'ITEMS.genre = "{g}"'), catalogue) for g in ("comedy", "horror")]
    )
    top = top_k(model.segment_matching(masks), 10).items
    assert (user_tastes(data)[top] == np.array([[0], [2]])).mean() > 0.7
    with pytest.raises(ValueError, match="No item has these attributes"):
        model.segment_matching(np.zeros((1, data.num_items), bool))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ITEMS.genre IN ("a")', r"Column 1: expected ITEMS\.GENRE = "),
        ('ITEMS.genre = "a" OR ITEMS.genre = "b"', "joined by AND only"),
        ('ITEMS.genre = "a" | INCLUDE ItemID WHERE ITEMS.genre = "a"', "joined by AND only"),
        ("ITEMS.year = $YEAR", "Column 1: expected"),
        ("ITEMS.year > 1999", "Column 1: expected"),
        ('genre = "a"', "Column 7: found =, expected a dot and a column"),
        ('ITEMS.genre = "a" AND', "Column 22: the expression ends too early"),
        ('Interactions.EVENT_TYPE = "a"', "Column 1: expected"),
    ],
)
def test_other_queries_are_refused(text, message):
    with pytest.raises(FilterError, match=f"Could not read the item attributes. {message}|.*{message}"):
        filters.parse_attributes(text)


def test_it_needs_interactions():
    empty = checkerboard().keep(np.zeros(50 * 24, bool))
    with pytest.raises(RecipeError, match="There are no interactions"):
        SMALL.fit(empty, Run())


def test_it_comes_back_from_disk(tmp_path):
    data = checkerboard()
    model = SMALL.fit(data, Run())
    artefact.save(tmp_path / "model", model, data)
    loaded = artefact.load(tmp_path / "model").model
    assert np.array_equal(loaded.segment(np.array([3, -1])), model.segment(np.array([3, -1])))


def test_those_who_have_an_item_come_last_where_a_double_event_is_no_return():
    """A click and the watch that follows look like a repeat, but nobody comes back to a film."""
    data = checkerboard()
    events = data.interactions
    twice = np.repeat(np.arange(len(events)), 2)
    columns = ("user_index", "item_index", "timestamp", "event_type", "event_value")
    doubled = replace(events, **{name: getattr(events, name)[twice] for name in columns})
    model = SMALL.fit(replace(data, interactions=doubled), Run())
    best = top_k(model.segment(np.arange(data.num_items)), 1).items[:, 0]

    assert [number(data.user_ids[user]) for user in best] == list(range(data.num_items))


def test_owners_who_are_forgotten_cannot_be_told_from_the_order_of_segments():
    """Owners come last in an item's segment: where a forgotten user stood would say what that user had."""
    data, gone = tasteful(), np.array([1, 4])
    every = np.arange(data.num_items)
    model = ItemAffinity(hidden_dimension=32).fit(data, Run(seed=1))
    parts = (model.users, model.items, model.activity, model.popularity)
    model = AffinityModel(model.recipe, *parts, Owners.of_data(data, last=True))
    assert np.ptp(model.segment(every)[:, gone], axis=0).all()

    cleaned = model.forget_users(gone)

    assert not np.ptp(cleaned.segment(every)[:, gone], axis=0).any()
    others = np.setdiff1d(np.arange(data.num_users), gone)
    order = [np.argsort(-m.segment(every)[:, others], axis=1, kind="stable") for m in (model, cleaned)]
    assert np.array_equal(*order)
