"""Vectors of one's own: read from any list of numbers, used where they tell what follows what, left alone where they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from recipes import catalogue
from recipes.columns import Kind, encode_column
from recipes.content.attributes import content_rows
from recipes.content.features import item_features, user_features
from recipes.content.vectors import find_vectors, learn_share, read_vectors, side_by_side
from recipes.data import Histories
from recipes.methods.similar_items import SimilarItems
from recipes.numerics.topk import top_k
from recipes.run import Run
from recipes.simulation import Market, World
from tests.recipes.worlds import item_genres, tasteful

MESSY = [
    "[0.5, 1e-1, -2.5, 4]",
    "0.1|0.2|0.3|-1",
    "0.1;0.2;0.3;1",
    "(1.5 2 3 4)",
    "[ 0.  1.\n  0.5 -2. ]",  # as numpy prints them
    '["0.1", "0.2", "0.3", "1"]',
    "array([0.1, 0.2, 0.3, 1.], dtype=float32)",
    "tensor([0.1, 0.2, 0.3, 1.])",
    "{0.1,0.2,.3,1}",
    "0,1;0,2;0,3;1",
]


def column(texts, kind=Kind.LABEL):
    return encode_column(pa.array(texts, pa.string()), kind)


def written(rows, form="json"):
    if form == "json":
        return ["[" + ", ".join(f"{value:.4f}" for value in row) + "]" for row in rows]
    return ["|".join(f"{value:.4f}" for value in row) for row in rows]


def told(data, **columns):
    """The data with these columns as all there is to know of items."""
    return replace(data, items={name: column(texts) for name, texts in columns.items()})


def of_genres(data, rng, noise=0.2, size=8):
    """Vectors that tell an item's genre."""
    directions = np.eye(4, size)
    return directions[item_genres(data)] + noise * rng.normal(size=(data.num_items, size))


@pytest.mark.parametrize("kind", [Kind.LABEL, Kind.TEXT])
def test_lists_are_read_however_they_are_written(kind):
    found = read_vectors(column(MESSY * 5, kind))
    assert (found.size, found.odd) == (4, 0)
    np.testing.assert_allclose(np.linalg.norm(found.values, axis=1), 1, atol=1e-5)


def test_lists_under_categories_are_read_in_order():
    rows = np.random.default_rng(0).normal(size=(30, 8))
    rows[:, :5] = rows[:, :5].round()  # several of one value
    both = [
        read_vectors(column(written(rows, form), kind))
        for form, kind in (("json", Kind.LABEL), ("|", Kind.CATEGORICAL))
    ]
    np.testing.assert_allclose(both[0].values, both[1].values, atol=1e-5)


def test_what_is_no_vector_is_unknown():
    rows = written(np.random.default_rng(0).normal(size=(200, 5)))
    odd = ["[0.1, 0.2]", "[0.1, NaN, 0.2, 0.3, 0.4]", "[0, 0, 0, 0, 0.0]", "soon", "[1e999, 1, 1, 1, 1]", "", "[]"]
    found = read_vectors(column([*rows, *odd]))
    assert (found.size, found.odd) == (5, 5)
    assert found.values[:200].any(axis=1).all()
    assert not found.values[200:].any()


@pytest.mark.parametrize(
    "texts", [["Drama|War", "Comedy"], ["1|2", "3"], ["1.5", "2.5"], ["a b c d"], [""], [], ["12|7|3|4", "1|2|3|5"]]
)
def test_other_lists_are_no_vectors(texts):
    assert read_vectors(column(texts)) is None
    assert find_vectors({"A": column(texts)}) == {}


@pytest.mark.parametrize(
    "nothing", ["", "[]", "nan", "null", "None", "[nan, nan, nan, nan, nan]", "[null, 1, 2, 3, 0.5]"]
)
def test_cells_without_a_vector_take_none_from_the_others(nothing):
    rows = written(np.random.default_rng(0).normal(size=(40, 5)))
    found = read_vectors(column([*rows, *[nothing] * 30]))
    assert found.size == 5
    assert found.odd == (0 if len(nothing) < 5 else 30)
    assert found.values.any(axis=1).tolist() == [True] * 40 + [False] * 30


def test_lists_of_numbers_are_vectors_although_a_few_are_cut_short():
    rows = written(np.random.default_rng(0).normal(size=(70, 6)))
    short = written(np.random.default_rng(1).normal(size=(30, 5)))
    found = read_vectors(column([*rows, *short]))
    assert (found.size, found.odd) == (6, 30)
    assert read_vectors(column([*rows, *["red, green"] * 30])) is None


def test_decimal_commas_divide_no_numbers():
    numbers = np.random.default_rng(0).normal(size=(30, 40))
    with_commas = [";".join(f"{value:.4f}".replace(".", ",") for value in row) for row in numbers]
    found, wanted = (read_vectors(column(texts)) for texts in (with_commas, written(numbers)))
    assert found.size == wanted.size == 40
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-5)


def test_long_vectors_keep_what_tells_items_apart():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 300))
    found = read_vectors(column(written(rows)))
    assert found.values.shape == (100, 64)
    wanted = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    wanted -= wanted.mean(axis=0)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(found.values @ found.values.T, wanted @ wanted.T, atol=0.01)


def test_vectors_are_no_words():
    assert content_rows({"A": column(written(np.ones((50, 5))), Kind.TEXT)}, 50).shape == (50, 0)


def test_items_without_a_vector_are_alike_by_what_else_is_known():
    content = np.array([[1, 0], [1, 0], [0, 0]], np.float32)
    vectors = np.array([[1, 0], [0, 0], [0.6, 0.8]], np.float32)
    both = side_by_side(content, vectors, 0.5)
    np.testing.assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)
    assert both[0] @ both[1] == pytest.approx(np.sqrt(0.5), abs=1e-4)
    assert both[0] @ both[2] == pytest.approx(0.6 * np.sqrt(0.5), abs=1e-4)


@pytest.mark.parametrize("form", ["json", "|"])
def test_similar_items_follow_vectors_that_tell(form):
    data = tasteful()
    rows = of_genres(data, np.random.default_rng(2))
    model = SimilarItems(item_id_hidden_dim=30).fit(told(data, EMBEDDING=written(rows, form)), Run())
    cold = np.flatnonzero(data.item_counts == 0)
    top = top_k(model.related(cold), 5).items
    assert (item_genres(data)[top] == item_genres(data)[cold][:, None]).mean() > 0.9


def test_vectors_that_tell_nothing_change_nothing():
    data, rng = tasteful(), np.random.default_rng(3)
    with_noise = replace(data, items=data.items | {"NOISE": column(written(rng.normal(size=(data.num_items, 16))))})
    for features in (item_features, lambda some, run: SimilarItems(item_id_hidden_dim=30).fit(some, run).vectors):
        np.testing.assert_array_equal(features(with_noise, Run()), features(data, Run()))


def test_the_log_says_what_vectors_count():
    data, messages = tasteful(), []
    rows = [*written(of_genres(data, np.random.default_rng(2)))[1:], "0.1|0.2"]
    item_features(told(data, EMBEDDING=rows), Run(on_progress=lambda progress: messages.append(progress.message)))
    assert messages == ["Vectors of 8 numbers in EMBEDDING count 100% of similarity; 1 cells hold no such vector."]


def test_few_events_leave_the_usual_share():
    vectors = np.eye(4, dtype=np.float32)
    assert learn_share(vectors[:, :0], vectors, Histories.of([[0, 1, 2]])) == 1
    assert 0 < learn_share(vectors, vectors, Histories.of([[0, 1, 2]])) < 1


def test_users_vectors_are_features_of_users():
    data = tasteful()
    rows = np.random.default_rng(0).normal(size=(data.num_users, 6))
    bare = replace(data, users={})
    found = user_features(replace(data, users={"TASTE": column(written(rows))}))
    assert user_features(bare).shape[1] == 0
    assert found.shape == (data.num_users, 1 + 6)
    assert (found[:, 0] == 1).all()


def test_new_items_go_to_those_whose_taste_their_vectors_meet():
    market = Market.open(replace(World(users=150, items=160, past_days=8), metadata="none"), 1)
    market.arrive(30, np.full(30, -0.02), 0.0)
    data, taste = market.data(), market.taste @ market.subject.T
    rows = market.subject + 0.2 * np.random.default_rng(0).normal(size=market.subject.shape)
    told_apart = replace(data, items=data.items | {"EMBEDDING": column(written(rows))})
    recipe = catalogue.get("aws-user-personalization")(mode="fast")
    scores = recipe.fit(told_apart, Run()).score(told_apart.histories())[:, 160:]
    pairs = zip(scores, taste[:, 160:], strict=True)
    assert np.mean([np.corrcoef(said, true)[0, 1] for said, true in pairs]) > 0.12  # without them 0.02
