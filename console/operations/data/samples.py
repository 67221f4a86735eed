"""Sample data: one call that leads to a working campaign."""

from __future__ import annotations

from console import jobs
from console.errors import ResourceInUseException
from console.models import Account, SampleLoad
from console.operations.base import operation
from console.shapes import JSONDict


@operation
def load_sample(account: Account, *, sample_name: str) -> JSONDict:
    """Load a sample, or take up one whose loading failed; one that is there is left as it is."""
    row, is_new = SampleLoad.objects.get_or_create(account=account, name=sample_name)
    if row.status in SampleLoad.RETRIABLE:
        again = SampleLoad.objects.filter(pk=row.pk, status=row.status)
        if not again.update(status=SampleLoad.waiting, attempts=0, failure_reason=None):
            raise ResourceInUseException(f"The sample {sample_name} is being loaded already.", field="sampleName")
        is_new = True
    if is_new:
        jobs.enqueue(row)
    return {"sampleArn": row.arn}


@operation
def describe_sample(account: Account, *, sample_arn: str) -> JSONDict:
    """How far a sample has come."""
    return {"sample": SampleLoad.objects.by_arn(account, sample_arn, field="sampleArn").wire()}
