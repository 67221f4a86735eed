"""Dataset export jobs: a dataset's rows as CSV below a location."""

from __future__ import annotations

from collections.abc import Sequence

from console.models import Account, DatasetExportJob
from console.models.base import JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, operation, page
from console.operations.data.datasets import find_dataset
from console.operations.queueing import must_be_active, queue
from console.tenancy import output_for


@operation
def create_dataset_export_job(
    account: Account,
    *,
    job_name: str,
    dataset_arn: str,
    role_arn: str,
    job_output: JSONDict,
    ingestion_mode: str = "PUT",
    tags: Sequence[JSONDict] | None = None,
) -> JSONDict:
    """Queue an export of bulk rows, of rows put one by one (as AWS does unless asked otherwise), or of all."""
    dataset = find_dataset(account, dataset_arn)
    output_for(account, job_output["s3DataDestination"]["path"], field="jobOutput")
    must_be_active(dataset, f"Dataset {dataset.arn}", field="datasetArn")
    job = DatasetExportJob(
        account=account,
        name=job_name,
        dataset=dataset,
        ingestion_mode=ingestion_mode,
        role_arn=role_arn,
        job_output=job_output,
        tags=tag_map(tags),
    )
    queue(job, "PENDING_EXPORT_JOBS")
    return job.wire()


@operation
def describe_dataset_export_job(account: Account, *, dataset_export_job_arn: str) -> JSONDict:
    """An export job in full."""
    rows = DatasetExportJob.objects.select_related("account", "dataset__dataset_group__account")
    return {"datasetExportJob": rows.by_arn(account, dataset_export_job_arn, field="datasetExportJobArn").wire()}


@operation
def list_dataset_export_jobs(
    account: Account, *, dataset_arn: str | None = None, next_token: str | None = None, max_results: int = DEFAULT_PAGE
) -> JSONDict:
    """The account's export jobs, or one dataset's, newest first."""
    rows = DatasetExportJob.objects.for_account(account).select_related("account", "dataset__dataset_group__account")
    if dataset_arn:
        rows = rows.filter(dataset=find_dataset(account, dataset_arn))
    return page("ListDatasetExportJobs", rows, "datasetExportJobs", next_token, max_results)
