"""What solutions, versions and campaigns refuse, and the order in which things may be deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console import trainings
from console.errors import (
    InvalidInputException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import Campaign, Solution, SolutionVersion
from console.operations.base import OPERATIONS
from tests.factories import RECIPE, call, trained
from tests.worlds import films


@pytest.fixture
def group(account):
    return films(account)


def solution(account, group, name="s", recipe="aws-sims", **params):
    return call(
        "CreateSolution", account, name=name, dataset_group_arn=group.arn, recipe_arn=RECIPE + recipe, **params
    )["solutionArn"]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"recipe": "nothing"}, "Recipes for solutions are"),
        ({"recipe": "aws-next-best-action"}, "needs a dataset of type ACTIONS"),
        ({"solution_config": {"algorithmHyperParameters": {"bptt": "3"}}}, "aws-sims has no bptt"),
        ({"solution_config": {"featureTransformationParameters": {"popularity_discount_factor": "1"}}}, "in featureTrans"),
        ({"solution_config": {"algorithmHyperParameters": {"popularity_discount_factor": "2"}}}, "number from 0 to 1"),
        ({"event_type": "click", "solution_config": {"eventsConfig": {"eventParametersList": [{"eventType": "a"}]}}}, "not both"),
        ({"solution_config": {"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["NO"]}}}}, "NO is not a column"),
        ({"solution_config": {"trainingDataConfig": {"excludedDatasetColumns": {"INTERACTIONS": ["EVENT_TYPE"]}}}}, "cannot be excluded"),
        ({"solution_config": {"optimizationObjective": {"itemAttribute": "PRICE"}}}, "not for aws-sims"),
        ({"recipe": "aws-user-personalization", "solution_config": {"optimizationObjective": {"itemAttribute": "TITLE"}}}, "numeric column of ITEMS: PRICE"),
        ({"solution_config": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}}, r"rate\(30 days\)"),
        ({"solution_config": {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}}}, "from 1 to 40"),
        ({"solution_config": {"hpoConfig": {"algorithmHyperParameterRanges": {"integerHyperParameterRanges": [
            {"name": "min_cointeraction_count", "minValue": 0, "maxValue": 99}]}}}}, "from 0 to 10"),
        ({"perform_incremental_update": True}, "aws-semantic-similarity only"),
    ],
)  # fmt: skip
def test_a_solution_is_held_to_the_rules(account, group, params, message):
    with pytest.raises((InvalidInputException, ResourceNotFoundException), match=message):
        solution(account, group, **params)
    assert not Solution.objects.exists()


def test_a_name_is_taken_once(account, group):
    solution(account, group)
    with pytest.raises(ResourceAlreadyExistsException):
        solution(account, group)


def test_a_waiting_version_stops_at_once(account, group):
    arn = solution(account, group)
    version = call("CreateSolutionVersion", account, solution_arn=arn)["solutionVersionArn"]
    with pytest.raises(ResourceInUseException, match="CREATE PENDING"):
        call("GetSolutionMetrics", account, solution_version_arn=version)
    with pytest.raises(ResourceInUseException, match="cannot be deleted"):
        call("DeleteSolution", account, solution_arn=arn)
    call("StopSolutionVersionCreation", account, solution_version_arn=version)
    assert SolutionVersion.objects.get().status == "CREATE STOPPED"
    with pytest.raises(ResourceInUseException):
        call("StopSolutionVersionCreation", account, solution_version_arn=version)
    call("DeleteSolution", account, solution_arn=arn)


def test_campaigns_go_first(account, run_jobs, group):
    version = trained(account, run_jobs, group, "aws-sims", name="s")
    arn = version.rpartition("/")[0]
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    with pytest.raises(ResourceInUseException, match="campaign/c"):
        call("DeleteSolution", account, solution_arn=arn)
    call("DeleteCampaign", account, campaign_arn=campaign)
    call("DeleteSolution", account, solution_arn=arn)
    with pytest.raises(ResourceNotFoundException):
        call("DescribeSolutionVersion", account, solution_version_arn=version)


def test_a_campaign_is_held_to_the_rules(account, run_jobs, group):
    version = trained(account, run_jobs, group, "aws-user-personalization", name="s")
    latest = f"{version.rpartition('/')[0]}/$LATEST"
    for config, message in [
        ({"itemExplorationConfig": {"explorationWeight": "2"}}, "from 0 to 1"),
        ({"itemExplorationConfig": {"explorationItemAgeCutOff": "0"}}, "above 0"),
        ({"itemExplorationConfig": {"weight": "0"}}, "has no weight"),
        ({"rankingInfluence": {"POPULARITY": 0.5}}, "aws-semantic-similarity"),
    ]:
        with pytest.raises(InvalidInputException, match=message):
            call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)
    with pytest.raises(InvalidInputException, match="syncWithLatestSolutionVersion"):
        call("CreateCampaign", account, name="c", solution_version_arn=latest)
    config = {"itemExplorationConfig": {"explorationItemAgeCutoff": "7", "exploration_weight": "0.5"}}
    arn = call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)["campaignArn"]
    assert call("DescribeCampaign", account, campaign_arn=arn)["campaign"]["campaignConfig"] == config
    call("UpdateCampaign", account, campaign_arn=arn, min_provisioned_tps=3)
    told = call("DescribeCampaign", account, campaign_arn=arn)["campaign"]
    assert told["minProvisionedTPS"] == told["latestCampaignUpdate"]["minProvisionedTPS"] == 3
    assert told["campaignConfig"] == config


def test_requests_are_held_to_the_rules(account, run_jobs, group):
    version = trained(account, run_jobs, group, "aws-sims", name="s")
    arn = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    for params, message in [
        ({}, "exactly one"),
        ({"campaign_arn": arn}, "itemId is missing"),
        ({"campaign_arn": arn, "item_id": "i1", "num_results": 501}, "0 to 500"),
        ({"campaign_arn": arn, "item_id": "i1", "metadata_columns": {"ITEMS": ["TITLE"]}}, "enableMetadata"),
        ({"campaign_arn": arn, "item_id": "i1", "promotions": [{"name": "p"}]}, "lacks its filterArn"),
    ]:
        with pytest.raises(InvalidInputException, match=message):
            call("GetRecommendations", account, **params)
    with pytest.raises(InvalidInputException, match="PERSONALIZED_RANKING"):
        call("GetPersonalizedRanking", account, campaign_arn=arn, user_id="u", input_list=["i1"])
    assert call("GetRecommendations", account, campaign_arn=arn, item_id="i1", num_results=0)["itemList"] == []
    assert len(call("GetRecommendations", account, campaign_arn=arn, item_id="unknown")["itemList"]) == 25


def test_cold_start_settings_are_taken_in_either_map(account, group):
    given = {"cold_start_max_interactions": "20", "cold_start_relative_from": "currentTime"}
    for member in ("algorithmHyperParameters", "featureTransformationParameters"):
        arn = solution(account, group, member, "aws-hrnn-coldstart", solution_config={member: given})
        assert call("DescribeSolution", account, solution_arn=arn)["solution"]["solutionConfig"] == {member: given}
    arn = "arn:aws:personalize:::feature-transformation/featurize_coldstart"
    told = call("DescribeFeatureTransformation", account, feature_transformation_arn=arn)["featureTransformation"]
    assert told["defaultParameters"]["cold_start_max_interactions"] == "15"


def test_too_little_data_is_said(account, run_jobs):
    trained(account, run_jobs, films(account, "few", users=20, each=60), "aws-sims")
    row = SolutionVersion.objects.get()
    assert row.status == "CREATE FAILED"
    assert row.failure_reason.startswith("Create failed. Dataset has fewer than 25 users with at least 2 interactions")


def test_events_are_chosen(account, run_jobs, group):
    trained(account, run_jobs, group, "aws-sims", event_type="watch")
    row = SolutionVersion.objects.get()
    assert "fewer than 1000 interactions after filtering by event type: watch" in row.failure_reason
    trained(account, run_jobs, group, "aws-sims", name="clicks", event_type="click")
    row = SolutionVersion.objects.first()
    assert row.status == "ACTIVE", row.traceback
    assert row.report["counts"]["events_left_out"] > 0


def test_what_is_due_is_trained(account, run_jobs, group):
    solution(account, group, name="auto")
    solution(account, group, name="manual", perform_auto_training=False)
    now = timezone.now()
    assert trainings.queue_due(now) == 0  # the first hour is left to people
    assert trainings.queue_due(now + timedelta(hours=2)) == 1
    run_jobs()
    row = SolutionVersion.objects.get()
    assert (row.solution.name, row.training_type, row.status) == ("auto", "AUTOMATIC", "ACTIVE")
    assert trainings.queue_due(now + timedelta(days=8)) == 0  # nothing new to learn
    group.datasets.filter(type="INTERACTIONS").update(revision=2)
    assert trainings.queue_due(now + timedelta(days=6)) == 0
    assert trainings.queue_due(now + timedelta(days=8)) == 1


@pytest.mark.parametrize(
    "name", ["DescribeSolution", "DescribeCampaign", "GetSolutionMetrics", "CreateCampaign", "GetRecommendations"]
)
def test_others_see_nothing(account, other_account, run_jobs, group, name):
    version = trained(account, run_jobs, group, "aws-sims", name="s")
    call("CreateCampaign", account, name="c", solution_version_arn=version)
    params = {
        "DescribeSolution": {"solution_arn": version.rpartition("/")[0]},
        "DescribeCampaign": {"campaign_arn": Campaign.objects.get().arn},
        "GetSolutionMetrics": {"solution_version_arn": version},
        "CreateCampaign": {"name": "mine", "solution_version_arn": version},
        "GetRecommendations": {"campaign_arn": Campaign.objects.get().arn, "item_id": "i1"},
    }[name]
    with pytest.raises(ResourceNotFoundException):
        OPERATIONS[name](other_account, **params)


def test_lists_take_a_constant_number_of_queries(account, run_jobs, group, django_assert_max_num_queries):
    for name in ("a", "b", "c"):
        version = trained(account, run_jobs, group, "aws-popularity-count", name=name)
        call("CreateCampaign", account, name=name, solution_version_arn=version)
        call(
            "CreateBatchInferenceJob", account, job_name=name, solution_version_arn=version, role_arn="arn:aws:iam::000000000000:role/r",
            job_input={"s3DataSource": {"path": "s3://b/in/"}}, job_output={"s3DataDestination": {"path": "s3://b/out/"}},
        )  # fmt: skip
    for name in (
        "ListSolutions",
        "ListSolutionVersions",
        "ListCampaigns",
        "ListBatchInferenceJobs",
        "ListRecommenders",
    ):
        with django_assert_max_num_queries(2):
            told = call(name, account)
        assert name == "ListRecommenders" or len(next(iter(told.values()))) == 3
