"""Dataset groups: the containers; empty ones can be deleted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, DatasetGroup
from console.models.base import UNFINISHED, JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, create, operation, page, within_quota

HELD = {
    "datasets": "dataset",
    "solutions": "solution",
    "recommenders": "recommender",
    "event_trackers": "event tracker",
    "filters": "filter",
}
SHOWN = 3


@operation
def create_dataset_group(
    account: Account,
    *,
    name: str,
    role_arn: str | None = None,
    kms_key_arn: str | None = None,
    domain: str | None = None,
    tags: Sequence[JSONDict] | None = None,
) -> JSONDict:
    """Make a group. It is ACTIVE at once; role and key are kept but not used, as data lie in your own storage."""
    if role_arn and not kms_key_arn:
        raise InvalidInputException("roleArn is only allowed together with kmsKeyArn.", field="roleArn")
    within_quota("DATASET_GROUPS", DatasetGroup.objects.for_account(account), "a dataset group")
    group = DatasetGroup(
        account=account, name=name, domain=domain, role_arn=role_arn, kms_key_arn=kms_key_arn, tags=tag_map(tags)
    )
    create(group)
    return group.wire()


@operation
def describe_dataset_group(account: Account, *, dataset_group_arn: str) -> JSONDict:
    """A group in full."""
    return {"datasetGroup": find_group(account, dataset_group_arn).wire()}


@operation
def list_dataset_groups(
    account: Account, *, next_token: str | None = None, max_results: int = DEFAULT_PAGE
) -> JSONDict:
    """The account's groups, newest first."""
    rows = DatasetGroup.objects.for_account(account).select_related("account")
    return page("ListDatasetGroups", rows, "datasetGroups", next_token, max_results)


@operation
def delete_dataset_group(account: Account, *, dataset_group_arn: str) -> None:
    """Delete an empty group, with its streamed events and the records of past jobs.

    Raises:
        ResourceInUseException: it still holds something; says what, and so what to delete first.
    """
    group = find_group(account, dataset_group_arn)
    if held := _held_by(group):
        raise ResourceInUseException(
            f"Dataset group {group.name} still holds {', '.join(held)}. Delete these first.", field="datasetGroupArn"
        )
    group.delete()


def find_group(account: Account, arn: str) -> DatasetGroup:
    """The group an operation names by `datasetGroupArn`."""
    found: DatasetGroup = DatasetGroup.objects.select_related("account").by_arn(account, arn, field="datasetGroupArn")
    return found


def _held_by(group: DatasetGroup) -> list[str]:
    held = [_counted(getattr(group, related).all(), what) for related, what in HELD.items()]
    if hasattr(group, "metric_attribution"):
        held.append(f"metric attribution {group.metric_attribution.name}")
    if group.deletion_jobs.filter(status__in=UNFINISHED).exists():
        held.append("a data deletion job that has not ended")
    return [words for words in held if words]


def _counted(rows: models.QuerySet[models.Model], what: str) -> str:
    """`2 datasets (films, users)`, or nothing when there are none."""
    count = rows.count()
    if not count:
        return ""
    names = ", ".join(str(row) for row in rows[:SHOWN]) + (", …" if count > SHOWN else "")
    return f"{count} {what}{'s' if count > 1 else ''} ({names})"
