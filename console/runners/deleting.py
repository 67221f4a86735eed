"""What a data deletion job does: forget users in bulk rows, streamed rows and in the snapshots that models serve with.

The rows go first, so that no later training learns them; then trainings under way are waited for, and every artefact of the
group is written anew under another key, without the users' histories and without what the model holds of them
(`Model.forget_users`). What a model learned as a sum over all users stays.
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from django.db import models, transaction

from console import limits, storage
from console.errors import DamagedModelException, JobError
from console.ingest import forgetting, parts, snapshot, sources
from console.ingest.loading import Segment
from console.ingest.mapping import Reading
from console.ingest.reading import open_table
from console.ingest.schema import DatasetSchema
from console.jobs import Claim
from console.models import (
    DataDeletionJob,
    Dataset,
    DatasetGroup,
    Event,
    ExperimentUser,
    InterleavedList,
    Recommender,
    Record,
    SeenList,
    SharedResult,
    SolutionVersion,
    Trash,
)
from console.models.base import RUNNING
from console.runners import scratch_files
from console.scratch import scratch_folder
from console.serving import loader
from console.streamed import forget_counts
from console.trainings import purge_trash
from recipes import artefact
from recipes.evaluation.shown import Shown
from recipes.tables.field import Field

USER_DATASETS = ("INTERACTIONS", "USERS", "ACTION_INTERACTIONS")
USERS_FILE = DatasetSchema("USERS", (Field("USER_ID", "string"),))
USERS_NAME = re.compile(r"[^.]+|.*\.csv(\.(gz|bz2|xz|zst|zip))?")  # of files in a folder
RETRIES = 3
CHUNK = 500
POLL_S = 0.5


def run(held: Claim) -> None:
    """Forget the users that the job's files list."""
    job = cast("DataDeletionJob", held.row)
    group = DatasetGroup.objects.get(pk=job.dataset_group_id)
    held.report("reading", 0.0)
    users = read_users(job.data_location)
    held.report("deleting rows", 0.1, message=f"{len(users):,} users are listed")
    purge_trash(Trash.objects.filter(dataset_group=group.pk))  # what is restored later must not bring them back
    known = _forget_streamed(group, users)
    for dataset in group.datasets.filter(type__in=USER_DATASETS):
        known |= _forget_bulk(held, dataset, users)
    held.report("rewriting models", 0.5, message=f"{len(known):,} of them were known")
    _wait_for_trainings(held, group)
    for row in _trained(group):
        held.check()
        known |= _forget_in_artefact(row, users)
    for evaluated in _evaluated(group):
        held.check()
        _forget_in_evaluation(evaluated, users)
    scratch_files.remove(group, users)
    if held.finish(num_deleted=len(known)):
        _forget_list(job.data_location)
        scratch_files.overwrite()


def _forget_list(url: str) -> None:
    """Remove the list itself, if it was sent to this server: it names whom nothing else may."""
    location = storage.parse_location(url)
    if location.bucket == storage.UPLOADS_BUCKET:
        storage.delete(location)


def read_users(url: str) -> set[str]:
    """The USER_ID column of all CSV files at a location, sub-folders included; they may be packed, or parts without a suffix.

    Raises:
        JobError: there are no such files or others among them, they are too large, lack the column, or have a row in which it cannot be read: nobody may
            be forgotten to be deleted unnoticed.
    """
    location = storage.parse_location(url)
    objects = storage.list_objects(location, recursive=True)
    files = [file for file in objects if not location.is_folder or not sources.is_beside(file.name)]
    if not files:
        raise JobError(f"There is no CSV file at {location}.")
    if location.is_folder and (others := [file for file in files if not USERS_NAME.fullmatch(file.name.lower())]):
        raise JobError(f"{others[0]} is no CSV file by its name; rename it or move it elsewhere. Nobody was deleted.")
    size = sum(storage.size_bytes(file) for file in files)
    most = limits.quota("DELETION_FILES_MB") << 20
    if size > most:
        raise JobError(f"The files at {location} have {size:,} bytes; at most {most:,} are allowed in one job.")
    users: set[str] = set()
    for file in files:
        with sources.open_text(file) as stream:
            table = open_table(stream, USERS_FILE, Reading())
            for found in map(table.reader.convert, table.blocks) if table else ():
                if found.bad:
                    wrong = found.bad[0]
                    raise JobError(
                        f"Line {wrong.line} of {file}: {wrong.row[:100]!r} {wrong.rule}. Nobody was deleted."
                    )
                users.update(found.table["USER_ID"].to_pylist())
    return users


def _forget_streamed(group: DatasetGroup, users: set[str]) -> set[str]:
    """Delete events, of their sessions too, records put one by one, and places in experiments."""
    known: set[str] = set()
    for chunk in _chunks(users):
        events = Event.objects.filter(dataset_group=group, user_id__in=chunk)
        records = Record.objects.filter(dataset__dataset_group=group, dataset__type="USERS", entity_id__in=chunk)
        known.update(events.values_list("user_id", flat=True).distinct())
        known.update(records.values_list("entity_id", flat=True))
        tried = ExperimentUser.objects.filter(
            experiment__campaign__solution_version__solution__dataset_group=group, user_id__in=chunk
        )
        shared = InterleavedList.objects.filter(
            experiment__campaign__solution_version__solution__dataset_group=group, user_id__in=chunk
        )
        seen = SeenList.objects.filter(dataset_group=group, user_id__in=chunk)
        known.update(tried.values_list("user_id", flat=True), shared.values_list("user_id", flat=True))
        for rows in (events, records, tried, shared, seen):
            rows.delete()
    forget_counts(group.pk)
    return known


def _forget_bulk(held: Claim, dataset: Dataset, users: set[str]) -> set[str]:
    """Swap the dataset's parts for ones without the users; an import may come between, then once more."""
    for _ in range(RETRIES):
        dataset.refresh_from_db()
        schema = snapshot.schema_of(dataset)
        with scratch_folder() as scratch:
            old = [Segment(parts.local_path(key), 0, key) for key in dataset.parts]
            listed = pa.array(sorted(users), pa.string())
            kept, profile, known = forgetting.without_users(old, listed, schema, Path(scratch))
            if not known:
                return known
            held.check()
            target = f"datasets/{dataset.pk}/without-{uuid.uuid4().hex[:12]}"
            keys = [segment.key or _publish(segment.path, target) for segment in kept]
            statistics = profile.summary() | {"bytes": sum(segment.path.stat().st_size for segment in old)}
        if _swap(dataset, keys, statistics):
            return known
        _forget(keys, dataset.parts)
    raise JobError(f"Dataset {dataset.arn} was imported to again and again meanwhile; run the job again later.")


def _publish(path: Path, target: str) -> str:
    key = f"{target}/{path.name}"
    storage.put_file(path, storage.store(key))
    return key


def _swap(dataset: Dataset, keys: list[str], statistics: dict[str, Any]) -> bool:
    with transaction.atomic():
        row = Dataset.objects.select_for_update().get(pk=dataset.pk)
        if row.parts != dataset.parts:
            return False
        row.parts, row.statistics, row.revision = keys, statistics, row.revision + 1
        row.save(update_fields=["parts", "statistics", "revision", "updated"])
    _forget(dataset.parts, keys)
    return True


def _forget(keys: Iterable[str], but: Iterable[str]) -> None:
    for key in set(keys) - set(but):
        storage.delete(storage.store(key))


def _trained(group: DatasetGroup) -> Iterator[SolutionVersion | Recommender]:
    yield from SolutionVersion.objects.filter(solution__dataset_group=group).exclude(artefact="")
    yield from Recommender.objects.filter(dataset_group=group).exclude(artefact="")


def _wait_for_trainings(held: Claim, group: DatasetGroup) -> None:
    """Trainings that began before the rows were gone would publish the users once more: let them end first."""
    versions = SolutionVersion.objects.filter(solution__dataset_group=group, status__in=RUNNING)
    running: list[models.QuerySet[Any]] = [versions, group.recommenders.filter(status__in=RUNNING)]
    mine = [(rows.model, list(rows.values_list("pk", "claim"))) for rows in running]
    while any(
        model.objects.filter(pk=pk, claim=claim, status__in=RUNNING).exists()
        for model, rows in mine
        for pk, claim in rows
    ):
        held.report("waiting for trainings under way", 0.5)
        time.sleep(POLL_S)


def _forget_in_artefact(row: SolutionVersion | Recommender, users: set[str]) -> set[str]:
    """Write the row's artefact anew under another key; serving processes follow the row."""
    old = row.artefact
    try:
        found = loader.read(old)
    except DamagedModelException:  # it cannot serve, but its files may still name the users
        storage.delete(storage.store(f"{old}/"))
        return set()
    data = forgetting.forgotten(found.data, users)
    if data is None:
        return set()
    index = found.data.user_ids.indexes(users)
    index = index[index >= 0]
    details = found.manifest | {
        "forgotten_users": sorted({*found.manifest.get("forgotten_users", []), *index.tolist()})
    }
    key = f"artefacts/{uuid.uuid4().hex}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "model"
        artefact.save(folder, found.model.forget_users(index), data, details)
        storage.publish_folder(folder, key)
    kept = type(row).objects.filter(pk=row.pk, artefact=old).update(artefact=key)
    storage.delete(storage.store(f"{old if kept else key}/"))
    return set(found.data.user_ids.take(index))


def _evaluated(group: DatasetGroup) -> Iterator[SolutionVersion | Recommender | SharedResult]:
    yield from SolutionVersion.objects.filter(solution__dataset_group=group).exclude(evaluation="")
    yield from Recommender.objects.filter(dataset_group=group).exclude(evaluation="")
    yield from SharedResult.objects.filter(shared_evaluation__dataset_group=group).exclude(evaluation="")


def _forget_in_evaluation(row: SolutionVersion | Recommender | SharedResult, users: set[str]) -> None:
    """Write the row's evaluation anew under another key, without the names of those who were asked for."""
    old = row.evaluation
    source = storage.local_folder(old)
    shown = Shown.load(source)
    cleaned = shown.without(users) if shown else None
    if cleaned is None:
        return
    key = f"evaluations/{uuid.uuid4().hex}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "evaluation"
        shutil.copytree(source, folder, copy_function=shutil.copyfile)
        cleaned.save(folder)
        storage.publish_folder(folder, key)
    kept = type(row).objects.filter(pk=row.pk, evaluation=old).update(evaluation=key)
    storage.delete(storage.store(f"{old if kept else key}/"))


def _chunks(users: set[str]) -> Iterator[list[str]]:
    ordered = sorted(users)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
