"""Ours: stopping any job that can be left half-way without harm, as StopSolutionVersionCreation does for trainings."""

from __future__ import annotations

from django.utils import timezone

from console import arns
from console.errors import InvalidInputException, ResourceInUseException
from console.models import JOBS, Account, Status
from console.operations.base import operation
from console.shapes import JSONDict

STOPPABLE = (
    "DatasetImportJob", "DatasetExportJob", "BatchInferenceJob", "BatchSegmentJob", "SolutionVersion", "SampleLoad",
    "DataInsightsJob",
    "SharedEvaluation",
)  # fmt: skip


@operation
def stop_job(account: Account, *, resource_arn: str) -> JSONDict:
    """End a job: a waiting one at once, a running one as soon as its worker looks up."""
    kind = arns.parse(resource_arn, field="resourceArn").type
    model = next((JOBS[label] for label in STOPPABLE if JOBS[label].arn_type == kind), None)
    if model is None:
        allowed = ", ".join(JOBS[label].arn_type for label in STOPPABLE)
        raise InvalidInputException(f"A {kind} cannot be stopped; allowed are {allowed}.", field="resourceArn")
    row = model.objects.by_arn(account, resource_arn, field="resourceArn")
    rows = model.objects.filter(pk=row.pk)
    ended = {"status": Status.CREATE_STOPPED, "finished": timezone.now()}
    waiting = rows.filter(status=Status.CREATE_PENDING, claim="")
    if not waiting.update(**ended) and not rows.filter(status=Status.CREATE_IN_PROGRESS).update(
        status=Status.CREATE_STOPPING
    ):
        raise ResourceInUseException(f"The job is {row.status}; only one that waits or runs can be stopped.")
    return {"resourceArn": row.arn}
