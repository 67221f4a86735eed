"""The way from a solution to recommendations, and what each step refuses."""

from __future__ import annotations

import pytest

from console import operations  # noqa: F401
from console.errors import InvalidInputException
from console.models import Record, SolutionVersion
from tests.factories import RECIPE, call, trained
from tests.worlds import films


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


def test_update_takes_up_new_items(account, run_jobs):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-user-personalization")
    solution = version.rpartition("/")[0]
    campaign = call(
        "CreateCampaign", account, name="c", solution_version_arn=f"{solution}/$LATEST",
        campaign_config={"syncWithLatestSolutionVersion": True},
    )["campaignArn"]  # fmt: skip
    items = group.datasets.get(type="ITEMS")
    Record.objects.create(
        dataset=items, entity_id="brand-new",
        values={"TITLE": "New", "GENRES": "Comedy", "PRICE": 1.0, "CREATION_TIMESTAMP": 1_700_000_000},
    )  # fmt: skip
    update = call("CreateSolutionVersion", account, solution_arn=solution, training_mode="UPDATE")["solutionVersionArn"]
    run_jobs()
    row = SolutionVersion.objects.first()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    told = call("DescribeCampaign", account, campaign_arn=campaign)["campaign"]
    assert told["solutionVersionArn"] == update
    assert told["latestCampaignUpdate"]["status"] == "ACTIVE"
    listed = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=500)["itemList"]
    assert "brand-new" in {item["itemId"] for item in listed}
    assert call("GetSolutionMetrics", account, solution_version_arn=update)["metrics"]


def test_update_needs_a_full_version(account):
    group = films(account)
    solution = call(
        "CreateSolution", account, name="s", dataset_group_arn=group.arn, recipe_arn=RECIPE + "aws-user-personalization"
    )["solutionArn"]
    with pytest.raises(InvalidInputException, match="made with FULL"):
        call("CreateSolutionVersion", account, solution_arn=solution, training_mode="UPDATE")


def test_tuning_finds_hyperparameters(account, run_jobs):
    group = films(account)
    ranges = {"integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 1, "maxValue": 4}]}
    trained(
        account, run_jobs, group, "aws-sims", perform_hpo=True,
        solution_config={
            "hpoConfig": {
                "algorithmHyperParameterRanges": ranges,
                "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "1"},
            }
        },
    )  # fmt: skip
    row = SolutionVersion.objects.get()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    found = row.wire()["tunedHPOParams"]["algorithmHyperParameters"]
    assert 1 <= int(found["min_cointeraction_count"]) <= 4
    assert len(row.report["trials"]) == 3


def test_auto_ml_chooses(account, run_jobs):
    group = films(account)
    recipes = [RECIPE + "aws-popularity-count", RECIPE + "aws-sims"]
    with pytest.raises(InvalidInputException, match="USER_PERSONALIZATION"):
        call(
            "CreateSolution", account, name="s", dataset_group_arn=group.arn, perform_auto_ml=True,
            solution_config={"autoMLConfig": {"recipeList": recipes}},
        )  # fmt: skip
    solution = call(
        "CreateSolution", account, name="s", dataset_group_arn=group.arn, perform_auto_ml=True,
        solution_config={"autoMLConfig": {"recipeList": recipes[:1]}},
    )["solutionArn"]  # fmt: skip
    call("CreateSolutionVersion", account, solution_arn=solution)
    run_jobs()
    assert SolutionVersion.objects.get().status == "ACTIVE", SolutionVersion.objects.get().traceback
    told = call("DescribeSolution", account, solution_arn=solution)["solution"]
    assert told["autoMLResult"] == {"bestRecipeArn": recipes[0]}
