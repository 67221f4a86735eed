"""From an account to its document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.configuration.document import Document, entry_of
from console.configuration.kinds import KINDS, Kind
from console.models import Account, DatasetImportJob
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict


def export(account: Account) -> Document:
    """Everything of the account that a document can hold."""
    return Document({kind.section: sorted(_all(account, kind), key=lambda entry: str(entry["name"])) for kind in KINDS})


def described(account: Account, kind: Kind) -> Iterator[JSONDict]:
    """What Describe… tells of each resource of a kind."""
    for summary in _pages(account, f"List{kind.title}s"):
        yield call_by_wire_names(f"Describe{kind.title}", account, {kind.arn: summary[kind.arn]})[kind.noun]


def _all(account: Account, kind: Kind) -> Iterator[JSONDict]:
    for about in described(account, kind):
        entry = entry_of(kind, about, _tags(account, kind, about[kind.arn]))
        match kind.noun:
            case "metricAttribution":
                arn = {"metricAttributionArn": about["metricAttributionArn"]}
                entry["metrics"] = list(_pages(account, "ListMetricAttributionMetrics", arn))
            case "dataset":
                entry |= _filled_from(account, about["datasetArn"])
        yield entry


def _filled_from(account: Account, dataset_arn: str) -> JSONDict:
    """Where the bulk rows of a dataset came from, if the files were in AWS's own format."""
    jobs = DatasetImportJob.objects.for_account(account).filter(status="ACTIVE", options={}).select_related("dataset")
    own = [job for job in jobs.order_by("created") if job.dataset.arn == dataset_arn]
    sources = current_sources((job.data_location, job.import_mode) for job in own)
    return {"importFrom": sources[0] if len(sources) == 1 else sources} if sources else {}


def current_sources(jobs: Iterable[tuple[str, str]]) -> list[str]:
    """The locations whose rows a dataset holds after jobs, oldest first, each a location and its mode: a full one begins anew."""
    sources: list[str] = []
    for location, mode in jobs:
        sources = [location] if mode != "INCREMENTAL" else [*(one for one in sources if one != location), location]
    return sources


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
