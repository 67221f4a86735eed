"""Recipes as resources: listed in name order, described from what the library declares."""

from __future__ import annotations

import subprocess
import sys

import pytest

from console.errors import InvalidNextTokenException, ResourceNotFoundException
from console.operations.training import recipes as operations
from recipes.catalogue import RECIPES
from recipes.use_cases import USE_CASES

ARN = "arn:aws:personalize:::"


def test_it_lists_all_in_name_order(account):
    found = operations.list_recipes(account)["recipes"]
    names = [recipe["name"] for recipe in found]
    assert names == sorted({*RECIPES, *USE_CASES})
    assert {recipe["name"] for recipe in found if "domain" in recipe} == set(USE_CASES)
    assert all(recipe["status"] == "ACTIVE" for recipe in found)


def test_it_pages_without_gaps_or_repeats(account):
    names, token = [], None
    while True:
        found = operations.list_recipes(account, max_results=4, next_token=token)
        names += [recipe["name"] for recipe in found["recipes"]]
        token = found.get("nextToken")
        if token is None:
            break
    assert names == sorted({*RECIPES, *USE_CASES})
    with pytest.raises(InvalidNextTokenException):
        operations.list_recipes(account, next_token="nothing")


@pytest.mark.parametrize("domain", ["ECOMMERCE", "VIDEO_ON_DEMAND"])
def test_it_narrows_to_a_domain(account, domain):
    found = operations.list_recipes(account, domain=domain, recipe_provider="SERVICE")["recipes"]
    assert {recipe["name"] for recipe in found} == {name for name, case in USE_CASES.items() if case.domain == domain}


@pytest.mark.parametrize("name", sorted({*RECIPES, *USE_CASES}))
def test_it_describes_each_with_its_algorithm_and_transformation(account, name):
    recipe = operations.describe_recipe(account, recipe_arn=f"{ARN}recipe/{name}")["recipe"]
    assert len(recipe["description"]) > 20
    algorithm = operations.describe_algorithm(account, algorithm_arn=recipe["algorithmArn"])["algorithm"]
    assert algorithm["algorithmArn"] == recipe["algorithmArn"]
    arn = recipe["featureTransformationArn"]
    transformation = operations.describe_feature_transformation(account, feature_transformation_arn=arn)
    assert transformation["featureTransformation"]["featureTransformationArn"] == arn


def test_an_algorithm_shows_defaults_and_ranges(account):
    arn = f"{ARN}algorithm/aws-user-personalization"
    algorithm = operations.describe_algorithm(account, algorithm_arn=arn)["algorithm"]
    assert {"hidden_dimension": "149", "recency_mask": "true"}.items() <= algorithm["defaultHyperParameters"].items()
    ranges = algorithm["defaultHyperParameterRanges"]
    assert {"name": "hidden_dimension", "minValue": 32, "maxValue": 256, "isTunable": True} in ranges[
        "integerHyperParameterRanges"
    ]
    assert {"name": "recency_mask", "values": ["true", "false"], "isTunable": True} in ranges[
        "categoricalHyperParameterRanges"
    ]


def test_a_feature_transformation_shows_its_defaults(account):
    arn = f"{ARN}feature-transformation/sims"
    found = operations.describe_feature_transformation(account, feature_transformation_arn=arn)
    assert found["featureTransformation"]["defaultParameters"]["max_item_interaction_count_percentile"] == "0.9"


@pytest.mark.parametrize(
    ("call", "member", "kind"),
    [
        (operations.describe_recipe, "recipe_arn", "recipe"),
        (operations.describe_algorithm, "algorithm_arn", "algorithm"),
        (operations.describe_feature_transformation, "feature_transformation_arn", "feature-transformation"),
    ],
    ids=["recipe", "algorithm", "transformation"],
)
def test_unknown_ones_are_not_found(account, call, member, kind):
    for arn in (f"{ARN}{kind}/nothing", f"arn:aws:personalize:us-east-1:{account.number}:{kind}/aws-sims"):
        with pytest.raises(ResourceNotFoundException):
            call(account, **{member: arn})


def test_listing_recipes_does_not_load_torch():
    program = "import sys; from recipes import catalogue; [catalogue.get(name) for name in catalogue.RECIPES]; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
