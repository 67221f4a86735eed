"""Vocabularies come from one place that has seen all data: what a part, an import or a stream has never seen is unknown, not an error."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from console.ingest.snapshot import Tables
from console.runners.append_update import grown
from console.serving.history import LiveEvent, join
from console.serving.loader import LoadedModel
from recipes import catalogue
from recipes.columns import Kind
from recipes.data import MAX_EVENT_TYPE_CODES, TrainingData
from recipes.evaluation import splits
from recipes.run import Run

USERS, ITEMS, EACH, START = 24, 12, 8, 1_700_000_000
KINDS = {
    "INTERACTIONS": {"DEVICE": Kind.CATEGORICAL},
    "ITEMS": {"GENRE": Kind.CATEGORICAL},
    "USERS": {"TIER": Kind.CATEGORICAL},
}
RECIPES = {
    "aws-user-personalization": {"mode": "full", "hidden_dimension": 32},
    "aws-user-personalization-v2": {"mode": "full"},
    "aws-personalized-ranking-v2": {"mode": "full"},
    "aws-hrnn": {"hidden_dimension": 32},
    "aws-hrnn-metadata": {"hidden_dimension": 32},
    "aws-hrnn-coldstart": {"hidden_dimension": 32},
}
UPDATED = [name for name in RECIPES if catalogue.get(name).updates]
LONG = {
    "aws-personalized-ranking-v2",
    "aws-hrnn-coldstart",
}  # beside others of their kind, which stand for them in the quick check
all_recipes = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in RECIPES]
)
few = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # each example is a training: shrinking would take minutes
)
words = st.text("abc|é ", min_size=1, max_size=4).filter(lambda text: text.strip("| "))


def tables(**changes: tuple[int, str]) -> Tables:
    """A small group's data; each change sets the value of one row of a column."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(USERS), EACH)
    columns = {
        "USER_ID": [f"u{u}" for u in user],
        "ITEM_ID": [f"i{i}" for i in (user % 3 * 4 + rng.integers(0, 4, len(user)))],
        "TIMESTAMP": START + 60 * np.arange(len(user)),
        "EVENT_TYPE": ["click" if coin else "watch" for coin in rng.random(len(user)) < 0.7],
        "DEVICE": ["phone" if coin else "tablet" for coin in rng.random(len(user)) < 0.5],
    }
    items = {
        "ITEM_ID": [f"i{i}" for i in range(ITEMS)],
        "GENRE": ["action" if i < 4 else "drama" for i in range(ITEMS)],
    }
    users = {"USER_ID": [f"u{u}" for u in range(USERS)], "TIER": [("free", "gold")[u % 2] for u in range(USERS)]}
    for table in (columns, items, users):
        for name, (row, value) in changes.items():
            if name in table:
                table[name][row % len(table[name])] = value
    return Tables(pa.table(columns), pa.table(items), pa.table(users), KINDS)


def read(found: Tables) -> TrainingData:
    return TrainingData.from_tables(found.interactions, found.items, found.users, found.kinds)


@cache
def fitted(name="aws-user-personalization"):
    """A recipe and its model of the unchanged tables."""
    recipe = catalogue.get(name)(**RECIPES[name])
    return recipe, recipe.fit(read(tables()), Run())


def finite(model, data: TrainingData) -> bool:
    return bool(np.isfinite(model.score(data.histories())).all())


def judged_events() -> list[int]:
    """Events that are held out of training when a version is judged."""
    data = read(tables())
    split = splits.amazon(data)
    return [int(event) for user in split.users for event in range(data.offsets[user], data.offsets[user + 1])]


@all_recipes
@few
@given(
    row=st.sampled_from(judged_events()) | st.integers(0, USERS * EACH - 1),
    word=words,
    device=words,
    genre=words,
    tier=words,
)
def test_the_only_row_of_a_type_or_category_may_be_in_any_part_of_the_data(name, row, word, device, genre, tier):
    changes = {"EVENT_TYPE": (row, word), "DEVICE": (row, device), "GENRE": (row, genre), "TIER": (row, tier)}
    data = read(tables(**changes))
    recipe = catalogue.get(name)(**RECIPES[name])
    judged = recipe.fit(splits.amazon(data).train, Run())
    assert finite(judged, data)
    assert finite(recipe.refit(judged, data, Run()), data)


@pytest.mark.parametrize("name", UPDATED)
@few
@given(
    place=st.integers(0, USERS * EACH - 1),
    type_=words,
    device=words,
    genre=words,
    tier=words,
)
def test_an_update_takes_any_new_type_or_category(name, place, type_, device, genre, tier):
    old = read(tables())
    recipe, model = fitted(name)
    changes = {"EVENT_TYPE": (place, type_), "DEVICE": (place, device), "GENRE": (place, genre), "TIER": (place, tier)}
    new = grown(tables(**changes), old, KINDS)
    updated = recipe.update(model, new, Run())
    assert finite(updated, new)
    assert new.interactions.event_types[: len(old.interactions.event_types)] == old.interactions.event_types


def test_an_update_keeps_the_meaning_of_what_the_network_learned_of_event_types():
    old = read(tables())
    swapped = grown(tables(EVENT_TYPE=(0, "purchase")), old, KINDS)
    names = [swapped.interactions.event_types[code] for code in swapped.interactions.event_type[1:]]
    assert names == [old.interactions.event_types[code] for code in old.interactions.event_type[1:]]
    assert np.array_equal(swapped.interactions.event_type[1:], old.interactions.event_type[1:])


@all_recipes
def test_types_newer_than_the_network_are_read_as_unknown(name):
    data = read(tables())
    _, model = fitted(name)
    known = data.histories()
    unknown, newer = (known.event_type * 0 + np.int16(code) for code in (-1, 7))
    scores = [model.score(type(known)(known.offsets, known.item_index, known.timestamp, types, known.user_index))
              for types in (unknown, newer)]  # fmt: skip
    np.testing.assert_array_equal(*scores)


@few
@given(types=st.lists(words, min_size=1, max_size=5))
def test_streamed_events_of_new_types_are_unknown_to_the_model_and_known_to_filters(types):
    data = read(tables())
    loaded = LoadedModel("key", None, data, 0, None, 0)
    live = [LiveEvent("i1", type_, START + 10**6 + n) for n, type_ in enumerate(types)]
    past = join(loaded, 0, live)
    learned = past.as_histories().event_type
    assert learned.max() < len(data.interactions.event_types)
    assert [past.types[code] for code in past.event_type[-len(types) :]] == types


def of_many_types() -> TrainingData:
    """A user's events, each of a type of its own, more than there are codes."""
    size = MAX_EVENT_TYPE_CODES + 5
    events = pa.table({
        "USER_ID": ["u"] * size, "ITEM_ID": ["i"] * size, "TIMESTAMP": np.arange(size),
        "EVENT_TYPE": [f"type {n}" for n in range(size)],
    })  # fmt: skip
    return TrainingData.from_tables(events)


def test_more_event_types_than_codes_are_unknown_ones():
    codes = of_many_types().interactions.event_type
    assert codes[:MAX_EVENT_TYPE_CODES].tolist() == list(range(MAX_EVENT_TYPE_CODES))
    assert set(codes[MAX_EVENT_TYPE_CODES:].tolist()) == {-1}


def test_new_types_beside_as_many_as_there_are_codes_are_told_apart_by_filters():
    data = of_many_types()
    live = [LiveEvent("i", type_, len(data.interactions) + n) for n, type_ in enumerate(["newer", "newest", "newer"])]
    past = join(LoadedModel("key", None, data, 0, None, 0), 0, live)
    assert [past.types[code] for code in past.event_type[-3:]] == ["newer", "newest", "newer"]
    assert past.as_histories().event_type[-3:].tolist() == [-1, -1, -1]
    assert past.as_histories().event_type.dtype == np.int16
