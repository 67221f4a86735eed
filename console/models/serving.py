"""What serves a version: campaigns, filters, batch jobs and the attribution of outcomes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from console.models.base import Job, JSONDict, Resource, revived
from console.models.data import DatasetGroup
from console.models.training import SolutionVersion


class Campaign(Resource):
    """A solution version put up for requests. `config` is wire campaignConfig; `previous_version` is for rolling back."""

    arn_type = "campaign"

    solution_version = models.ForeignKey(SolutionVersion, models.PROTECT, related_name="campaigns")
    previous_version = models.ForeignKey(SolutionVersion, models.SET_NULL, null=True, related_name="+")
    min_provisioned_tps = models.PositiveIntegerField(default=1)
    config = models.JSONField(default=dict)
    latest_update = models.JSONField(null=True)

    @property
    def follows_latest(self) -> bool:
        """Whether each new version of the solution is taken over."""
        return bool(self.config.get("syncWithLatestSolutionVersion"))

    def wire(self) -> JSONDict:
        return super().wire() | {
            "campaignArn": self.arn,
            "solutionVersionArn": self.solution_version.arn,
            "minProvisionedTPS": self.min_provisioned_tps,
            "campaignConfig": self.config or {},
            "latestCampaignUpdate": revived(self.latest_update),
        }


class Filter(Resource):
    """A filter expression, checked against the group's schemas when it was made."""

    arn_type = "filter"

    dataset_group = models.ForeignKey(DatasetGroup, models.PROTECT, related_name="filters")
    expression = models.TextField()

    def wire(self) -> JSONDict:
        return super().wire() | {
            "filterArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "filterExpression": self.expression,
        }


class BatchJob(Job):
    """What batch inference and segment jobs share: JSON Lines in, JSON Lines out."""

    role_arn = models.CharField(max_length=256)
    num_results = models.PositiveIntegerField(default=25)
    job_input = models.JSONField()
    job_output = models.JSONField()
    report = models.JSONField(default=dict)
    filter: Any  # each kind of job declares its own, with its own reverse name
    solution_version: Any

    class Meta(Job.Meta):
        abstract = True

    def wire(self) -> JSONDict:
        filter_ = self.filter
        return super().wire() | {
            "jobName": self.name,
            "solutionVersionArn": self.solution_version.arn,
            "filterArn": filter_.arn if filter_ else None,
            "roleArn": self.role_arn,
            "numResults": self.num_results,
            "jobInput": self.job_input,
            "jobOutput": self.job_output,
        }


class BatchInferenceJob(BatchJob):
    """Recommendations for many users, items or lists at once."""

    arn_type = "batch-inference-job"

    solution_version = models.ForeignKey(SolutionVersion, models.CASCADE, related_name="batch_inference_jobs")
    filter = models.ForeignKey(Filter, models.SET_NULL, null=True, related_name="batch_inference_jobs")
    config = models.JSONField(null=True)
    mode = models.CharField(max_length=20, default="BATCH_INFERENCE")
    theme_generation_config = models.JSONField(null=True)

    def wire(self) -> JSONDict:
        return super().wire() | {
            "batchInferenceJobArn": self.arn,
            "batchInferenceJobConfig": self.config,
            "batchInferenceJobMode": self.mode,
            "themeGenerationConfig": self.theme_generation_config,
        }


class BatchSegmentJob(BatchJob):
    """Users with affinity to items or attributes."""

    arn_type = "batch-segment-job"

    solution_version = models.ForeignKey(SolutionVersion, models.CASCADE, related_name="batch_segment_jobs")
    filter = models.ForeignKey(Filter, models.SET_NULL, null=True, related_name="batch_segment_jobs")

    def wire(self) -> JSONDict:
        return super().wire() | {"batchSegmentJobArn": self.arn}


class MetricAttribution(Resource):
    """Which outcomes are counted and where reports go. `metrics` and `output` are wire members."""

    arn_type = "metric-attribution"

    dataset_group = models.OneToOneField(DatasetGroup, models.PROTECT, related_name="metric_attribution")
    metrics = models.JSONField(default=list)
    output = models.JSONField(default=dict)

    def wire(self) -> JSONDict:
        return super().wire() | {
            "metricAttributionArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "metrics": self.metrics,
            "metricsOutputConfig": self.output,
        }


class AttributedSum(models.Model):
    """A running sum of one metric by source and 15-minute window.

    `method` says how its events came, PUT or BULK; `reported` is how much of `value` reports hold.
    """

    metric_attribution = models.ForeignKey(MetricAttribution, models.CASCADE, related_name="sums")
    metric_name = models.CharField(max_length=256)
    event_type = models.CharField(max_length=256)
    function = models.CharField(max_length=20, default="samplecount")
    method = models.CharField(max_length=10, default="PUT")
    source = models.CharField(max_length=1024)
    window = models.BigIntegerField()
    value = models.FloatField(default=0)
    reported = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["metric_attribution", "metric_name", "event_type", "function", "method", "source", "window"],
                name="attributed_sum_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_name} of {self.source}"


class AttributionReport(models.Model):
    """A report of sums as CSV: written below the store in the step that made its rows count as reported, then published.

    `draft` is its key of the store, where it stays for the console; `location` is where it goes.
    """

    metric_attribution = models.ForeignKey(MetricAttribution, models.CASCADE, related_name="reports")
    name = models.CharField(max_length=200)
    method = models.CharField(max_length=10)
    location = models.CharField(max_length=1024)
    draft = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()
    created = models.DateTimeField(default=timezone.now)
    published = models.DateTimeField(null=True)
    problem = models.TextField(default="")

    class Meta:
        ordering = ["-created", "-pk"]
        constraints = [models.UniqueConstraint(fields=["metric_attribution", "name"], name="attribution_report_name")]

    def __str__(self) -> str:
        return self.name

    def wire(self) -> JSONDict:
        """As ListAttributionReports tells it."""
        return {
            "name": self.name,
            "importMethod": self.method,
            "location": self.location,
            "rows": self.rows,
            "status": "PUBLISHED" if self.published else "PENDING",
            "failureReason": self.problem or None,
            "creationDateTime": self.created,
            "publicationDateTime": self.published,
        }
