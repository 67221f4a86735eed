"""Sample data on its way into an account."""

from __future__ import annotations

from django.db import models

from console.models.base import Job, JSONDict
from console.models.data import DatasetGroup


class SampleLoad(Job):
    """Brings a sample through the whole way: data, solutions, versions, campaigns. Its name is the sample's."""

    arn_type = "sample"

    dataset_group = models.ForeignKey(DatasetGroup, models.SET_NULL, null=True, related_name="+")

    def wire(self) -> JSONDict:
        return super().wire() | {
            "sampleName": self.name,
            "sampleArn": self.arn,
            "datasetGroupArn": self.dataset_group.arn if self.dataset_group else None,
            "stage": self.progress.get("stage"),
            "fraction": self.progress.get("fraction"),
        }
