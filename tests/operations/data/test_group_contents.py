"""A dataset group goes with all that is in it, or stays whole."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import (
    Campaign,
    Dataset,
    DatasetGroup,
    Event,
    EventTracker,
    Experiment,
    Filter,
    Schema,
    Solution,
    SolutionVersion,
)
from tests.factories import call, make_version
from tests.worlds import films


@pytest.fixture
def group(account):
    """A group with an experiment that runs on a campaign, a filter, a tracker and events."""
    found = films(account)
    versions = [make_version(found, f"aws-{name}") for name in ("popularity-count", "trending-now")]
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=versions[0])["campaignArn"]
    call("CreateExperiment", account, name="e", campaign_arn=campaign, treatment_version_arn=versions[1])
    call(
        "CreateFilter",
        account,
        name="f",
        dataset_group_arn=found.arn,
        filter_expression="INCLUDE ItemID WHERE Items.PRICE > 1",
    )
    call("CreateEventTracker", account, name="t", dataset_group_arn=found.arn)
    Event.objects.create(
        dataset_group=found, event_id="1", user_id="u", session_id="s", item_id="i1", event_type="watch", timestamp=1
    )
    return found


def test_all_goes_and_schemas_stay(account, group):
    other = films(account, "other")
    told = call("DeleteDatasetGroupContents", account, dataset_group_arn=group.arn, confirmation="films")["deleted"]
    assert {one["type"]: one["count"] for one in told} == {
        "Campaign": 1, "Solution": 2, "Filter": 1, "EventTracker": 1, "Dataset": 3
    }  # fmt: skip
    for model in (Campaign, Experiment, Solution, Filter, EventTracker, Event):
        assert not model.objects.exists(), model
    assert list(DatasetGroup.objects.all()) == [other]
    assert Dataset.objects.count() == 3
    assert Schema.objects.count() == 6


def test_nothing_goes_without_the_name(account, group):
    with pytest.raises(InvalidInputException, match="type the name of the group, films"):
        call("DeleteDatasetGroupContents", account, dataset_group_arn=group.arn, confirmation="film")
    assert Campaign.objects.exists()


def test_what_a_job_works_on_keeps_everything(account, group):
    SolutionVersion.objects.filter(solution__recipe="aws-trending-now").update(status="CREATE IN_PROGRESS")
    with pytest.raises(ResourceInUseException):
        call("DeleteDatasetGroupContents", account, dataset_group_arn=group.arn, confirmation="films")
    assert Experiment.objects.get().is_running
    assert Dataset.objects.count() == 3


def test_nobody_deletes_anothers(other_account, group):
    with pytest.raises(ResourceNotFoundException):
        call("DeleteDatasetGroupContents", other_account, dataset_group_arn=group.arn, confirmation="films")
