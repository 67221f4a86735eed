"""What jobs leave behind besides rows and models, and what of it may name people: taken away when users are to be forgotten."""

from __future__ import annotations

import re
import time

from django.db import connection

from console import storage
from console.models import (
    JOBS,
    Alert,
    AlertMessage,
    BatchInferenceJob,
    BatchSegmentJob,
    Campaign,
    DataDeletionJob,
    DataInsightsJob,
    DatasetExportJob,
    DatasetGroup,
    DatasetImportJob,
    Job,
    Recommender,
    SharedEvaluation,
    SolutionVersion,
)
from console.models.base import ENDED_BADLY, UNFINISHED, JSONDict
from console.scratch import sweep
from console.serving import traffic
from console.storage import Location

# Words of a text: what stands between blanks, quotes and the punctuation of CSV, JSON and sentences.
WORD = re.compile(r"[^\s\"',;:()\[\]{}|=]+")
FORGOTTEN = "(forgotten)"
UPLOADED = (
    (DatasetImportJob, "data_location"),
    (DataDeletionJob, "data_location"),
    (BatchInferenceJob, "job_input__s3DataSource__path"),
    (BatchSegmentJob, "job_input__s3DataSource__path"),
)
QUOTING: tuple[tuple[type[Job], str], ...] = (
    (DatasetImportJob, "dataset__dataset_group"),
    (DatasetExportJob, "dataset__dataset_group"),
    (DataDeletionJob, "dataset_group"),
    (DataInsightsJob, "dataset_group"),
    (SharedEvaluation, "dataset_group"),
    (SolutionVersion, "solution__dataset_group"),
    (Recommender, "dataset_group"),
    (BatchInferenceJob, "solution_version__solution__dataset_group"),
    (BatchSegmentJob, "solution_version__solution__dataset_group"),
)
NAMING = ("INTERACTIONS", "USERS", "ACTION_INTERACTIONS")
ATTEMPTS = 3
PAUSE_S = 0.5


def remove(group: DatasetGroup, users: set[str]) -> None:
    """Remove a group's scratch files, and what names any of `users`."""
    _imports(group)
    _batches(group)
    _insights(group)
    _uploads(group, users)
    _words(group, users)
    _alerts(group, users)
    traffic.forget([row.arn for kind in (Campaign, Recommender) for row in kind.objects.filter(**_of(kind, group))])
    sweep()


def _of(kind: type[Campaign | Recommender], group: DatasetGroup) -> dict[str, DatasetGroup]:
    return {"dataset_group" if kind is Recommender else "solution_version__solution__dataset_group": group}


def _uploads(group: DatasetGroup, users: set[str]) -> None:
    """Files sent to this server: what ended jobs have read, and what no job names, as after an import that was not begun."""
    account = group.account
    folder = Location(storage.UPLOADS_BUCKET, f"{account.number}/")
    waiting = {
        str(location)
        for kind, url in UPLOADED
        for location in kind.objects.for_account(account).filter(status__in=UNFINISHED).values_list(url, flat=True)
    }
    for file in storage.list_objects(folder, recursive=True):
        if str(file) not in waiting and _names(file, users):
            storage.delete(file)


def _names(file: Location, users: set[str]) -> bool:
    """Whether a file names one of the users; one that is not plain text may."""
    with storage.open_read(file) as stream:
        if b"\0" in stream.read(4096):
            return True
    with storage.open_read(file) as stream:
        lines = (line.decode("utf-8", "replace") for line in stream)
        return any(redacted(line, users) != line for line in lines)


def _words(group: DatasetGroup, users: set[str]) -> None:
    """Reasons and tracebacks of jobs that quote a user."""
    for kind, path in QUOTING:
        quoting = kind.objects.filter(**{path: group}).exclude(failure_reason=None, traceback="")
        for pk, reason, trace in quoting.values_list("pk", "failure_reason", "traceback"):
            clean = {"failure_reason": reason and redacted(reason, users), "traceback": redacted(trace, users)}
            if clean != {"failure_reason": reason, "traceback": trace}:
                kind.objects.filter(pk=pk).update(**clean)


def _alerts(group: DatasetGroup, users: set[str]) -> None:
    """Alerts about failed jobs, whose reasons may quote a user."""
    keys = list(Alert.objects.filter(key__startswith="job ").values_list("key", flat=True))
    others = {key for key in keys if _is_of_another(key, group)}
    for alert in Alert.objects.filter(key__in=set(keys) - others):
        Alert.objects.filter(pk=alert.pk).update(text=redacted(alert.text, users))
    for message in AlertMessage.objects.all():
        if any(one["key"].startswith("job ") and one["key"] not in others for one in message.body["alerts"]):
            AlertMessage.objects.filter(pk=message.pk).update(body=_without(message.body, users))


def _is_of_another(key: str, group: DatasetGroup) -> bool:
    """Whether an alert's key names a job of another group; one that is gone may have been this group's."""
    _, kind, pk, _ = key.split(" ")
    path = dict(QUOTING).get(JOBS[kind])
    return path is None or JOBS[kind].objects.filter(pk=pk).exclude(**{path: group}).exists()


def _without(body: JSONDict, users: set[str]) -> JSONDict:
    alerts = [one | {"text": redacted(one["text"], users)} for one in body["alerts"]]
    return body | {"text": redacted(body["text"], users), "alerts": alerts}


def redacted(text: str, users: set[str]) -> str:
    """A text with the users' ids replaced.

    >>> redacted("Line 7: no time for u7, nor for u77.", {"u7", "u 8"})
    'Line 7: no time for (forgotten), nor for u77.'
    """
    for user in users:
        if user in text and not WORD.fullmatch(user):
            text = text.replace(user, FORGOTTEN)
    return WORD.sub(lambda found: FORGOTTEN if found[0] in users or found[0].rstrip(".") in users else found[0], text)


def overwrite() -> None:
    """Have the database give up what it keeps of deleted rows, as far as that holds up nobody.

    PostgreSQL frees the rows' places, to be written over by what comes; what may be left of them in files is said in
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
