"""What an import job does: read CSV into Parquet parts, then make them the dataset's in one step.

`DatasetImportJob.options` says how a file is read that is not laid out as AWS wants it: `format` (members of
ingest.sources.CsvFormat), `sources` (by schema column: name, unit, constant) and `maxBadRowsPercent`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

from django.db import transaction

from console import jobs, limits, storage
from console.errors import JobError
from console.ingest import schema as avro
from console.ingest.loading import Importer, Loaded
from console.ingest.mapping import Reading
from console.ingest.sources import source_files
from console.jobs import Claim
from console.models import Dataset, DatasetImportJob, Status
from console.models.base import JSONDict
from console.scratch import scratch_folder
from console.serving import attribution_reports
from console.storage import Location

TURN_S = 0.5


def run(held: Claim) -> None:
    """Import the job's files; the dataset changes only if all goes well."""
    job = cast("DatasetImportJob", held.row)
    _wait_for_turn(held, job)
    dataset = Dataset.objects.select_related("schema").get(pk=job.dataset_id)
    started = time.monotonic()
    held.report("importing", 0.0, message=f"Reading {job.data_location}")
    with scratch_folder() as scratch:
        importer = _importer(held, job, dataset, Path(scratch))
        try:
            loaded = importer.run(_within_size(job), _previous(job, dataset))
            _check_least(job, dataset, loaded)
        except JobError:
            _keep_report(job, importer.report(), importer.rejects)
            raise
        held.report("publishing", None, message=f"{loaded.report['imported']:,} rows read; publishing")
        report = loaded.report | {"seconds": round(time.monotonic() - started, 3)}
        _publish(held, job, dataset, loaded, report)


def _within_size(job: DatasetImportJob) -> list[Location]:
    """The job's files, held to what one import of its mode may read.

    Raises:
        JobError: there are none, or they are too large.
    """
    files = source_files(storage.parse_location(job.data_location))
    quota = f"{job.import_mode}_IMPORT_GB"
    size, most = sum(storage.size_bytes(file) for file in files), limits.quota(quota) << 30
    if size > most:
        raise JobError(
            f"The files at {job.data_location} have {size:,} bytes; at most {most:,} are allowed in one import of mode "
            f"{job.import_mode}. QUOTA_{quota} is the setting."
        )
    return files


def _check_least(job: DatasetImportJob, dataset: Dataset, loaded: Loaded) -> None:
    """Hold an import to the least it must bring: a full one replaces all rows, and must not do so with none.

    Raises:
        JobError: it brings fewer.
    """
    found = loaded.report["imported"]
    if job.import_mode == "FULL" and not found:
        raise JobError(
            f"There is no row at {job.data_location}; a FULL import replaces all rows and needs at least one. "
            "The dataset is as it was."
        )
    least = limits.quota("MIN_IMPORTED_INTERACTIONS")
    if dataset.type == "INTERACTIONS" and found < least:
        raise JobError(f"{found:,} interactions were read; one import must bring at least {least:,}.")


def _wait_for_turn(held: Claim, job: DatasetImportJob) -> None:
    """Imports into one dataset come one after the other, so that a later one is not overtaken by an earlier one."""
    earlier = DatasetImportJob.objects.filter(dataset=job.dataset_id, pk__lt=job.pk, status=Status.CREATE_IN_PROGRESS)
    while earlier.exists():
        held.report("waiting for an earlier import into this dataset", None)
        time.sleep(TURN_S)


def _importer(held: Claim, job: DatasetImportJob, dataset: Dataset, folder: Path) -> Importer:
    limit = job.options.get("maxBadRowsPercent")
    return Importer(
        avro.parse(dataset.schema.text, dataset.schema.domain),
        Reading.from_options(job.options),
        folder,
        max_bad_percent=float(limits.quota("MAX_BAD_ROWS_PERCENT") if limit is None else limit),
        progress=lambda fraction: held.report("importing", fraction),
    )


def _previous(job: DatasetImportJob, dataset: Dataset) -> list[str]:
    """The parts that stay."""
    return list(dataset.parts) if job.import_mode == "INCREMENTAL" else []


def _keep_report(job: DatasetImportJob, report: JSONDict, rejects: Path | None) -> JSONDict:
    """Publish the bad rows, of failed imports too: people must see what to mend."""
    if rejects:
        report["rejects"] = f"imports/{job.pk}/rejects.csv"
        storage.put_file(rejects, storage.store(report["rejects"]))
    DatasetImportJob.objects.filter(pk=job.pk, claim=job.claim).update(report=report)
    return report


def _publish(held: Claim, job: DatasetImportJob, dataset: Dataset, loaded: Loaded, report: JSONDict) -> None:
    """Put the parts into the store, then swap the dataset's list; readers see the old rows or the new ones."""
    target = f"datasets/{dataset.pk}/{job.pk}-{job.attempts}"
    new = [segment for segment in loaded.segments if not segment.key]
    schema = avro.parse(dataset.schema.text, dataset.schema.domain)
    counts = attribution_reports.count_import(job, schema, [segment.path for segment in new])
    for segment in new:
        storage.put_file(segment.path, storage.store(f"{target}/{segment.path.name}"))
    report = _keep_report(job, report, loaded.rejects)
    keys = [segment.key or f"{target}/{segment.path.name}" for segment in loaded.segments]
    held.check()
    with attribution_reports.announced(job, counts) as book:
        held.release()  # the heartbeat would wait for the transaction below, and we for it
        with transaction.atomic():
            row = Dataset.objects.select_for_update().get(pk=dataset.pk)
            if row.parts != dataset.parts and job.import_mode == "INCREMENTAL":
                raise JobError("The dataset's rows were replaced while this job added to them; import again.")
            gone = [key for key in row.parts if key not in keys]
            row.parts, row.statistics, row.revision = keys, loaded.statistics, row.revision + 1
            row.save(update_fields=["parts", "statistics", "revision", "updated"])
            book()
            if not held.finish(report=report):
                raise jobs.Stopped
    _forget(gone)


def _forget(keys: list[str]) -> None:
    for key in keys:
        storage.delete(storage.store(key))
