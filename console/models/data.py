"""Dataset groups and what they hold: schemas, datasets, their jobs, event trackers and streamed records."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.models.base import ENDED_BADLY, Job, JSONDict, Resource, Status, revived


class DatasetGroup(Resource):
    """A container: everything trained together lives in one."""

    arn_type = "dataset-group"

    domain = models.CharField(max_length=20, null=True)
    role_arn = models.CharField(max_length=256, null=True)
    kms_key_arn = models.CharField(max_length=2048, null=True)

    def wire(self) -> JSONDict:
        return super().wire() | {
            "datasetGroupArn": self.arn,
            "domain": self.domain,
            "roleArn": self.role_arn,
            "kmsKeyArn": self.kms_key_arn,
        }


class Schema(Resource):
    """An Avro record that says what a dataset's columns are."""

    arn_type = "schema"

    domain = models.CharField(max_length=20, null=True)
    text = models.TextField()

    def wire(self) -> JSONDict:
        return super().wire() | {"schemaArn": self.arn, "schema": self.text, "domain": self.domain}


class Dataset(Resource):
    """One table of a group. Its bulk rows are Parquet parts in the store, listed in `parts`, oldest first.

    `revision` counts every change of the data; `statistics` describes the bulk rows for people (rows, columns, ranges);
    `display` says which columns of items the console shows as title, subtitle and picture.
    """

    arn_type = "dataset"

    dataset_group = models.ForeignKey(DatasetGroup, models.PROTECT, related_name="datasets")
    schema = models.ForeignKey(Schema, models.PROTECT, related_name="datasets")
    type = models.CharField(max_length=30)
    tracking_id = models.CharField(max_length=36, null=True, unique=True)
    latest_update = models.JSONField(null=True)
    parts = models.JSONField(default=list)
    revision = models.PositiveIntegerField(default=0)
    statistics = models.JSONField(default=dict)
    display = models.JSONField(default=dict)

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["dataset_group", "type"], name="dataset_type")]

    @property
    def arn_name(self) -> str:
        return f"{self.dataset_group.name}/{self.type}"

    @classmethod
    def arn_lookup(cls, name: str) -> JSONDict:
        group, _, kind = name.partition("/")
        return {"dataset_group__name": group, "type": kind}

    @property
    def rows(self) -> int:
        """Bulk rows imported."""
        return int(self.statistics.get("rows", 0))

    def wire(self) -> JSONDict:
        return super().wire() | {
            "datasetArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "datasetType": self.type,
            "schemaArn": self.schema.arn,
            "trackingId": self.tracking_id,
            "latestDatasetUpdate": revived(self.latest_update),
            "display": self.display or None,  # for the audit; AWS's shapes cut it off
        }


class DatasetImportJob(Job):
    """Brings CSV rows into a dataset. `report` counts rows, rejected rows, and samples them for people."""

    arn_type = "dataset-import-job"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="import_jobs")
    data_location = models.CharField(max_length=256)
    role_arn = models.CharField(max_length=256, null=True)
    import_mode = models.CharField(max_length=20, default="FULL")
    publish_attribution_metrics = models.BooleanField(default=False)
    options = models.JSONField(default=dict)  # how the file is read when it is not AWS's format: see runners/importing
    report = models.JSONField(default=dict)

    @property
    def imported_rows(self) -> int | None:
        """How many rows the dataset has taken: none of a job that failed, whatever was read."""
        return 0 if self.status in ENDED_BADLY and self.report else self.report.get("imported")

    def wire(self) -> JSONDict:
        return super().wire() | {
            "jobName": self.name,
            "datasetImportJobArn": self.arn,
            "datasetArn": self.dataset.arn,
            "dataSource": {"dataLocation": self.data_location},
            "roleArn": self.role_arn,
            "importMode": self.import_mode,
            "publishAttributionMetricsToS3": self.publish_attribution_metrics,
        }


class DatasetExportJob(Job):
    """Writes a dataset's rows as CSV."""

    arn_type = "dataset-export-job"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="export_jobs")
    ingestion_mode = models.CharField(max_length=10, default="PUT")
    role_arn = models.CharField(max_length=256)
    job_output = models.JSONField()

    def wire(self) -> JSONDict:
        return super().wire() | {
            "jobName": self.name,
            "datasetExportJobArn": self.arn,
            "datasetArn": self.dataset.arn,
            "ingestionMode": self.ingestion_mode,
            "roleArn": self.role_arn,
            "jobOutput": self.job_output,
        }


class DataDeletionJob(Job):
    """Removes users from a group: bulk rows, streamed events, histories inside served models."""

    arn_type = "data-deletion-job"
    waiting, running, done, failed = Status.PENDING, Status.IN_PROGRESS, Status.COMPLETED, Status.FAILED

    dataset_group = models.ForeignKey(DatasetGroup, models.CASCADE, related_name="deletion_jobs")
    data_location = models.CharField(max_length=256)
    role_arn = models.CharField(max_length=256)
    num_deleted = models.IntegerField(null=True)

    def wire(self) -> JSONDict:
        return super().wire() | {
            "jobName": self.name,
            "dataDeletionJobArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "dataSource": {"dataLocation": self.data_location},
            "roleArn": self.role_arn,
            "numDeleted": self.num_deleted,
        }


class DataInsightsJob(Job):
    """Looks at all the data of a group; `report` is what it found, as recipes.profiling tells it."""

    arn_type = "data-insights-job"

    dataset_group = models.ForeignKey(DatasetGroup, models.CASCADE, related_name="insights_jobs")
    report = models.JSONField(default=dict)

    def wire(self) -> JSONDict:
        return super().wire() | {
            "jobName": self.name,
            "dataInsightsJobArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
        }


class EventTracker(Resource):
    """Takes a group's live events; its tracking id is the key that clients carry."""

    arn_type = "event-tracker"

    dataset_group = models.ForeignKey(DatasetGroup, models.PROTECT, related_name="event_trackers")
    identifier = models.CharField(max_length=8)
    tracking_id = models.CharField(max_length=36, unique=True)
    ingest_key = models.CharField(
        max_length=40, unique=True, null=True
    )  # stands in pages: it may only write events here
    ingest_origins = models.TextField(default="")  # of the pages that may use it, separated by blanks; any if empty

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["dataset_group"], name="one_tracker_per_group")]

    @property
    def arn_name(self) -> str:
        return self.identifier

    @classmethod
    def arn_lookup(cls, name: str) -> JSONDict:
        return {"identifier": name}

    def wire(self) -> JSONDict:
        return super().wire() | {
            "eventTrackerArn": self.arn,
            "accountId": self.account.number,
            "trackingId": self.tracking_id,
            "datasetGroupArn": self.dataset_group.arn,
        }


class Event(models.Model):
    """One streamed interaction (with an item, or with an action where `is_action`)."""

    dataset_group = models.ForeignKey(DatasetGroup, models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=256)
    user_id = models.CharField(max_length=256)  # the session's id while nobody is signed in
    session_id = models.CharField(max_length=256)
    is_anonymous = models.BooleanField(default=False)
    is_action = models.BooleanField(default=False)
    item_id = models.CharField(max_length=256)
    event_type = models.CharField(max_length=256)
    event_value = models.FloatField(null=True)
    timestamp = models.BigIntegerField()
    recommendation_id = models.CharField(max_length=40, null=True)
    impression = models.JSONField(default=list)
    attribution_source = models.CharField(max_length=1024, null=True)
    properties = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["dataset_group", "user_id", "timestamp"], name="event_history"),
            models.Index(fields=["dataset_group", "session_id", "is_anonymous", "user_id"], name="event_visitors"),
            models.Index(
                fields=["recommendation_id"], condition=Q(recommendation_id__isnull=False), name="event_recommendation"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["dataset_group", "event_id"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.event_type} {self.item_id}"


class SeenList(models.Model):
    """A list that was recommended to a user who was there to see it: some event of the user followed soon."""

    dataset_group = models.ForeignKey(DatasetGroup, models.CASCADE, related_name="seen_lists")
    recommendation_id = models.CharField(max_length=40)
    user_id = models.CharField(max_length=256)
    timestamp = models.BigIntegerField()  # by the clock of the events around it
    items = models.JSONField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["dataset_group", "user_id"], name="seen_list_user")]
        constraints = [
            models.UniqueConstraint(fields=["dataset_group", "recommendation_id"], name="seen_list_once"),
        ]

    def __str__(self) -> str:
        return self.recommendation_id


class Record(models.Model):
    """An item, user or action put one by one; it replaces the bulk row of the same id. Keys are the schema's columns."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="records")
    entity_id = models.CharField(max_length=256)
    values = models.JSONField(default=dict)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "entity_id"], name="record_once")]

    def __str__(self) -> str:
        return self.entity_id
