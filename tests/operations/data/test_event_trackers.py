"""Event trackers: one for each group."""

from __future__ import annotations

import re
import uuid

import pytest

from console.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from console.operations.data import event_trackers as operations
from tests.operations.worlds import group


@pytest.fixture
def tracker(account):
    return operations.create_event_tracker(account, name="live", dataset_group_arn=group(account).arn)


def test_it_works(account, tracker):
    assert re.fullmatch(
        r"arn:aws:personalize:us-east-1:000000000001:event-tracker/[0-9a-f]{8}", tracker["eventTrackerArn"]
    )
    assert uuid.UUID(tracker["trackingId"])
    arn = tracker["eventTrackerArn"]
    described = operations.describe_event_tracker(account, event_tracker_arn=arn)["eventTracker"]
    assert (described["name"], described["status"], described["accountId"]) == ("live", "ACTIVE", account.number)
    assert described["datasetGroupArn"] == group(account).arn
    operations.delete_event_tracker(account, event_tracker_arn=arn)
    with pytest.raises(ResourceNotFoundException):
        operations.describe_event_tracker(account, event_tracker_arn=arn)


def test_a_group_has_one(account, tracker):
    with pytest.raises(ResourceAlreadyExistsException, match="live"):
        operations.create_event_tracker(account, name="other", dataset_group_arn=group(account).arn)


def test_it_lists_those_of_a_group(account, other_account, tracker):
    operations.create_event_tracker(account, name="books", dataset_group_arn=group(account, "books").arn)
    of_group = operations.list_event_trackers(account, dataset_group_arn=group(account).arn)["eventTrackers"]
    assert [found["name"] for found in of_group] == ["live"]
    assert [found["name"] for found in operations.list_event_trackers(account)["eventTrackers"]] == ["books", "live"]
    assert operations.list_event_trackers(other_account)["eventTrackers"] == []
    with pytest.raises(ResourceNotFoundException):
        operations.list_event_trackers(other_account, dataset_group_arn=group(account).arn)


def test_another_account_sees_nothing(account, other_account, tracker):
    for call in (operations.describe_event_tracker, operations.delete_event_tracker):
        with pytest.raises(ResourceNotFoundException):
            call(other_account, event_tracker_arn=tracker["eventTrackerArn"])
    with pytest.raises(ResourceNotFoundException):
        operations.create_event_tracker(other_account, name="x", dataset_group_arn=group(account).arn)
