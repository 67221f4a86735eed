"""What was deleted in the console and can still be had back: the rows as they were, and the files they stand for."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from console.models.base import Account, JSONDict

KEPT_FOR = timedelta(days=7)


class Trash(models.Model):
    """One deleted resource with all that went with it. `rows` is Django's serialization, `folders` are keys of the store."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="trash")
    time = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    kind = models.CharField(max_length=63)
    name = models.CharField(max_length=128)
    arn = models.CharField(max_length=512)
    dataset_group = models.BigIntegerField(null=True)  # not a relation: the group may go while this stays
    rows = models.JSONField()
    folders = models.JSONField(default=list)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.arn

    def wire(self) -> JSONDict:
        """By wire names."""
        return {
            "trashId": str(self.pk), "resourceArn": self.arn, "kind": self.kind, "name": self.name, "actor": self.actor,
            "deleted": self.time, "expires": self.time + KEPT_FOR, "rows": len(self.rows),
        }  # fmt: skip
