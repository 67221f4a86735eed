"""From an account to its document."""

from __future__ import annotations

from collections.abc import Iterator

from console.configuration.document import Document, entry_of
from console.configuration.kinds import KINDS, Kind
from console.models import Account, DatasetImportJob
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict


def export(account: Account) -> Document:
    """Everything of the account that a document can hold."""
    return Document({kind.section: sorted(_all(account, kind), key=lambda entry: str(entry["name"])) for kind in KINDS})


def described(account: Account, kind: Kind) -> dict[str, JSONDict]:
    """What Describe… tells of each resource of a kind, by name."""
    found = {}
    for summary in _pages(account, f"List{kind.title}s"):
        answer = call_by_wire_names(f"Describe{kind.title}", account, {kind.arn: summary[kind.arn]})
        found[str(summary["name"])] = answer[kind.noun]
    return found


def _all(account: Account, kind: Kind) -> Iterator[JSONDict]:
    for about in described(account, kind).values():
        entry = entry_of(kind, about, _tags(account, kind, about[kind.arn]))
        match kind.noun:
            case "metricAttribution":
                arn = {"metricAttributionArn": about["metricAttributionArn"]}
                entry["metrics"] = list(_pages(account, "ListMetricAttributionMetrics", arn))
            case "dataset":
                entry |= _filled_from(account, about["datasetArn"])
        yield entry


def _filled_from(account: Account, dataset_arn: str) -> JSONDict:
    """Where the newest bulk rows of a dataset came from, if the file was in AWS's own format."""
    jobs = DatasetImportJob.objects.for_account(account).filter(status="ACTIVE", options={}).select_related("dataset")
    sources = [job.data_location for job in jobs.order_by("-created") if job.dataset.arn == dataset_arn]
    return {"importFrom": sources[0]} if sources else {}


def _tags(account: Account, kind: Kind, arn: str) -> list[JSONDict]:
    if "tags" not in kind.members:
        return []
    tags: list[JSONDict] = call_by_wire_names("ListTagsForResource", account, {"resourceArn": arn})["tags"]
    return tags


def _pages(account: Account, operation: str, members: JSONDict | None = None) -> Iterator[JSONDict]:
    token = None
    while True:
        answer = call_by_wire_names(operation, account, (members or {}) | {"nextToken": token})
        token = answer.pop("nextToken", None)
        for rows in answer.values():  # the one list of the answer, whatever AWS calls it
            yield from rows
        if not token:
            return
