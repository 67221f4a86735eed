"""Solutions and their versions; recommenders, which are a solution and a campaign in one."""

from __future__ import annotations

import re

from django.db import models

from console import arns
from console.models.base import Account, Job, JSONDict, Resource, Status, revived
from console.models.data import DatasetGroup


class Solution(Resource):
    """A recipe with its configuration on a dataset group; training makes versions of it. `config` is wire solutionConfig."""

    arn_type = "solution"

    dataset_group = models.ForeignKey(DatasetGroup, models.PROTECT, related_name="solutions")
    recipe = models.CharField(max_length=63, null=True)  # absent until AutoML has chosen
    perform_hpo = models.BooleanField(default=False)
    perform_auto_ml = models.BooleanField(default=False)
    perform_auto_training = models.BooleanField(default=True)
    perform_incremental_update = models.BooleanField(default=False)
    event_type = models.CharField(max_length=256, null=True)
    config = models.JSONField(default=dict)
    latest_update = models.JSONField(null=True)

    @classmethod
    def arn_hint(cls, account: Account, arn: arns.Arn) -> str:
        """Say so where the ARN of a version is given."""
        name, is_version, _ = arn.name.partition("/")
        if arn.type != cls.arn_type or not is_version:
            return arns.kind_hint(arn, cls.arn_type)
        return f" It names a solution version; its solution is {arns.Arn(account.number, cls.arn_type, name)}."

    @property
    def days_between_trainings(self) -> int:
        """Of automatic training: N of `rate(N days)`, 7 where nothing is said."""
        expression = self.config.get("autoTrainingConfig", {}).get("schedulingExpression", "")
        found = re.search(r"\d+", expression)
        return int(found.group()) if found else 7

    @property
    def latest_version(self) -> SolutionVersion | None:
        """The newest version, whatever its status."""
        return self.versions.first()

    def wire(self) -> JSONDict:
        latest = self.latest_version
        return super().wire() | {
            "solutionArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "recipeArn": arns.recipe_arn(self.recipe) if self.recipe and not self.perform_auto_ml else None,
            "performHPO": self.perform_hpo,
            "performAutoML": self.perform_auto_ml,
            "performAutoTraining": self.perform_auto_training,
            "performIncrementalUpdate": self.perform_incremental_update,
            "eventType": self.event_type,
            "solutionConfig": self.config or {},
            "autoMLResult": self._auto_ml_result(),
            "latestSolutionVersion": latest.wire() if latest else None,
            "latestSolutionUpdate": revived(self.latest_update),
        }

    def _auto_ml_result(self) -> JSONDict | None:
        chosen = self.perform_auto_ml and self.recipe
        return {"bestRecipeArn": arns.recipe_arn(self.recipe or "")} if chosen else None


class SolutionVersion(Job):
    """One training of a solution.

    `artefact` is the store's key of model and snapshot, `evaluation` that of the per-query results on the frozen test set;
    `metrics` are AWS's keys, `report` what people see besides (intervals, baselines, snapshot sizes, fingerprint).
    """

    arn_type = "solution"

    solution = models.ForeignKey(Solution, models.CASCADE, related_name="versions")
    identifier = models.CharField(max_length=8)
    training_mode = models.CharField(max_length=10, default="FULL")
    training_type = models.CharField(max_length=10, default="MANUAL")
    recipe = models.CharField(max_length=63, null=True)
    hyperparameters = models.JSONField(default=dict)  # those in force, tuned ones included
    tuned = models.JSONField(null=True)
    metrics = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    training_hours = models.FloatField(null=True)
    artefact = models.CharField(max_length=256, default="")
    evaluation = models.CharField(max_length=256, default="")
    damage = models.TextField(default="")  # what is wrong with the artefact's files, as it was last read

    class Meta(Resource.Meta):
        constraints = [models.UniqueConstraint(fields=["solution", "identifier"], name="solution_version_identifier")]

    def __str__(self) -> str:
        return self.arn_name

    @property
    def arn_name(self) -> str:
        return f"{self.solution.name}/{self.identifier}"

    @classmethod
    def arn_lookup(cls, name: str) -> JSONDict:
        solution, _, identifier = name.partition("/")
        return {"solution__name": solution, "identifier": identifier}

    @classmethod
    def kind_word(cls) -> str:
        return "solution-version"

    @classmethod
    def arn_hint(cls, account: Account, arn: arns.Arn) -> str:
        """Say so where a solution's ARN is given, and name its newest version."""
        solution = (
            Solution.objects.for_account(account).filter(name=arn.name).first() if arn.type == cls.arn_type else None
        )
        if solution is None:
            return arns.kind_hint(arn, cls.kind_word()) if arn.type != cls.arn_type else ""
        newest = solution.versions.filter(status=Status.ACTIVE).first() or solution.versions.first()
        if newest is None:
            return " It names a solution without versions; CreateSolutionVersion makes the one that is wanted."
        return (
            f" It names a solution; a solutionVersionArn is wanted, such as that of its newest version, {newest.arn}."
        )

    def wire(self) -> JSONDict:
        solution = self.solution
        return super().wire() | {
            "name": self.name or self.arn_name,
            "solutionVersionArn": self.arn,
            "solutionArn": solution.arn,
            "datasetGroupArn": solution.dataset_group.arn,
            "recipeArn": arns.recipe_arn(self.recipe) if self.recipe else None,
            "performHPO": solution.perform_hpo,
            "performAutoML": solution.perform_auto_ml,
            "performIncrementalUpdate": solution.perform_incremental_update,
            "eventType": solution.event_type,
            "solutionConfig": solution.config or {},
            "trainingHours": self.training_hours,
            "trainingMode": self.training_mode,
            "trainingType": self.training_type,
            "tunedHPOParams": {"algorithmHyperParameters": self.tuned} if self.tuned else None,
            "metrics": self.metrics,
        }


class Recommender(Job):
    """A domain use case: trained on creation, retrained on schedule, served until stopped. `config` is wire recommenderConfig."""

    arn_type = "recommender"

    dataset_group = models.ForeignKey(DatasetGroup, models.PROTECT, related_name="recommenders")
    recipe = models.CharField(max_length=63)
    config = models.JSONField(default=dict)
    latest_update = models.JSONField(null=True)
    metrics = models.JSONField(default=dict)
    report = models.JSONField(default=dict)
    artefact = models.CharField(max_length=256, default="")
    evaluation = models.CharField(max_length=256, default="")
    damage = models.TextField(default="")  # what is wrong with the artefact's files, as it was last read

    @property
    def is_serving(self) -> bool:
        """Whether it answers: from its first training until it is stopped, also while it is trained anew."""
        return bool(self.artefact) and self.status != Status.INACTIVE

    def wire(self) -> JSONDict:
        return super().wire() | {
            "status": Status.ACTIVE if self.is_serving else self.status,
            "recommenderArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "recipeArn": arns.recipe_arn(self.recipe),
            "recommenderConfig": self.config,
            "latestRecommenderUpdate": self._latest_update(),
            "modelMetrics": self.metrics if self.artefact else None,
        }

    def _latest_update(self) -> JSONDict | None:
        """The latest update; while it trains, or if that failed, its status tells, as the recommender goes on serving."""
        update = revived(self.latest_update)
        if update is None or self.status in {Status.ACTIVE, Status.INACTIVE}:
            return update
        return update | {"status": self.status, "failureReason": self.failure_reason}
