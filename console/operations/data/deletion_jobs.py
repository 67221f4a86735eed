"""Data deletion jobs: users that must be forgotten everywhere in a group."""

from __future__ import annotations

from collections.abc import Sequence

from console import storage
from console.errors import InvalidInputException, JobError
from console.models import Account, DataDeletionJob
from console.models.base import JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, operation, page
from console.operations.data.dataset_groups import find_group
from console.operations.queueing import must_be_active, queue
from console.tenancy import location_for


@operation
def create_data_deletion_job(
    account: Account,
    *,
    job_name: str,
    dataset_group_arn: str,
    data_source: JSONDict,
    role_arn: str,
    tags: Sequence[JSONDict] | None = None,
) -> JSONDict:
    """Queue the removal of the users that the CSV files of a location list."""
    group = find_group(account, dataset_group_arn)
    must_be_active(group, f"Dataset group {group.name}", field="datasetGroupArn")
    url = data_source.get("dataLocation", "")
    _check_source(account, url)
    job = DataDeletionJob(
        account=account,
        name=job_name,
        status=DataDeletionJob.waiting,
        dataset_group=group,
        data_location=url,
        role_arn=role_arn,
        tags=tag_map(tags),
    )
    queue(job, "PENDING_DELETION_JOBS")
    return job.wire()


@operation
def describe_data_deletion_job(account: Account, *, data_deletion_job_arn: str) -> JSONDict:
    """A deletion job in full."""
    rows = DataDeletionJob.objects.select_related("account", "dataset_group__account")
    return {"dataDeletionJob": rows.by_arn(account, data_deletion_job_arn, field="dataDeletionJobArn").wire()}


@operation
def list_data_deletion_jobs(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The account's deletion jobs, or one group's, newest first."""
    rows = DataDeletionJob.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListDataDeletionJobs", rows, "dataDeletionJobs", next_token, max_results)


def _check_source(account: Account, url: str) -> None:
    """Unlike imports, deletions read sub-folders too."""
    location = location_for(account, url, field="dataSource")
    try:
        found = storage.list_objects(location, recursive=True)
    except JobError as error:
        raise InvalidInputException(str(error), field="dataSource") from error
    if not found:
        raise InvalidInputException(f"There is no object at {location}.", field="dataSource")
