"""Data insights: an analysis of all the data of a group, as AWS's console offers it; its four actions are in no SDK."""

from __future__ import annotations

import secrets

from console.errors import ResourceInUseException
from console.models import Account, DataInsightsJob
from console.operations.base import DEFAULT_PAGE, operation, page
from console.operations.data.dataset_groups import find_group
from console.operations.queueing import must_be_active, queue
from console.shapes import JSONDict


@operation
def create_data_insights_job(account: Account, *, dataset_group_arn: str, job_name: str | None = None) -> JSONDict:
    """Queue an analysis of the group's datasets; a name is made up where none is given."""
    group = find_group(account, dataset_group_arn)
    must_be_active(group, f"Dataset group {group.name}", field="datasetGroupArn")
    job = DataInsightsJob(account=account, name=job_name or f"analysis-{secrets.token_hex(4)}", dataset_group=group)
    queue(job, "PENDING_IMPORT_JOBS")
    return job.wire()


@operation
def describe_data_insights_job(account: Account, *, data_insights_job_arn: str) -> JSONDict:
    """How far an analysis has come."""
    return {"dataInsightsJob": _find(account, data_insights_job_arn).wire()}


@operation
def list_data_insights_jobs(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The account's analyses, or one group's, newest first."""
    rows = DataInsightsJob.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListDataInsightsJobs", rows, "dataInsightsJobs", next_token, max_results)


@operation
def get_data_insights(account: Account, *, data_insights_job_arn: str) -> JSONDict:
    """What an analysis has found: warnings, the gravest first, and statistics of every dataset and column."""
    job = _find(account, data_insights_job_arn)
    if job.status != job.done:
        raise ResourceInUseException(
            f"The analysis {job.name} is {job.status}; it tells once it is ACTIVE.", field="dataInsightsJobArn"
        )
    return report_wire(job.report)


def report_wire(report: JSONDict) -> JSONDict:
    """A job's report by the names of the wire."""
    events = report.get("events")
    return {
        "insights": [
            {
                "code": insight["code"],
                "message": insight["message"],
                "datasetType": insight["dataset"],
                "column": insight["column"],
                "value": insight["value"],
                "isBlocking": insight["blocking"],
            }
            for insight in report.get("insights", ())
        ],
        "interactions": events and _interactions(events),
        "datasets": [_dataset(dataset) for dataset in report.get("datasets", {}).values()],
    }


def _interactions(events: JSONDict) -> JSONDict:
    return {
        "users": events["users"],
        "items": events["items"],
        "usersWithTwo": events["repeating_users"],
        "perUser": events["per_user"],
        "perItem": events["per_item"],
        "first": events["first"],
        "last": events["last"],
        "sameMomentShare": events["same_moment"],
        "itemsWithout": events["items_alone"],
        "usersWithout": events["users_alone"],
        "eventTypes": [{"value": name, "count": count} for name, count in events["event_types"].items()],
    }


def _dataset(dataset: JSONDict) -> JSONDict:
    return {
        "datasetType": dataset["dataset"],
        "rows": dataset["rows"],
        "incompleteRows": dataset["incomplete_rows"],
        "columns": dataset["columns"],
    }


def _find(account: Account, arn: str) -> DataInsightsJob:
    rows = DataInsightsJob.objects.select_related("account", "dataset_group__account")
    found: DataInsightsJob = rows.by_arn(account, arn, field="dataInsightsJobArn")
    return found
