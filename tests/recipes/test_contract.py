"""What every recipe promises, whatever its method: one suite over all names of the catalogue."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from recipes import artefact, catalogue, ranking
from recipes.base import Recipe, RecipeType
from recipes.columns import encode_column
from recipes.data import Histories, TrainingData
from recipes.numerics import topk
from recipes.run import Run, StopRequested
from tests.recipes import worlds

LONG = {"aws-hrnn-metadata", "aws-hrnn-coldstart"}  # networks beside aws-hrnn, which stands for them in the quick check
ALL = [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in catalogue.RECIPES]
EVERY = pytest.mark.parametrize("name", ALL)
PERSONAL = {RecipeType.USER_PERSONALIZATION, RecipeType.PERSONALIZED_RANKING}
NOT_FROM_COMPANY = {"aws-popularity-count", "aws-trending-now", "aws-semantic-similarity", "aws-next-best-action"}
NETWORK = {
    "hidden_dimension": 32,
    "bptt": 4,
    "recency_mask": False,
    "min_user_history_length_percentile": 0.6,
    "max_user_history_length_percentile": 0.1,
    "mode": "full",
}
SIMILAR = {"popularity_discount_factor": 0.9, "item_id_hidden_dim": 30, "item_metadata_hidden_dim": 30}
CHANGES: dict[str, dict[str, object]] = {
    "aws-user-personalization": NETWORK,
    "aws-user-personalization-v2": {"apply_recency_bias": False, "mode": "full"},
    "aws-hrnn": NETWORK,
    "aws-hrnn-metadata": NETWORK,
    "aws-hrnn-coldstart": NETWORK
    | {
        "cold_start_max_interactions": 1,
        "cold_start_max_duration": 40.0,
        "cold_start_relative_from": "currentTime",
    },
    "aws-personalized-ranking": NETWORK,
    "aws-personalized-ranking-v2": {"apply_recency_bias": False, "mode": "full"},
    "aws-popularity-count": {},
    "aws-trending-now": {"trend_discovery_frequency": "1 day"},
    "aws-sims": {
        "popularity_discount_factor": 0.9,
        "min_cointeraction_count": 10,
        "min_user_history_length_percentile": 0.6,
        "max_user_history_length_percentile": 0.1,
        "min_item_interaction_count_percentile": 0.6,
        "max_item_interaction_count_percentile": 0.1,
    },
    "aws-similar-items": SIMILAR,
    "aws-semantic-similarity": {},
    "aws-item-affinity": {"hidden_dimension": 32},
    "aws-item-attribute-affinity": {"hidden_dimension": 32},
    "aws-next-best-action": {"action_optimization_period": 7},
}
NEEDS_THE_NETWORK = {"hidden_dimension", "bptt"}
NETWORKS = {"aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"}  # are a network whatever is said
SETTINGS = [
    pytest.param(
        name,
        parameter,
        value,
        marks=[pytest.mark.slow] if name in NETWORKS or value == "full" or parameter in NEEDS_THE_NETWORK else [],
    )
    for name, changes in CHANGES.items()
    for parameter, value in changes.items()
]


@cache
def world(name: str) -> TrainingData:
    return worlds.actions() if name == "aws-next-best-action" else worlds.tasteful()


def quick(name: str) -> Recipe:
    """The recipe as it is, but without a network where that is left to it: the suite fits some two hundred models."""
    has_choice = "mode" in CHANGES[name] and name not in NETWORKS
    return catalogue.get(name)(**({"mode": "fast"} if has_choice else {}))


@cache
def fitted(name: str):
    return quick(name).fit(world(name), Run(seed=3))


def answers(model, name: str) -> np.ndarray:
    """What the model is for: scores of histories, of query items, or of users."""
    recipe = catalogue.get(name)
    if recipe.type is RecipeType.USER_SEGMENTATION:
        return model.segment(np.arange(min(10, model.num_items)))
    if recipe.type is RecipeType.RELATED_ITEMS:
        return model.related(np.arange(min(10, model.num_items)))
    return model.score(world(name).histories())


def varied(data: TrainingData) -> TrainingData:
    """The data with histories of different lengths, so that percentiles of lengths tell users apart."""
    position = np.arange(len(data.interactions)) - data.offsets[data.interactions.user_index]
    return data.keep(position < 4 + 2 * (data.interactions.user_index % 9))


@EVERY
def test_it_works(name):
    recipe = catalogue.get(name)
    assert recipe.name == name
    assert recipe.summary.endswith(".")
    scores = answers(fitted(name), name)
    assert scores.dtype == np.float32
    assert scores.flags.writeable
    assert np.isfinite(scores).any(axis=1).all()
    assert not np.isnan(scores).any()


@pytest.mark.parametrize("name", [param for param in ALL if param.values[0] not in NOT_FROM_COMPANY])
def test_the_withheld_item_of_the_checkerboard_is_first(name):
    data = _with_genres(worlds.checkerboard())
    model = quick(name).fit(data, Run())
    everyone = np.arange(50)
    match catalogue.get(name).type:
        case RecipeType.USER_SEGMENTATION:
            scores = model.segment(everyone)
            scores[data.interactions.item_index, data.interactions.user_index] = -np.inf
            assert (topk.top_k(scores, 1).items[:, 0] == everyone).mean() >= 0.96
        case RecipeType.RELATED_ITEMS:
            related = topk.top_k(model.related(everyone), 10).items
            assert (related % 2 == everyone[:, None] % 2).all()
        case _:
            found = ranking.recommend(model, data.histories(), 1, exclude_seen=True)
            assert (found.items[:, 0] == everyone).mean() >= 0.96


def test_semantic_similarity_relates_items_of_one_kind():
    data = world("aws-semantic-similarity")
    genres = worlds.item_genres(data)
    related = topk.top_k(fitted("aws-semantic-similarity").related(np.arange(data.num_items)), 5).items
    assert (genres[related] == genres[:, None]).mean() > 0.95


def test_the_next_best_action_is_the_one_that_people_of_the_group_take():
    data = world("aws-next-best-action")
    best = topk.top_k(fitted("aws-next-best-action").score(data.histories()), 1).items[:, 0]
    assert (worlds.item_genres(data, 6)[best] == worlds.user_tastes(data, 6)).mean() > 0.9


@EVERY
def test_a_batch_scores_as_single_histories_do(name):
    model, histories = fitted(name), world(name).histories().rows(0, 12)
    together = model.score(histories)
    for row in range(len(histories)):
        assert together[row : row + 1] == pytest.approx(model.score(histories.rows(row, row + 1)), rel=1e-4, abs=1e-5)


@EVERY
def test_what_is_saved_is_what_is_loaded(name, tmp_path):
    model = fitted(name)
    artefact.save(tmp_path / "model", model, world(name))
    loaded = artefact.load(tmp_path / "model")
    assert loaded.model.recipe == model.recipe
    assert np.array_equal(answers(loaded.model, name), answers(model, name))
    histories = world(name).histories().rows(0, 5)
    assert np.array_equal(loaded.model.score(histories), model.score(histories))


@EVERY
def test_the_same_seed_gives_the_same_model(name):
    again = quick(name).fit(world(name), Run(seed=3))
    assert answers(again, name) == pytest.approx(answers(fitted(name), name), rel=1e-5, abs=1e-6)


@EVERY
def test_masked_items_are_never_returned(name):
    model, data = fitted(name), world(name)
    mask = np.arange(data.num_items) % 3 == 0
    found = ranking.recommend(model, data.histories(), data.num_items, mask=mask)
    assert (found.items[found.items >= 0] % 3 == 0).all()
    assert (found.items[:, mask.sum() :] == -1).all()


@EVERY
def test_an_unknown_user_and_one_without_history_are_served(name):
    model = fitted(name)
    scores = model.score(Histories.of([[], [0]]))
    assert np.isfinite(scores).any(axis=1).all()
    assert (topk.top_k(scores, 1).items >= 0).all()


@EVERY
def test_no_histories_give_no_scores(name):
    assert fitted(name).score(Histories.of([])).shape == (0, world(name).num_items)


@EVERY
def test_scoring_changes_nothing(name):
    model, histories = fitted(name), world(name).histories().rows(0, 5)
    first = model.score(histories).copy()
    model.score(histories)[:] = 7
    assert np.array_equal(model.score(histories), first)


@EVERY
def test_a_second_fit_starts_anew_and_leaves_the_recipe_as_it_was(name):
    recipe = quick(name)
    settings = recipe.settings()
    first = world(name)
    recipe.fit(first.keep(first.interactions.user_index % 2 == 0), Run(seed=3))
    again = recipe.fit(first, Run(seed=3))
    assert answers(again, name) == pytest.approx(answers(fitted(name), name), rel=1e-5, abs=1e-6)
    assert recipe.settings() == settings


@EVERY
def test_it_stops_when_told_to(name):
    def stop(progress):
        raise StopRequested

    with pytest.raises(StopRequested):
        quick(name).fit(world(name), Run(on_progress=stop))


@EVERY
def test_a_budget_of_no_time_still_gives_a_model(name):
    model = quick(name).fit(world(name), Run(max_seconds=0.001))
    assert np.isfinite(answers(model, name)).any(axis=1).all()


@EVERY
def test_explanations_are_sorted_and_point_into_the_history(name):
    history = world(name).histories().rows(0, 1)
    item = int(fitted(name).score(history)[0].argmax())
    told = fitted(name).explain(history, item)
    assert told
    assert [c.weight for c in told] == sorted((c.weight for c in told), reverse=True)
    assert all(-1 <= c.position < len(history.item_index) for c in told)
    assert all(c.label for c in told if c.position < 0)


@EVERY
def test_probabilities_are_shares_of_the_whole(name):
    model = fitted(name)
    shares = model.probabilities(model.score(world(name).histories().rows(0, 5)))
    assert (shares >= 0).all()
    if catalogue.get(name).type in PERSONAL:
        assert shares.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-4)


@EVERY
def test_forgotten_users_leave_no_row_and_no_item(name, tmp_path):
    """Neither arrays of one row a user, nor what the model answers, tell a forgotten user from another."""
    data, users, others = world(name), np.array([1, 4]), np.array([0, 2, 3])
    assert data.num_users not in {data.num_items, len(data.interactions)}
    model = quick(name).fit(data, Run(seed=3))
    model.prepare(data.histories(), Run())
    before = {key: np.array(tensor) for key, tensor in model.state().tensors.items()}
    artefact.save(tmp_path / "model", model.forget_users(users), data)
    cleaned = artefact.load(tmp_path / "model").model
    after = cleaned.state().tensors
    rows = [key for key, tensor in before.items() if tensor.shape[:1] == (data.num_users,)]
    for key in rows:
        assert not after[key][users].any(), f"{key} still holds the users' rows"
        assert np.array_equal(after[key][others], before[key][others])
    assert all(np.array_equal(model.state().tensors[key], before[key]) for key in before), (
        "the model itself was changed"
    )
    nobody = Histories.of([[], []], user_index=users)
    assert np.array_equal(*cleaned.score(nobody)), "users without events are told apart"
    if catalogue.get(name).type is RecipeType.USER_SEGMENTATION:
        affinities = cleaned.segment(np.arange(data.num_items))
        assert (affinities[:, users] == affinities[:1, users]).all(), "the users' items can be read off"
        assert affinities[:, others] == pytest.approx(model.segment(np.arange(data.num_items))[:, others], abs=1e-4)


@EVERY
def test_the_table_of_changes_names_every_hyperparameter(name):
    assert set(CHANGES[name]) == {parameter.name for parameter in catalogue.get(name).hyperparameters()}


@pytest.mark.parametrize(("name", "parameter", "value"), SETTINGS)
def test_every_hyperparameter_changes_the_model(name, parameter, value):
    with_network = parameter in NEEDS_THE_NETWORK and "mode" in CHANGES[name]
    recipe = catalogue.get(name)(mode="full") if with_network else quick(name)
    data = varied(world(name)) if "percentile" in parameter else world(name)
    changed = dataclasses.replace(recipe, **{parameter: value})
    before, after = recipe.fit(data, Run()).state(), changed.fit(data, Run()).state()
    same = before.values == after.values and before.tensors.keys() == after.tensors.keys()
    assert not (same and all(np.array_equal(before.tensors[key], after.tensors[key]) for key in before.tensors))


@EVERY
def test_hyperparameters_are_held_to_their_ranges(name):
    recipe: type[Recipe] = catalogue.get(name)
    for parameter in recipe.hyperparameters():
        wrong = [parameter.low - 1] if parameter.low is not None else []
        wrong += [parameter.high + 1] if parameter.high is not None else []
        wrong += ["never"]
        for value in wrong:
            with pytest.raises(ValueError, match=parameter.name):
                recipe.configured({parameter.name: str(value)})
    with pytest.raises(ValueError, match="no hyperparameter"):
        recipe.configured({"never_heard_of": "1"})


def _with_genres(data: TrainingData) -> TrainingData:
    """The same data with item metadata, for recipes that need some."""

    plain = {"GENRE": encode_column(pa.array([("even", "odd")[item % 2] for item in range(data.num_items)]))}
    return dataclasses.replace(data, items=plain)
