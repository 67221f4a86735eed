"""Who may do what: people belong to an account with a role; programs sign with access keys or carry tokens."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.models.base import Account


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


class AccessKey(models.Model):
    """An AWS-style key pair. The secret stands in clear because verifying a SigV4 signature needs it."""

    account = models.ForeignKey(Account, models.CASCADE)
    key_id = models.CharField(max_length=32, unique=True)
    secret = models.CharField(max_length=64)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key_id

    @classmethod
    def issue(cls, account: Account) -> AccessKey:
        """A new key pair for the account."""
        return cls.objects.create(
            account=account, key_id=f"AKIA{secrets.token_hex(8).upper()}", secret=secrets.token_urlsafe(30)
        )


class Token(models.Model):
    """A bearer token for REST; only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"token of {self.user}"

    @staticmethod
    def hash(token: str) -> str:
        """What is stored of a token; it is long and random, so an unsalted hash cannot be guessed back."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: models.Model) -> str:
        """A new token, shown this once."""
        token = secrets.token_urlsafe(32)
        cls.objects.create(user=user, digest=cls.hash(token))
        return token
