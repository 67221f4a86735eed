"""The way from a solution to recommendations, and what each step refuses."""

from __future__ import annotations

import pytest

from console import operations  # noqa: F401
from console.errors import InvalidInputException
from console.models import SolutionVersion
from console.operations.base import OPERATIONS
from tests.worlds import films

RECIPE = "arn:aws:personalize:::recipe/"


def call(operation, account, **params):
    return OPERATIONS[operation](account, **params)


def trained(account, run_jobs, group, recipe, name=None, **params):
    name = name or recipe.removeprefix("aws-")
    if recipe == "aws-user-personalization":  # closed forms only: what is tested here is not the network
        params.setdefault("solution_config", {"algorithmHyperParameters": {"mode": "fast"}})
    solution = call(
        "CreateSolution", account, name=name, dataset_group_arn=group.arn, recipe_arn=RECIPE + recipe, **params
    )
    version = call("CreateSolutionVersion", account, solution_arn=solution["solutionArn"])["solutionVersionArn"]
    run_jobs()
    return version


@pytest.mark.parametrize("recipe", ["aws-popularity-count", "aws-sims", "aws-user-personalization"])
def test_it_works(account, run_jobs, recipe):
    group = films(account)
    version = trained(account, run_jobs, group, recipe)
    row = SolutionVersion.objects.get()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    metrics = call("GetSolutionMetrics", account, solution_version_arn=version)["metrics"]
    assert {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5"} <= metrics.keys()
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    answer = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", item_id="i1", num_results=10)
    assert len(answer["itemList"]) == 10
    assert len(answer["recommendationId"]) == 40


def test_hyperparameters_are_held_to_their_range(account):
    group = films(account)
    with pytest.raises(InvalidInputException, match="bptt is 99, allowed is a whole number from 2 to 32"):
        call(
            "CreateSolution", account, name="s", dataset_group_arn=group.arn, recipe_arn=RECIPE + "aws-user-personalization",
            solution_config={"algorithmHyperParameters": {"bptt": "99"}},
        )  # fmt: skip
