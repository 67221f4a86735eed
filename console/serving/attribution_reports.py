"""Reports of metric attributions as CSV files in the folder that their owner named.

A report is written below the store first. In one transaction its row is made and what it holds counts as reported; then it is
published, whole, under a name that does not change, and again by the clock until that succeeds. So each count is reported once:
a file that comes late or twice is the same file. That of an import stands there before its job is ACTIVE, for those who wait
for the job and then read.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pyarrow import csv

from console import storage
from console.errors import JobError, ServiceError, UnavailableError
from console.ingest import parts
from console.ingest.schema import DatasetSchema
from console.models import AttributedSum, AttributionReport, DatasetImportJob, MetricAttribution
from console.server_paths import reason_of
from console.serving import attribution as counting
from console.tenancy import location_for

logger = logging.getLogger(__name__)
NAME = "AggregatedAttributionMetrics - {} - {}.csv"


@dataclass(frozen=True)
class ImportCounts:
    """What the rows of an import add up to, not booked yet."""

    attribution: MetricAttribution
    sums: pa.Table


def folder_of(attribution: MetricAttribution) -> str:
    """Where an attribution's reports go; empty if nowhere."""
    return str(attribution.output.get("s3DataDestination", {}).get("path") or "")


def report_due(now: datetime | None = None) -> int:
    """Write the streamed sums of each attribution whose time has come, and publish what waits; returns how many were published."""
    now = now or timezone.now()
    rows = MetricAttribution.objects.select_related("account", "dataset_group")
    for attribution in rows:
        if folder_of(attribution) and _is_due(attribution, now):
            report_streamed(attribution, int(now.timestamp()) // _interval_s() * _interval_s())
    waiting = AttributionReport.objects.filter(published=None).select_related("metric_attribution__account")
    return sum(publish(report) for report in waiting)


def report_streamed(attribution: MetricAttribution, until: int | None = None) -> AttributionReport | None:
    """Write what was streamed and not reported yet, of windows that ended by `until` where it is given; None if there is nothing."""
    with transaction.atomic():
        row = MetricAttribution.objects.select_for_update().select_related("account").filter(pk=attribution.pk).first()
        if row is None or not folder_of(row):
            return None
        sums = AttributedSum.objects.filter(metric_attribution=row, method=counting.STREAMED)
        if until is not None:
            sums = sums.filter(window__lte=until - counting.WINDOW_S)
        unreported = [each for each in sums.order_by("window", "metric_name", "source") if each.value != each.reported]
        if not unreported:
            return None
        report = _drafted(row, counting.STREAMED, _table(unreported), until or int(timezone.now().timestamp()))
        report.save()
        for each in unreported:
            each.reported = each.value  # what is added meanwhile is reported next time
        AttributedSum.objects.bulk_update(unreported, ["reported"], batch_size=200)
    return report


def count_import(job: DatasetImportJob, schema: DatasetSchema, paths: Iterable[Path]) -> ImportCounts | None:
    """Add up the rows that an import brings, where the group has a metric attribution that wants them."""
    if job.dataset.type != "INTERACTIONS" or not _wants(job):
        return None
    rows = MetricAttribution.objects.select_related("account", "dataset_group")
    attribution = rows.filter(dataset_group=job.dataset.dataset_group_id).first()
    if attribution is None:
        return None
    columns = counting.columns_for(attribution)
    tables = (
        parts.fitted(table, columns) for path in paths for table in parts.batches(path, _wider(schema.arrow(), columns))
    )
    return ImportCounts(attribution, counting.imported(attribution, tables))


@contextmanager
def announced(job: DatasetImportJob, counts: ImportCounts | None) -> Iterator[Callable[[], None]]:
    """Publish the report of an import that asks for one before it ends, and take it back should the import come to nothing.

    The report's name holds the time when the job was made, so that a second attempt at the job writes the same file.

    Yields:
        what takes over the import's sums and report, to be called in the transaction that ends the import.
    """
    report = _announce(job, counts) if counts else None
    try:
        yield partial(_book, job, counts, report)
    except BaseException:
        if report:
            storage.delete(storage.parse_location(report.location))
            storage.delete(storage.store(report.draft))
        raise


def _announce(job: DatasetImportJob, counts: ImportCounts) -> AttributionReport | None:
    if not job.publish_attribution_metrics or not folder_of(counts.attribution):
        return None
    report = _drafted(counts.attribution, counting.IMPORTED, counts.sums, int(job.created.timestamp()))
    report.problem = _copied(report)
    report.published = None if report.problem else timezone.now()
    return report


def _book(job: DatasetImportJob, counts: ImportCounts | None, report: AttributionReport | None) -> None:
    """What is added to the data is added to the sums; what replaces them all is only reported."""
    rows = MetricAttribution.objects.select_related("account")
    attribution = rows.filter(pk=counts.attribution.pk).first() if counts else None
    if counts is None or attribution is None:  # deleted meanwhile
        return
    if job.import_mode == "INCREMENTAL":
        counting.book(attribution, counting.recent(counts.sums), counting.IMPORTED)
    if report:
        report.save()


def publish(report: AttributionReport) -> bool:
    """Put a report where it belongs; the reason stays on the row if that fails, and it is tried again by the clock."""
    problem = _copied(report)
    published = {} if problem else {"published": timezone.now()}
    AttributionReport.objects.filter(pk=report.pk).update(problem=problem, **published)
    return not problem


def _copied(report: AttributionReport) -> str:
    """Copy the draft to where the report belongs; returns what is in the way of that, "" for nothing."""
    try:
        target = location_for(report.metric_attribution.account, report.location)
        with storage.open_read(storage.store(report.draft)) as draft, storage.open_write(target) as sink:
            shutil.copyfileobj(draft, sink)
    except (JobError, UnavailableError, ServiceError, OSError) as error:
        logger.warning("%s was not published: %s", report.location, error)
        return str(error) if not isinstance(error, OSError) else reason_of(error)
    return ""


def _wants(job: DatasetImportJob) -> bool:
    return job.publish_attribution_metrics or job.import_mode == "INCREMENTAL"


def _wider(known: pa.Schema, wanted: pa.Schema) -> pa.Schema:
    """The columns that counting reads, of the types they are kept in."""
    return pa.schema([known.field(field.name) if field.name in known.names else field for field in wanted])


def _drafted(attribution: MetricAttribution, method: str, sums: pa.Table, stamp: int) -> AttributionReport:
    """A draft below the store and its row, which is not saved."""
    draft = f"attribution/{attribution.pk}/{uuid4().hex}.csv"
    with storage.open_write(storage.store(draft)) as file:
        csv.write_csv(sums, file)
    while attribution.reports.filter(name=NAME.format(method, stamp)).exists():
        stamp += 1
    name = NAME.format(method, stamp)
    folder = storage.parse_location(folder_of(attribution))
    return AttributionReport(
        metric_attribution=attribution,
        name=name,
        method=method,
        location=str(folder.child(name)),
        draft=draft,
        rows=len(sums),
    )


def _table(unreported: list[AttributedSum]) -> pa.Table:
    columns = [
        [each.metric_name for each in unreported],
        [each.event_type for each in unreported],
        [each.value - each.reported for each in unreported],
        [each.function for each in unreported],
        [each.source for each in unreported],
        [each.window for each in unreported],
    ]
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, counting.REPORTED, strict=True)],
                    schema=counting.REPORTED)  # fmt: skip


def _is_due(attribution: MetricAttribution, now: datetime) -> bool:
    last = attribution.reports.filter(method=counting.STREAMED).values_list("created", flat=True).first()
    since = last or attribution.created
    return int(since.timestamp()) // _interval_s() < int(now.timestamp()) // _interval_s()


def _interval_s() -> int:
    return int(timedelta(hours=settings.ATTRIBUTION_REPORT_HOURS).total_seconds())
