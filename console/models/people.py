"""Who may do what: people belong to an account with a role; programs sign with access keys or carry tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.models.base import Account
from console.models.sealed import SealedField
from console.transient import survived

USE_NOTED_EVERY = timedelta(minutes=5)


class Member(models.Model):
    """A person's place in an account."""

    class Role(models.TextChoices):
        """What a member may do."""

        ADMIN = "admin"
        VIEWER = "viewer"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.ADMIN)
    preferences = models.JSONField(default=dict)  # how this person likes the pages: {"columns": {list: [labels]}}

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"

    @property
    def may_write(self) -> bool:
        """Whether operations that change something are open to this member."""
        return self.role == self.Role.ADMIN


class Credential(models.Model):
    """What a program comes in with; it may expire, and says when it was last used."""

    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True)
    last_used = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_expired(self) -> bool:
        """Whether it opens nothing any more."""
        return self.expires is not None and self.expires <= timezone.now()

    def used(self) -> None:
        """Keep when it was used, to some minutes; a database that cannot be written to holds nobody up."""
        now = timezone.now()
        if self.last_used is None or now - self.last_used > USE_NOTED_EVERY:
            with survived("Noting the use of a credential"):
                type(self)._default_manager.filter(pk=self.pk).update(last_used=now)


def expiry(days: int | None) -> datetime | None:
    """When something expires that is to last so many days; None for never."""
    return None if days is None else timezone.now() + timedelta(days=days)


class AccessKey(Credential):
    """An AWS-style key pair. The secret is encrypted, not hashed, as verifying a SigV4 signature needs it in clear."""

    account = models.ForeignKey(Account, models.CASCADE)
    key_id = models.CharField(max_length=32, unique=True)
    secret = SealedField()

    def __str__(self) -> str:
        return self.key_id

    @classmethod
    def issue(cls, account: Account, days: int | None = None) -> AccessKey:
        """A new key pair for the account, for so many days."""
        return cls.objects.create(
            account=account,
            key_id=f"AKIA{secrets.token_hex(8).upper()}",
            secret=secrets.token_urlsafe(30),
            expires=expiry(days),
        )


class Token(Credential):
    """A bearer token for REST; only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return f"token of {self.user}"

    @staticmethod
    def hash(token: str) -> str:
        """What is stored of a token; it is long and random, so an unsalted hash cannot be guessed back."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: models.Model, days: int | None = None) -> str:
        """A new token for so many days, shown this once."""
        token = secrets.token_urlsafe(32)
        cls.objects.create(user=user, digest=cls.hash(token), expires=expiry(days))
        return token


class Holding(models.Model):
    """A bucket, or a folder of one, and the account whose it is; everybody's where there is none."""

    account = models.ForeignKey(Account, models.CASCADE, null=True)
    bucket = models.CharField(max_length=63)
    prefix = models.CharField(max_length=1024, blank=True)  # "" for the whole bucket, else it ends with "/"
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bucket", "prefix"], name="holding_once")]

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"
