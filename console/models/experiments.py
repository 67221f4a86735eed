"""Controlled experiments: a campaign's users, split between the version it serves and another, or given both in one list."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from console.models.base import JSONDict, Resource
from console.models.data import DatasetGroup
from console.models.serving import Campaign
from console.models.training import SolutionVersion


class Experiment(Resource):
    """An experiment. Who gets which version follows from `salt` and the user's id; nothing else is kept of that.

    `treatment` holds the version while it runs, so that it cannot be deleted; the ARNs stay for reading. `counts` are the
    rows of serving.outcomes (of an interleaving: the sums of serving.interleaving) as they were at the end, when the users
    themselves are forgotten.
    """

    class Kind(models.TextChoices):
        """Users are split, or get lists into which both versions put items."""

        SPLIT = "SPLIT"
        INTERLEAVED = "INTERLEAVED"

    class State(models.TextChoices):
        """It runs until it is stopped, or until the treatment is given to everybody."""

        RUNNING = "RUNNING"
        STOPPED = "STOPPED"
        PROMOTED = "PROMOTED"

    arn_type = "experiment"

    status = models.CharField(max_length=30, choices=State.choices, default=State.RUNNING)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.SPLIT)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="experiments")
    treatment = models.ForeignKey(SolutionVersion, models.PROTECT, null=True, related_name="experiments")
    control_arn = models.CharField(max_length=256)
    treatment_arn = models.CharField(max_length=256)
    salt = models.CharField(max_length=32)
    traffic_share = (
        models.PositiveSmallIntegerField()
    )  # percent of the users that get the treatment, or interleaved lists
    event_types = models.JSONField(default=list)  # empty for all
    minimum_effect = models.FloatField()  # the lift that is worth finding: 0.05 for five percent
    ended = models.DateTimeField(null=True)
    counts = models.JSONField(default=list)

    class Meta(Resource.Meta):
        constraints = [
            *Resource.Meta.constraints,
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(status="RUNNING"), name="one_running_experiment_per_campaign"
            ),
            models.CheckConstraint(
                condition=Q(status="RUNNING", treatment__isnull=False) | (~Q(status="RUNNING") & Q(treatment=None)),
                name="running_experiments_have_a_treatment",
            ),
        ]

    @property
    def is_running(self) -> bool:
        """Whether users are split right now."""
        return self.status == self.State.RUNNING

    @property
    def is_interleaved(self) -> bool:
        """Whether both versions put items into the same lists."""
        return self.kind == self.Kind.INTERLEAVED

    @property
    def dataset_group(self) -> DatasetGroup:
        """The group of its campaign."""
        group: DatasetGroup = self.campaign.solution_version.solution.dataset_group
        return group

    def wire(self) -> JSONDict:
        return super().wire() | {
            "experimentArn": self.arn,
            "kind": self.kind,
            "campaignArn": self.campaign.arn,
            "controlVersionArn": self.control_arn,
            "treatmentVersionArn": self.treatment_arn,
            "trafficShare": self.traffic_share,
            "outcomeEventTypes": self.event_types,
            "minimumEffect": self.minimum_effect,
            "endDateTime": self.ended,
        }


class ExperimentUser(models.Model):
    """A user who was given a list in a running experiment, and when for the first time (epoch seconds)."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="users")
    user_id = models.CharField(max_length=256)
    is_treatment = models.BooleanField()
    time = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["experiment", "user_id"], name="experiment_user_once")]

    def __str__(self) -> str:
        return self.user_id


class InterleavedList(models.Model):
    """A list into which both versions of an experiment put items, and how much higher the treatment had each."""

    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="lists")
    recommendation_id = models.CharField(max_length=40)
    user_id = models.CharField(max_length=256)
    time = models.BigIntegerField()
    items = models.JSONField()
    advantages = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recommendation_id"], name="interleaved_list_once")]
        indexes = [models.Index(fields=["experiment", "user_id"], name="interleaved_list_user")]

    def __str__(self) -> str:
        return self.recommendation_id
