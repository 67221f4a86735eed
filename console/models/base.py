"""What every resource has: an owner, a name, a status, times, tags and an ARN; and what every job has besides."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from console import arns
from console.errors import ResourceNotFoundException
from console.pace import is_overdue, shown

JSONDict = dict[str, Any]


class Status(models.TextChoices):
    """AWS's life cycle words."""

    CREATE_PENDING = "CREATE PENDING"
    CREATE_IN_PROGRESS = "CREATE IN_PROGRESS"
    ACTIVE = "ACTIVE"
    CREATE_FAILED = "CREATE FAILED"
    CREATE_STOPPING = "CREATE STOPPING"
    CREATE_STOPPED = "CREATE STOPPED"
    INACTIVE = "INACTIVE"
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


WAITING = (Status.CREATE_PENDING, Status.PENDING)
RUNNING = (Status.CREATE_IN_PROGRESS, Status.CREATE_STOPPING, Status.IN_PROGRESS)
UNFINISHED = (*WAITING, *RUNNING)
ENDED_BADLY = (Status.CREATE_FAILED, Status.CREATE_STOPPED, Status.FAILED)


def update_summary(status: str = Status.ACTIVE, **members: Any) -> JSONDict:
    """What a latest…Update column holds: the changed members and when, as JSON values."""
    now = timezone.now().isoformat()
    return members | {"status": status, "creationDateTime": now, "lastUpdatedDateTime": now}


def revived(update: JSONDict | None) -> JSONDict | None:
    """A latest…Update column as it travels: with times instead of their text."""
    if update is None:
        return None
    written = {key: value for key, value in update.items() if key.endswith("DateTime") and isinstance(value, str)}
    return update | {key: datetime.fromisoformat(value) for key, value in written.items()}


class Account(models.Model):
    """A tenant: nothing of one account is visible to another."""

    number = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=63, unique=True)
    created = models.DateTimeField(default=timezone.now)
    limits = models.JSONField(default=dict)  # its own, by name; the server's hold for what is not in it

    def __str__(self) -> str:
        return self.name


class ResourceQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Look-ups that never leave the account."""

    def for_account(self, account: Account) -> Self:
        """Only what belongs to `account`."""
        return self.filter(account=account)

    def by_arn(self, account: Account, arn: str, *, field: str | None = None) -> Any:
        """The one resource that `arn` names.

        Raises:
            ResourceNotFoundException: it names nothing of this account, or something of another kind.
        """
        parsed = arns.parse(arn, wanted=self.model.kind_word(), field=field)
        row = None
        if parsed.account == account.number and parsed.type == self.model.arn_type:
            row = self.for_account(account).filter(**self.model.arn_lookup(parsed.name)).first()
        if row is None:
            hint = arns.account_hint(parsed, account.number) or self.model.arn_hint(account, parsed)
            raise ResourceNotFoundException(f"Resource Arn {arn} does not exist.{hint}", field=field)
        return row


class Resource(models.Model):
    """A named thing of an account. Its status is where it stands in AWS's life cycle."""

    arn_type: ClassVar[str]

    account = models.ForeignKey(Account, models.CASCADE)
    name = models.CharField(max_length=63)
    status = models.CharField(max_length=30, choices=Status.choices, default=Status.ACTIVE)
    failure_reason = models.TextField(null=True)
    tags = models.JSONField(default=dict)
    created = models.DateTimeField(default=timezone.now)
    updated = models.DateTimeField(auto_now=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created", "-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="%(class)s_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def arn_name(self) -> str:
        """The ARN's last part; what REST and the pages address the resource by."""
        return self.name

    @classmethod
    def arn_lookup(cls, name: str) -> JSONDict:
        """The query that finds the row of an ARN's last part."""
        return {"name": name}

    @classmethod
    def arn_hint(cls, account: Account, arn: arns.Arn) -> str:  # noqa: ARG003  models that look at rows need it
        """What may be meant by an ARN of the account that names none of these: a sentence after a blank, or nothing."""
        return arns.kind_hint(arn, cls.arn_type)

    @classmethod
    def kind_word(cls) -> str:
        """What ARNs of this kind name, in words joined by hyphens."""
        return cls.arn_type

    @property
    def arn(self) -> str:
        """The resource's ARN."""
        return str(arns.Arn(self.account.number, self.arn_type, self.arn_name))

    def wire(self) -> JSONDict:
        """All members by their wire names; the operation's output shape keeps those it declares."""
        return {
            "name": self.name,
            "status": self.status,
            "failureReason": self.failure_reason,
            "creationDateTime": self.created,
            "lastUpdatedDateTime": self.updated,
        }


class Job(Resource):
    """A resource that a worker makes. The row is the job: its status moves by compare-and-set (console.jobs).

    `progress` holds {"stage", "fraction", "epochs": [{"epoch", "loss", …}], "log": […]} for those who watch,
    and "secondsLeft" as of "leftAt" once something is known.
    """

    status = models.CharField(max_length=30, choices=Status.choices, default=Status.CREATE_PENDING)
    claim = models.CharField(max_length=32, default="")
    attempts = models.PositiveIntegerField(default=0)
    heartbeat = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    traceback = models.TextField(default="")

    waiting: ClassVar[Status] = Status.CREATE_PENDING
    running: ClassVar[Status] = Status.CREATE_IN_PROGRESS
    done: ClassVar[Status] = Status.ACTIVE
    failed: ClassVar[Status] = Status.CREATE_FAILED
    RETRIABLE: ClassVar[tuple[Status, ...]] = ENDED_BADLY

    class Meta(Resource.Meta):
        abstract = True

    @property
    def is_unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.status in UNFINISHED

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has been running."""
        return ((self.finished or timezone.now()) - self.started).total_seconds() if self.started else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will go on, by its speed so far; None where nothing is known."""
        left, since = self._said_left
        return None if left is None or is_overdue(left, since) else shown(left, since)

    @property
    def is_overdue(self) -> bool:
        """Whether it has run on for longer than it was last said to, so that the estimate says nothing any more."""
        left, since = self._said_left
        return left is not None and is_overdue(left, since)

    @property
    def _said_left(self) -> tuple[float | None, float]:
        left = self.progress.get("secondsLeft") if self.progress and not self.finished else None
        return left, timezone.now().timestamp() - self.progress["leftAt"] if left is not None else 0.0
