"""Versions evaluated together on one frozen test set, for those that were trained on different data."""

from __future__ import annotations

from django.db import models

from console.models.base import Job, JSONDict, Resource
from console.models.data import DatasetGroup
from console.models.training import SolutionVersion


class SharedEvaluation(Job):
    """A test that two to six versions are put to together. `method` is how nobody was let see the answers."""

    class Method(models.TextChoices):
        """AUTO takes newer events where there are enough."""

        AUTO = "AUTO", "newer events if there are enough, else learned anew"
        NEWER_EVENTS = "NEWER_EVENTS", "newer events"
        REFIT = "REFIT", "learned anew"

    arn_type = "shared-evaluation"

    dataset_group = models.ForeignKey(DatasetGroup, models.CASCADE, related_name="shared_evaluations")
    method = models.CharField(max_length=20, choices=Method.choices, default=Method.AUTO)
    report = models.JSONField(default=dict)

    class Meta(Resource.Meta):
        pass

    def wire(self) -> JSONDict:
        results = self.results.select_related("solution_version__account", "solution_version__solution")
        return super().wire() | {
            "sharedEvaluationArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn,
            "solutionVersionArns": [result.solution_version.arn for result in results],
            "method": self.method,
            "stage": self.progress.get("stage"),
            "fraction": self.progress.get("fraction"),
            "numQueries": self.report.get("num_queries"),
            "seenUntil": self.report.get("seen_until"),
            "note": self.report.get("note"),
        }


class SharedResult(models.Model):
    """What came of one version in a shared evaluation; `evaluation` is the store's key of its per-query results."""

    shared_evaluation = models.ForeignKey(SharedEvaluation, models.CASCADE, related_name="results")
    solution_version = models.ForeignKey(SolutionVersion, models.CASCADE, related_name="shared_results")
    evaluation = models.CharField(max_length=256, default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["shared_evaluation", "solution_version"], name="shared_result_once")
        ]

    def __str__(self) -> str:
        return f"{self.solution_version} in {self.shared_evaluation}"
