"""What jobs leave behind besides rows and models, and what of it may name people: taken away when users are to be forgotten."""

from __future__ import annotations

import time

from django.db import connection

from console import storage
from console.models import BatchInferenceJob, BatchSegmentJob, DatasetGroup, DatasetImportJob
from console.models.base import ENDED_BADLY

NAMING = ("INTERACTIONS", "USERS", "ACTION_INTERACTIONS")
ATTEMPTS = 3
PAUSE_S = 0.5


def remove(group: DatasetGroup) -> None:
    """Remove a group's leftovers."""
    _imports(group)
    _batches(group)
    _insights(group)


def overwrite() -> None:
    """Have the database give up what it keeps of deleted rows, as far as that holds up nobody.

    PostgreSQL frees the rows' places, to be written over by what comes; what may be left of them in files is told in
    docs/hosting.md. Inside a transaction, as in tests, neither database can.
    """
    if connection.in_atomic_block:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
    elif connection.vendor == "sqlite":
        _truncate_log()


def _truncate_log() -> None:
    """SQLite's log holds pages as they were; cells of deleted rows were overwritten already (secure_delete)."""
    for _ in range(ATTEMPTS):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            [busy, *_] = cursor.fetchone()
        if not busy:
            return
        time.sleep(PAUSE_S)


def _imports(group: DatasetGroup) -> None:
    """Files that were sent to this server, from which users could be imported again, and lists of bad rows."""
    for job in DatasetImportJob.objects.filter(dataset__dataset_group=group, dataset__type__in=NAMING):
        location = storage.parse_location(job.data_location)
        if location.bucket == storage.UPLOADS_BUCKET:
            storage.delete(location)
        if key := job.report.get("rejects"):
            storage.delete(storage.store(key))
        if job.report.get("rejects") or job.report.get("sample"):
            job.report |= {"rejects": None, "sample": []}
            job.save(update_fields=["report"])


def _batches(group: DatasetGroup) -> None:
    """What failed batch jobs had answered; tried again, they begin at the first line."""
    for kind in (BatchInferenceJob, BatchSegmentJob):
        for job in kind.objects.filter(solution_version__solution__dataset_group=group, status__in=ENDED_BADLY):
            storage.delete(storage.store(f"batch/{kind.__name__}-{job.pk}/"))
            job.report.pop("current", None)
            job.save(update_fields=["report"])


def _insights(group: DatasetGroup) -> None:
    """The users that statistics name: all of them, where they are few."""
    for job in group.insights_jobs.exclude(report={}):
        for dataset in job.report["datasets"].values():
            for column in dataset["columns"]:
                if column["name"] == "USER_ID":
                    column["distribution"] = []
        job.save(update_fields=["report"])
