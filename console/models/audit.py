"""Who changed what: one row for each write that went through an operation."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.models.base import Account, JSONDict


class AuditEntry(models.Model):
    """A change of one resource, which may be gone by now: it is named by its ARN. `before` and `after` are wire members."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="audit")
    time = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=150)
    door = models.CharField(max_length=20)
    operation = models.CharField(max_length=100)
    arn = models.CharField(max_length=512)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "arn"], name="audit_of_resource")]

    def __str__(self) -> str:
        return f"{self.operation} by {self.actor}"

    @property
    def changes(self) -> list[tuple[str, object, object]]:
        """Members that differ, as (name, before, after); times of the change itself left out."""
        before, after = self.before or {}, self.after or {}
        names = [name for name in {**before, **after} if not name.startswith("lastUpdated")]
        return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]

    def wire(self) -> JSONDict:
        """By wire names."""
        changes = [{"member": name, "before": _text(old), "after": _text(new)} for name, old, new in self.changes]
        return {
            "time": self.time, "actor": self.actor, "door": self.door, "operation": self.operation, "resourceArn": self.arn,
            "changes": changes,
        }  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)
