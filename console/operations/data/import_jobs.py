"""Dataset import jobs: CSV of a location into a dataset, replacing its bulk rows or adding to them."""

from __future__ import annotations

from collections.abc import Sequence

from console import notices, storage
from console.errors import InvalidInputException, JobError
from console.ingest.sources import refuse_subfolders
from console.models import Account, Dataset, DatasetImportJob
from console.models.base import UNFINISHED, JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, operation, page
from console.operations.data.datasets import find_dataset
from console.operations.queueing import must_be_active, queue
from console.tenancy import location_for


@operation
def create_dataset_import_job(
    account: Account,
    *,
    job_name: str,
    dataset_arn: str,
    data_source: JSONDict,
    role_arn: str | None = None,
    tags: Sequence[JSONDict] | None = None,
    import_mode: str = "FULL",
    publish_attribution_metrics_to_s3: bool = False,
) -> JSONDict:
    """Queue an import. Role and attribution flag are recorded."""
    dataset = find_dataset(account, dataset_arn)
    job = DatasetImportJob(
        account=account,
        name=job_name,
        dataset=dataset,
        data_location=data_source.get("dataLocation", ""),
        role_arn=role_arn,
        tags=tag_map(tags),
        import_mode=import_mode,
        publish_attribution_metrics=publish_attribution_metrics_to_s3,
    )
    start_import(job)
    return job.wire()


@operation
def describe_dataset_import_job(account: Account, *, dataset_import_job_arn: str) -> JSONDict:
    """An import job in full; what to know of how it was read is noted beside it."""
    job = find_import_job(account, dataset_import_job_arn)
    notices.note(job.report.get("warnings", []))
    return {"datasetImportJob": job.wire()}


@operation
def list_dataset_import_jobs(
    account: Account, *, dataset_arn: str | None = None, next_token: str | None = None, max_results: int = DEFAULT_PAGE
) -> JSONDict:
    """The account's import jobs, or one dataset's, newest first."""
    rows = DatasetImportJob.objects.for_account(account).select_related("account", "dataset__dataset_group__account")
    if dataset_arn:
        rows = rows.filter(dataset=find_dataset(account, dataset_arn))
    return page("ListDatasetImportJobs", rows, "datasetImportJobs", next_token, max_results)


def start_import(job: DatasetImportJob) -> None:
    """Check, write and queue a new import job.

    Raises:
        InvalidInputException: the location is not allowed or holds nothing, or there is nothing to add to.
        ResourceInUseException: the dataset is not ACTIVE.
    """
    dataset = job.dataset
    must_be_active(dataset, f"Dataset {dataset.arn}", field="datasetArn")
    check_source(job.account, job.data_location)
    if job.import_mode == "INCREMENTAL" and not _will_have_rows(dataset):
        raise InvalidInputException(
            f"importMode is INCREMENTAL, but dataset {dataset.arn} has had no bulk import yet; import with FULL first.",
            field="importMode",
        )
    queue(job, "PENDING_IMPORT_JOBS")


def check_source(account: Account, url: str) -> None:
    """Hold a location to read from to the buckets, and see that something is there.

    Raises:
        InvalidInputException: it is not allowed, or nothing is there.
    """
    location = location_for(account, url, field="dataSource")
    try:
        found = bool(storage.list_objects(location))
        if not found:
            refuse_subfolders(location)
    except JobError as error:
        raise InvalidInputException(str(error), field="dataSource") from error
    if not found:
        raise InvalidInputException(
            f"There is no object at {location}."
            + ("" if location.is_folder else " A folder's location ends with a slash."),
            field="dataSource",
        )


def find_import_job(account: Account, arn: str) -> DatasetImportJob:
    """The job an operation names by `datasetImportJobArn`."""
    rows = DatasetImportJob.objects.select_related("account", "dataset__dataset_group__account")
    found: DatasetImportJob = rows.by_arn(account, arn, field="datasetImportJobArn")
    return found


def _will_have_rows(dataset: Dataset) -> bool:
    """Whether bulk rows are there, or a full import before this one will bring them."""
    return bool(dataset.parts) or dataset.import_jobs.filter(status__in=UNFINISHED, import_mode="FULL").exists()
