"""Ours: what a batch job has answered, page by page, with titles and pictures."""

from __future__ import annotations

import json

from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, BatchInferenceJob, BatchSegmentJob
from console.models.serving import BatchJob
from console.operations.base import operation
from console.serving.batch_results import asked_for, cards_of, page_of
from console.serving.display import Cards
from console.shapes import JSONDict

LINES, PLACES = 25, 10


@operation
def get_batch_results(
    account: Account,
    *,
    batch_inference_job_arn: str | None = None,
    batch_segment_job_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = LINES,
    max_places: int = PLACES,
) -> JSONDict:
    """Lines of a job that has ended, in the order of its input, each with its first items or users."""
    job = _job(account, batch_inference_job_arn, batch_segment_job_arn)
    if job.status != job.done:
        raise ResourceInUseException(
            f"The job {job.name} is {job.status}; its results can be read once it is {job.done}."
        )
    lines, following = page_of(job, next_token, max_results)
    cards = cards_of(job)
    return {
        "lines": job.report.get("lines", 0),
        "errors": job.report.get("errors", 0),
        "results": [_wire(line, cards, max_places) for line in lines],
        "nextToken": following,
    }


def _job(account: Account, inference: str | None, segment: str | None) -> BatchJob:
    if bool(inference) == bool(segment):
        raise InvalidInputException(
            "Give exactly one of batchInferenceJobArn and batchSegmentJobArn.", field="batchInferenceJobArn"
        )
    model = BatchInferenceJob if inference else BatchSegmentJob
    rows = model.objects.select_related("account", "solution_version__solution")
    field = "batchInferenceJobArn" if inference else "batchSegmentJobArn"
    found: BatchJob = rows.by_arn(account, inference or segment or "", field=field)
    return found


def _wire(line: JSONDict, cards: Cards | None, most: int) -> JSONDict:
    asked, output = line["input"], line.get("output") or {}
    items, users = output.get("recommendedItems", []), output.get("usersList", [])
    result: JSONDict = {
        "askedFor": asked_for(line),
        "input": json.dumps(asked, ensure_ascii=False) if isinstance(asked, dict) else str(asked),
        "error": line.get("error"),
        "warnings": line.get("warnings", []),
        "theme": output.get("theme"),
        "count": len(items) or len(users),
        "items": [_card(item, cards) for item in items[:most]],
        "users": users[:most],
    }
    if isinstance(asked, dict) and asked.get("itemId"):
        result["item"] = _card(str(asked["itemId"]), cards)
    return result


def _card(item: str, cards: Cards | None) -> JSONDict:
    return {"itemId": item} | (cards.card(cards.loaded.data.item_ids.index(item)) if cards else {})
