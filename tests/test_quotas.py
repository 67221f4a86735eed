"""Quotas: what is in force by default, what QUOTAS=aws changes, and that operations and jobs are held to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.errors import InvalidInputException, LimitExceededException
from console.quotas import AWS, HIGHER, mistakes, quotas
from tests.factories import call, make_filter, put_lines, start_batch, trained
from tests.worlds import films

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
SOLUTION = {"recipe_arn": "arn:aws:personalize:::recipe/aws-sims", "perform_auto_training": False}


@pytest.fixture
def limit(settings):
    def set_to(**values):
        settings.QUOTAS = settings.QUOTAS | values

    return set_to


def test_aws_where_nobody_is_hurt_and_higher_elsewhere():
    found = quotas({})
    assert {name for name in AWS if found[name] != AWS[name]} == set(HIGHER)
    assert (found["FILTERS_PER_GROUP"], found["TAGS_PER_RESOURCE"], found["DATASET_GROUPS"]) == (30, 50, 500)


def test_one_variable_puts_all_of_aws_in_force_and_each_can_be_overridden():
    assert quotas({"QUOTAS": "aws"}) == AWS
    assert quotas({"QUOTAS": "AWS", "QUOTA_DATASET_GROUPS": "7"}) == AWS | {"DATASET_GROUPS": 7}
    assert quotas({"QUOTA_FILTERS_PER_GROUP": "0"})["FILTERS_PER_GROUP"] == 0


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"QUOTAS": "azure"}, "QUOTAS is 'azure'; allowed is aws"),
        ({"QUOTA_FILTER": "3"}, "QUOTA_FILTER names no quota; there are ATTRIBUTE_QUERIES_PER_FILE"),
        ({"QUOTA_SCHEMAS": "many"}, "QUOTA_SCHEMAS is 'many'; allowed is a whole number"),
        ({"QUOTA_SCHEMAS": "-1"}, "QUOTA_SCHEMAS is '-1'"),
    ],
)
def test_mistakes_are_named(environment, told):
    assert [told in mistake for mistake in mistakes(environment)] == [True]
    assert quotas(environment) == quotas({})


def test_the_page_lists_every_quota():
    rows = dict(re.findall(r"^\| `QUOTA_(\w+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE))
    told = {name: tuple(int(n.replace(",", "")) for n in cell.split(" / ")) for name, cell in rows.items()}
    assert told == {name: (AWS[name], HIGHER[name]) if name in HIGHER else (AWS[name],) for name in AWS}


def test_a_filter_and_the_filters_of_a_group_have_so_many_fields(account, limit):
    group = films(account)
    limit(FIELDS_PER_FILTER=1)
    one, two = 'INCLUDE ItemID WHERE Items.GENRES IN ("x")', 'INCLUDE ItemID WHERE Items.TITLE IN ("x")'
    with pytest.raises(LimitExceededException, match="The filter uses 2 distinct fields, at most 1 are allowed"):
        make_filter(account, group.arn, f"{one} | {two}")
    limit(FIELDS_OF_FILTERS_PER_GROUP=1)
    make_filter(account, group.arn, one)
    with pytest.raises(LimitExceededException, match="would use 2 distinct fields, at most 1 are allowed"):
        make_filter(account, group.arn, two, name="other")


def test_jobs_that_wait_are_counted_with_aws_words(account, limit):
    group = films(account)
    arn = call("CreateSolution", account, name="s", dataset_group_arn=group.arn, **SOLUTION)["solutionArn"]
    limit(PENDING_SOLUTION_VERSIONS=1)
    call("CreateSolutionVersion", account, solution_arn=arn)
    told = "More than 1 resources with PENDING or IN_PROGRESS status."
    with pytest.raises(LimitExceededException, match=told):
        call("CreateSolutionVersion", account, solution_arn=arn)


def test_campaigns_are_counted_with_aws_words(account, run_jobs, limit):
    version = trained(account, run_jobs, films(account), "aws-sims")
    limit(CAMPAIGNS_PER_GROUP=1)
    call("CreateCampaign", account, name="one", solution_version_arn=version)
    told = "Cannot create a campaign in dataset group films. More than 1 resources in ACTIVE state. Please delete some"
    with pytest.raises(LimitExceededException, match=told):
        call("CreateCampaign", account, name="two", solution_version_arn=version)


def test_a_training_takes_so_many_event_types_and_columns(account, run_jobs, limit):
    limit(EVENT_TYPES_AND_COLUMNS=0)
    trained(account, run_jobs, films(account), "aws-sims")
    found = call("ListSolutionVersions", account)["solutionVersions"][0]
    assert "Dataset has more than 0 event types and metadata columns of interactions together" in found["failureReason"]


def test_a_request_names_so_many_columns(account, run_jobs, limit):
    version = trained(account, run_jobs, films(account), "aws-sims")
    config = {"enableMetadataWithRecommendations": True}
    arn = call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)["campaignArn"]
    limit(METADATA_COLUMNS_PER_REQUEST=1)
    ask = {"campaign_arn": arn, "item_id": "i1", "metadata_columns": {"ITEMS": ["TITLE", "GENRES"]}}
    with pytest.raises(InvalidInputException, match="names 2 columns of ITEMS, allowed is 1 to 1"):
        call("GetRecommendations", account, **ask)


@pytest.mark.parametrize(
    ("quota", "most", "told"),
    [
        ("BATCH_FILES", 0, "has 1 files, at most 0 are allowed"),
        ("BATCH_FILE_GB", 0, "bytes, at most 0 are allowed in one file"),
        ("BATCH_FILE_RECORDS", 2, "has more than 2 queries, which is the most in one file"),
    ],
)
def test_a_batch_job_reads_so_much(account, run_jobs, limit, quota, most, told):
    version = trained(account, run_jobs, films(account), "aws-sims")
    limit(**{quota: most})
    row = start_batch(account, version, "b", put_lines("in.json", [{"itemId": "i1"}] * 3))
    run_jobs()
    row.refresh_from_db()
    assert (row.status, told in row.failure_reason) == ("CREATE FAILED", True), row.failure_reason
