"""The answers of batch jobs as people read them: a table with titles and pictures, and the whole as CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from console.errors import ServiceError
from console.models import BatchInferenceJob, BatchSegmentJob
from console.models.serving import BatchJob
from console.serving.batch_results import HEADS, rows_of
from console.shapes import JSONDict
from console.sheets import SheetWriter
from console.web.access import Request, page
from console.web.kinds import Kind
from console.web.pages import call, find, service_error
from console.web.serving import testing

FLUSHED = 1 << 16  # characters that are sent at once


def table_of(request: Request, job: BatchJob) -> dict[str, Any]:
    """A page of the job's answers for the template; what is wrong with them instead, where they cannot be read."""
    member = "batchInferenceJobArn" if isinstance(job, BatchInferenceJob) else "batchSegmentJobArn"
    members = {member: job.arn, "nextToken": request.GET.get("from") or None}
    try:
        page_of_results = call(request, "GetBatchResults", members)
    except ServiceError as error:
        return {"refusal": service_error(error)}
    return {
        "page_of_results": page_of_results,
        "answers": [_dressed(one) for one in page_of_results["results"]],
        "is_later": "from" in request.GET,
    }


def _dressed(one: JSONDict) -> JSONDict:
    asked = testing.dressed(one["item"]) if one.get("item") else None
    return one | {"asked": asked, "shelf": [testing.dressed(item) for item in one["items"]]}


@page
def csv_view(request: Request, name: str, kind: Kind) -> StreamingHttpResponse:
    """One row for each place of each list."""
    found = find(request, kind.model.__name__, name)
    job = type(found).objects.select_related("account", "solution_version__solution").get(pk=found.pk)
    headers = {"Content-Disposition": f'attachment; filename="{job.name}.csv"'}
    return StreamingHttpResponse(_lines(job), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(job: BatchInferenceJob | BatchSegmentJob) -> Iterator[str]:
    text = io.StringIO()
    writer = SheetWriter(text)
    writer.writerow(HEADS)
    for row in rows_of(job):
        writer.writerow(row)
        if text.tell() > FLUSHED:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
