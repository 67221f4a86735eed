"""Each hyperparameter that AWS documents is there, with AWS's default, range, kind and leave to tune; what is ours is named.

That each changes the model is shown by `test_contract.test_every_hyperparameter_changes_the_model`.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from recipes import catalogue


class Documented(NamedTuple):
    """One row of the reference's tables; `low` and `high` are None where any positive number is allowed."""

    default: bool | int | float | str
    low: float | None = None
    high: float | None = None
    tunable: bool = False
    featurization: bool = False


def network(width: int) -> dict[str, Documented]:
    return {
        "hidden_dimension": Documented(width, 32, 256, tunable=True),
        "bptt": Documented(32, 2, 32, tunable=True),
        "recency_mask": Documented(default=True, tunable=True),
        "min_user_history_length_percentile": Documented(0.0, 0.0, 1.0, featurization=True),
        "max_user_history_length_percentile": Documented(0.99, 0.0, 1.0, featurization=True),
    }


DOCUMENTED: dict[str, dict[str, Documented]] = {
    "aws-user-personalization": network(149),
    "aws-personalized-ranking": network(149),
    "aws-hrnn": network(43),
    "aws-hrnn-metadata": network(43),
    "aws-hrnn-coldstart": network(149)
    | {
        "cold_start_max_interactions": Documented(15, featurization=True),
        "cold_start_max_duration": Documented(5.0, featurization=True),
        "cold_start_relative_from": Documented("latestItem", featurization=True),
    },
    "aws-user-personalization-v2": {"apply_recency_bias": Documented(default=True)},
    "aws-personalized-ranking-v2": {"apply_recency_bias": Documented(default=True)},
    "aws-sims": {
        "popularity_discount_factor": Documented(0.5, 0, 1, tunable=True),
        "min_cointeraction_count": Documented(3, 0, 10, tunable=True),
        "min_user_history_length_percentile": Documented(0.005, 0, 1, featurization=True),
        "max_user_history_length_percentile": Documented(0.995, 0, 1, featurization=True),
        "min_item_interaction_count_percentile": Documented(0.01, 0, 1, featurization=True),
        "max_item_interaction_count_percentile": Documented(0.9, 0, 1, featurization=True),
    },
    "aws-similar-items": {
        "popularity_discount_factor": Documented(0.0, 0, 1),
        "item_id_hidden_dim": Documented(100, 30, 200, tunable=True),
        "item_metadata_hidden_dim": Documented(100, 30, 200, tunable=True),
    },
    "aws-item-affinity": {"hidden_dimension": Documented(149, 32, 256)},
    "aws-item-attribute-affinity": {"hidden_dimension": Documented(149, 32, 256)},
    "aws-trending-now": {"trend_discovery_frequency": Documented("2 hours", featurization=True)},
    "aws-next-best-action": {"action_optimization_period": Documented(14, 7, 28, featurization=True)},
    "aws-popularity-count": {},
    "aws-semantic-similarity": {},
}
OURS = {"mode"}  # AWS has no such thing: how much time a training may take to be exact
CHOICES = {
    "cold_start_relative_from": ("currentTime", "latestItem"),
    "trend_discovery_frequency": ("30 minutes", "1 hour", "2 hours", "3 hours", "1 day"),
}


def test_every_recipe_is_in_the_table():
    assert set(DOCUMENTED) == set(catalogue.RECIPES)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_declared_is_what_is_documented(name):
    declared = {parameter.name: parameter for parameter in catalogue.get(name).hyperparameters()}

    assert declared.keys() - OURS == DOCUMENTED[name].keys()
    for key, told in DOCUMENTED[name].items():
        found = declared[key]
        assert (found.default, type(found.default)) == (told.default, type(told.default)), key
        assert (found.tunable, found.featurization) == (told.tunable, told.featurization), key
        assert found.choices == CHOICES.get(key, ()), key
        if told.high is not None:
            assert (found.low, found.high) == (told.low, told.high), key


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_ends_of_each_range_are_accepted_as_text(name):
    recipe = catalogue.get(name)
    for key, told in DOCUMENTED[name].items():
        ends = CHOICES.get(key) or (("true", "false") if isinstance(told.default, bool) else (told.low, told.high))
        for end in ends:
            if end is not None:
                found = recipe.configured({key: str(end)}).settings()[key]
                assert str(found).casefold() in {str(end).casefold(), _as_float(end)}


def _as_float(end: float | str) -> str:
    return "" if isinstance(end, str) else str(float(end))
