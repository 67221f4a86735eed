"""The ARN of another kind of resource than the one wanted: still not found, but told what it names and what is wanted."""

from __future__ import annotations

import pytest

from console.errors import ResourceNotFoundException
from console.models import SolutionVersion
from tests.factories import RECIPE, call
from tests.worlds import films


@pytest.fixture
def solution(account):
    group = films(account)
    return call(
        "CreateSolution", account, name="liked", dataset_group_arn=group.arn, recipe_arn=RECIPE + "aws-popularity-count",
        perform_auto_training=False,
    )["solutionArn"]  # fmt: skip


def said(operation, account, **params):
    with pytest.raises(ResourceNotFoundException) as caught:
        call(operation, account, **params)
    return str(caught.value)


def test_a_solution_where_a_version_is_wanted_names_the_newest(account, solution):
    told = said("CreateCampaign", account, name="c", solution_version_arn=solution)
    assert told.endswith("a solution without versions; CreateSolutionVersion makes the one that is wanted.")
    version = call("CreateSolutionVersion", account, solution_arn=solution)["solutionVersionArn"]
    told = said("DescribeSolutionVersion", account, solution_version_arn=solution)
    assert told == (
        f"Resource Arn {solution} does not exist. It names a solution; a solutionVersionArn is wanted, such as that of its "
        f"newest version, {version}."
    )
    served = call("CreateSolutionVersion", account, solution_arn=solution)["solutionVersionArn"]
    SolutionVersion.objects.filter(identifier=served[-8:]).update(status="CREATE FAILED")
    SolutionVersion.objects.filter(identifier=version[-8:]).update(status="ACTIVE")
    assert version in said("CreateCampaign", account, name="c", solution_version_arn=solution)


def test_a_version_where_a_solution_is_wanted_names_the_solution(account, solution):
    version = call("CreateSolutionVersion", account, solution_arn=solution)["solutionVersionArn"]
    told = said("DescribeSolution", account, solution_arn=version)
    assert told == f"Resource Arn {version} does not exist. It names a solution version; its solution is {solution}."
    assert solution in said("CreateSolutionVersion", account, solution_arn=f"{solution}/$LATEST")


@pytest.mark.parametrize(
    ("operation", "params", "wanted"),
    [
        ("DescribeCampaign", {"campaign_arn": None}, "a campaign"),
        ("GetRecommendations", {"campaign_arn": None, "user_id": "u"}, "a campaign"),
        ("DescribeFilter", {"filter_arn": None}, "a filter"),
        ("DescribeEventTracker", {"event_tracker_arn": None}, "an event tracker"),
        ("ListSolutions", {"dataset_group_arn": None}, "a dataset group"),
    ],
)
def test_any_other_kind_is_told(account, solution, operation, params, wanted):
    told = said(operation, account, **{name: value or solution for name, value in params.items()})
    assert told == f"Resource Arn {solution} does not exist. It names a solution; {wanted} is wanted."


def test_nothing_is_told_of_other_accounts(account, other_account, solution):
    """Whose an ARN is stands in it; whether there is such a thing is not told."""
    hint = f"It is of the account {account.number}; the one that asks is {other_account.number}."
    for arn in (solution, f"{solution}-that-is-none"):
        told = said("CreateCampaign", other_account, name="c", solution_version_arn=arn)
        assert told == f"Resource Arn {arn} does not exist. {hint}"
