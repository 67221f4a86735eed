"""StopJob: whatever waits or runs can be ended, and tried again."""

from __future__ import annotations

import pytest

from console import jobs
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import DataDeletionJob, DatasetImportJob, SampleLoad
from console.operations.base import call_by_wire_names
from tests.operations import worlds


@pytest.fixture
def load(account) -> SampleLoad:
    """A sample that waits to be loaded."""
    return SampleLoad.objects.create(account=account, name="streaming-demo")


def stop(account, row) -> None:
    call_by_wire_names("StopJob", account, {"resourceArn": row.arn})
    row.refresh_from_db()


def test_it_works(account, load):
    stop(account, load)
    assert load.status == "CREATE STOPPED"
    assert jobs.claim("SampleLoad", load.pk) is None
    call_by_wire_names("RetryJob", account, {"resourceArn": load.arn})
    load.refresh_from_db()
    assert load.status == "CREATE PENDING"


def test_a_running_job_ends_when_its_worker_looks_up(account, load):
    SampleLoad.objects.filter(pk=load.pk).update(status="CREATE IN_PROGRESS", claim="somebody")
    stop(account, load)
    assert load.status == "CREATE STOPPING"


def test_an_ended_job_cannot_be_stopped(account, load):
    stop(account, load)
    with pytest.raises(ResourceInUseException, match="CREATE STOPPED"):
        stop(account, load)


def test_a_deletion_is_not_left_half_way(account):
    job = DataDeletionJob.objects.create(
        account=account, name="forget", dataset_group=worlds.group(account), data_location="s3://b/k", role_arn="r"
    )
    with pytest.raises(InvalidInputException, match="data-deletion-job cannot be stopped"):
        stop(account, job)


def test_another_accounts_job_is_not_found(account, other_account, load):
    with pytest.raises(ResourceNotFoundException):
        stop(other_account, load)
    assert not DatasetImportJob.objects.exists()
