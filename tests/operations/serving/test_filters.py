"""Filters: checked against the group's schemas when made."""

from __future__ import annotations

import pytest

from console.errors import (
    InvalidInputException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import BatchInferenceJob, Filter, Solution, SolutionVersion
from console.operations.serving import filters as operations
from tests.factories import make_filter
from tests.operations.worlds import dataset, group

COMEDY = 'INCLUDE ItemID WHERE Items.GENRES IN ("Comedy")'


@pytest.fixture
def arn(account):
    for kind in ("INTERACTIONS", "ITEMS", "USERS"):
        dataset(account, kind)
    return group(account).arn


def test_it_works(account, arn):
    filter_arn = make_filter(account, arn)
    described = operations.describe_filter(account, filter_arn=filter_arn)["filter"]
    assert (described["filterExpression"], described["status"]) == (COMEDY, "ACTIVE")
    assert [found["name"] for found in operations.list_filters(account, dataset_group_arn=arn)["Filters"]] == ["comedy"]
    operations.delete_filter(account, filter_arn=filter_arn)
    assert operations.list_filters(account)["Filters"] == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("INCLUDE WHERE x", "Column"),
        ('INCLUDE ItemID WHERE Items.COLOR IN ("red")', "COLOR"),
        ("INCLUDE ItemID WHERE Items.GENRES NOT IN ($G)", "NOT"),
        ('INCLUDE ItemID WHERE Items.PLOT IN ("x")', "textual"),
        ('INCLUDE ItemID WHERE Items.GENRES < "x"', "expects a number"),
        ('INCLUDE ActionID WHERE Actions.TYPE IN ("x")', "ACTIONS"),
    ],
)
def test_it_rejects_expressions_that_cannot_work(account, arn, expression, message):
    with pytest.raises(InvalidInputException, match=message) as caught:
        make_filter(account, arn, expression)
    assert caught.value.field == "filterExpression"
    assert not Filter.objects.exists()


def test_a_name_is_taken_once(account, arn):
    make_filter(account, arn)
    with pytest.raises(ResourceAlreadyExistsException):
        make_filter(account, arn)


def test_there_is_a_quota(account, arn, settings):
    settings.QUOTAS = settings.QUOTAS | {"FILTERS_PER_GROUP": 1}
    make_filter(account, arn)
    with pytest.raises(LimitExceededException):
        make_filter(account, arn, name="other")


def test_a_batch_job_under_way_keeps_its_filter(account, arn):
    filter_arn = make_filter(account, arn)
    solution = Solution.objects.create(account=account, name="s", dataset_group=group(account), recipe="aws-sims")
    version = SolutionVersion.objects.create(account=account, solution=solution, identifier="12345678")
    job = BatchInferenceJob.objects.create(
        account=account,
        name="nightly",
        solution_version=version,
        filter=Filter.objects.get(),
        job_input={},
        job_output={},
    )
    with pytest.raises(ResourceInUseException, match="nightly"):
        operations.delete_filter(account, filter_arn=filter_arn)
    BatchInferenceJob.objects.filter(pk=job.pk).update(status="ACTIVE")
    operations.delete_filter(account, filter_arn=filter_arn)


def test_another_account_sees_nothing(account, other_account, arn):
    filter_arn = make_filter(account, arn)
    for call in (operations.describe_filter, operations.delete_filter):
        with pytest.raises(ResourceNotFoundException):
            call(other_account, filter_arn=filter_arn)
    with pytest.raises(ResourceNotFoundException):
        make_filter(other_account, arn)
