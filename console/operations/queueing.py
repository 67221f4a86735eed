"""What all operations that start a job share: the thing it is about must be ready, and there is a quota."""

from __future__ import annotations

from console import jobs
from console.errors import ResourceInUseException
from console.models import Job, Resource, SolutionVersion, Status
from console.operations.base import create, within_pending_quota


def must_be_active(row: Resource, what: str, *, field: str) -> None:
    """Hold a job to something that is ready; `what` is what a person calls it.

    Raises:
        ResourceInUseException: it is not ACTIVE, or its model was removed.
    """
    if row.status != Status.ACTIVE:
        raise ResourceInUseException(f"{what} is {row.status}; it must be ACTIVE.", field=field)
    if isinstance(row, SolutionVersion):
        must_have_model(row, field=field)


def must_have_model(version: SolutionVersion, *, field: str) -> None:
    """Hold a use to a version whose model is there.

    Raises:
        ResourceInUseException: it was removed as an old one.
    """
    if version.damage and not version.artefact:
        raise ResourceInUseException(f"{version.arn}: {version.damage} Train a new version.", field=field)


def queue(job: Job, quota: str) -> None:
    """Insert a new job and have a worker run it.

    Args:
        job: not yet written.
        quota: of the account's jobs of this kind that have not ended.

    Raises:
        LimitExceededException: too many wait or run already.
        ResourceAlreadyExistsException: the name is taken.
    """
    within_pending_quota(quota, type(job).objects.for_account(job.account))
    create(job)
    jobs.enqueue(job)
