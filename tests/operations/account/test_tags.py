"""Tags: on whatever AWS lets one tag, at most 50."""

from __future__ import annotations

import pytest

from console.errors import (
    InvalidInputException,
    ResourceNotFoundException,
    TooManyTagKeysException,
    TooManyTagsException,
)
from console.models import RESOURCES, Solution, SolutionVersion
from console.operations.account import tags as operations
from console.operations.data import dataset_groups
from tests.operations.worlds import group


def listed(account, arn):
    found = operations.list_tags_for_resource(account, resource_arn=arn)["tags"]
    return {tag["tagKey"]: tag["tagValue"] for tag in found}


def wire(**tags):
    return [{"tagKey": key, "tagValue": value} for key, value in tags.items()]


def test_it_works(account):
    arn = dataset_groups.create_dataset_group(account, name="films", tags=wire(team="a"))["datasetGroupArn"]
    assert listed(account, arn) == {"team": "a"}
    operations.tag_resource(account, resource_arn=arn, tags=wire(team="b", stage="test"))
    assert listed(account, arn) == {"stage": "test", "team": "b"}
    operations.untag_resource(account, resource_arn=arn, tag_keys=["team", "never-there"])
    assert listed(account, arn) == {"stage": "test"}


def test_versions_have_tags_of_their_own(account):
    solution = Solution.objects.create(account=account, name="s", dataset_group=group(account), recipe="aws-sims")
    version = SolutionVersion.objects.create(account=account, solution=solution, identifier="12345678")
    operations.tag_resource(account, resource_arn=version.arn, tags=wire(kind="version"))
    assert (listed(account, version.arn), listed(account, solution.arn)) == ({"kind": "version"}, {})


@pytest.mark.parametrize("kind", sorted(RESOURCES))
def test_unknown_resources_of_every_kind_are_not_found(account, kind):
    arn = f"arn:aws:personalize:us-east-1:{account.number}:{kind}/nothing"
    with pytest.raises(ResourceNotFoundException):
        operations.list_tags_for_resource(account, resource_arn=arn)


def test_there_are_50_at_most(account):
    arn = group(account).arn
    operations.tag_resource(account, resource_arn=arn, tags=wire(**{f"k{n}": "v" for n in range(50)}))
    with pytest.raises(TooManyTagsException, match="51 tags"):
        operations.tag_resource(account, resource_arn=arn, tags=wire(other="v"))
    with pytest.raises(TooManyTagKeysException):
        operations.untag_resource(account, resource_arn=arn, tag_keys=[f"k{n}" for n in range(51)])
    with pytest.raises(TooManyTagsException):
        dataset_groups.create_dataset_group(account, name="x", tags=wire(**{f"k{n}": "v" for n in range(51)}))
    assert len(listed(account, arn)) == 50


@pytest.mark.parametrize("tags", [wire(**{"aws:x": "v"}), [*wire(a="1"), *wire(a="2")], wire(**{"a!": "v"}), wire(**{"": "v"})],
                         ids=["reserved", "twice", "pattern", "empty"])  # fmt: skip
def test_it_rejects_bad_tags(account, tags):
    with pytest.raises(InvalidInputException):
        operations.tag_resource(account, resource_arn=group(account).arn, tags=tags)


def test_another_account_sees_nothing(account, other_account):
    arn = group(account).arn
    with pytest.raises(ResourceNotFoundException):
        operations.list_tags_for_resource(other_account, resource_arn=arn)
    with pytest.raises(ResourceNotFoundException):
        operations.tag_resource(other_account, resource_arn=arn, tags=wire(a="1"))
