"""Dataset groups: made, found, listed in pages, deleted only when empty."""

from __future__ import annotations

import pytest

from console.errors import (
    InvalidInputException,
    InvalidNextTokenException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import DatasetGroup
from console.operations.data import dataset_groups as operations
from console.operations.data import event_trackers
from console.operations.serving import filters
from tests.operations.worlds import dataset


def test_it_works(account):
    made = operations.create_dataset_group(account, name="films", domain="VIDEO_ON_DEMAND")
    assert made == {
        "datasetGroupArn": "arn:aws:personalize:us-east-1:000000000001:dataset-group/films",
        "domain": "VIDEO_ON_DEMAND",
    }
    described = operations.describe_dataset_group(account, dataset_group_arn=made["datasetGroupArn"])["datasetGroup"]
    assert (described["name"], described["status"], described["domain"]) == ("films", "ACTIVE", "VIDEO_ON_DEMAND")
    operations.delete_dataset_group(account, dataset_group_arn=made["datasetGroupArn"])
    with pytest.raises(ResourceNotFoundException):
        operations.describe_dataset_group(account, dataset_group_arn=made["datasetGroupArn"])


def test_a_role_needs_a_key(account):
    role = "arn:aws:iam::000000000001:role/r"
    with pytest.raises(InvalidInputException, match="kmsKeyArn"):
        operations.create_dataset_group(account, name="films", role_arn=role)
    key = "arn:aws:kms:us-east-1:000000000001:key/1"
    made = operations.create_dataset_group(account, name="films", role_arn=role, kms_key_arn=key)
    group = operations.describe_dataset_group(account, dataset_group_arn=made["datasetGroupArn"])["datasetGroup"]
    assert (group["roleArn"], group["kmsKeyArn"]) == (role, key)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 64, "ä"])
def test_it_rejects_bad_names(account, name):
    with pytest.raises(InvalidInputException) as caught:
        operations.create_dataset_group(account, name=name)
    assert caught.value.field == "name"


def test_a_name_is_taken_once_in_each_account(account, other_account):
    operations.create_dataset_group(account, name="films")
    with pytest.raises(ResourceAlreadyExistsException, match="dataset-group/films already exists"):
        operations.create_dataset_group(account, name="films")
    operations.create_dataset_group(other_account, name="films")


def test_there_is_a_quota(account, settings):
    settings.QUOTAS = settings.QUOTAS | {"DATASET_GROUPS": 1}
    operations.create_dataset_group(account, name="films")
    with pytest.raises(
        LimitExceededException, match=r"Cannot create a dataset group. More than 1 resources in ACTIVE state"
    ):
        operations.create_dataset_group(account, name="books")


def test_it_lists_in_pages_newest_first(account, other_account):
    for name in "abcde":
        operations.create_dataset_group(account, name=name)
    operations.create_dataset_group(other_account, name="z")
    names, token = [], None
    while True:
        found = operations.list_dataset_groups(account, max_results=2, next_token=token)
        names += [group["name"] for group in found["datasetGroups"]]
        token = found.get("nextToken")
        if token is None:
            break
    assert names == list("edcba")


@pytest.mark.parametrize("token", ["x", "eyJhIjoxfQ==", "W10="])
def test_it_rejects_tokens_that_are_not_its_own(account, token):
    with pytest.raises(InvalidNextTokenException):
        operations.list_dataset_groups(account, next_token=token)


def test_it_says_what_is_in_the_way_of_deleting(account):
    table = dataset(account, "INTERACTIONS")
    arn = table.dataset_group.arn
    event_trackers.create_event_tracker(account, name="live", dataset_group_arn=arn)
    filters.create_filter(
        account,
        name="unseen",
        dataset_group_arn=arn,
        filter_expression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("x")',
    )
    with pytest.raises(ResourceInUseException) as caught:
        operations.delete_dataset_group(account, dataset_group_arn=arn)
    for part in ("1 dataset (films-interactions)", "1 event tracker (live)", "1 filter (unseen)"):
        assert part in str(caught.value)
    assert DatasetGroup.objects.count() == 1


def test_another_account_sees_nothing(account, other_account):
    arn = operations.create_dataset_group(account, name="films")["datasetGroupArn"]
    for call in (operations.describe_dataset_group, operations.delete_dataset_group):
        with pytest.raises(ResourceNotFoundException):
            call(other_account, dataset_group_arn=arn)
    assert operations.list_dataset_groups(other_account)["datasetGroups"] == []
