"""Who may do what: people belong to an account with a role; programs sign with access keys or carry tokens."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import datetime, timedelta

import pyotp
from django.conf import settings
from django.db import models
from django.utils import timezone

from console.models.base import Account
from console.models.sealed import SealedField
from console.transient import survived

SERVERS_ACCOUNT = "000000000000"  # the account "default"
USE_NOTED_EVERY = timedelta(minutes=5)
INVITED_FOR = timedelta(days=7)
STEP_S = 30  # of authenticators' codes (RFC 6238)
RECOVERY_WORDS = 10


class Member(models.Model):
    """A person's place in an account."""

    class Role(models.TextChoices):
        """What a member may do; each may do what those below may."""

        OWNER = "owner", "Owner: everything, people and access keys included"
        EDITOR = "editor", "Editor: data, trainings, campaigns and experiments"
        ANALYST = "analyst", "Analyst: looks at everything, and starts evaluations and insights"
        VIEWER = "viewer", "Viewer: looks at everything and changes nothing"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.OWNER)
    preferences = models.JSONField(default=dict)  # how this person likes the pages: {"columns": {list: [labels]}}

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"

    @property
    def runs_server(self) -> bool:
        """Whether this person looks after the server itself: its metrics, and what concerns all accounts."""
        return self.is_owner and self.account.number == SERVERS_ACCOUNT

    @property
    def may_write(self) -> bool:
        """Whether operations that change something are open to this member."""
        return self.role in {self.Role.OWNER, self.Role.EDITOR}

    @property
    def may_analyse(self) -> bool:
        """Whether jobs that only measure are open to this member."""
        return self.role != self.Role.VIEWER

    @property
    def is_owner(self) -> bool:
        """Whether people and access keys of the account are this member's to manage."""
        return self.role == self.Role.OWNER


class Invitation(models.Model):
    """A link with which somebody makes a user of their own in an account, once; only its hash is kept."""

    account = models.ForeignKey(Account, models.CASCADE)
    role = models.CharField(max_length=10, choices=Member.Role.choices)
    email = models.EmailField(blank=True)
    digest = models.CharField(max_length=64, unique=True)
    inviter = models.CharField(max_length=150)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    accepted = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.role} in {self.account}"

    @property
    def is_open(self) -> bool:
        """Whether it can still be accepted."""
        return self.accepted is None and self.expires > timezone.now()

    @classmethod
    def issue(cls, account: Account, role: str, inviter: str, email: str = "") -> str:
        """A new invitation; its word, which the link holds, is shown this once."""
        word = secrets.token_urlsafe(32)
        cls.objects.create(
            account=account,
            role=role,
            inviter=inviter,
            email=email,
            digest=Token.hash(word),
            expires=timezone.now() + INVITED_FOR,
        )
        return word

    @classmethod
    def of(cls, word: str) -> Invitation | None:
        """The open invitation of a link; None if there is none."""
        found = cls.objects.select_related("account").filter(digest=Token.hash(word)).first()
        return found if found is not None and found.is_open else None


class TwoStep(models.Model):
    """The second step of a person's sign-in: an authenticator's secret, and words for the day it is lost.

    `last_step` is the newest interval whose code was taken, as none is taken twice.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    secret = SealedField()
    is_confirmed = models.BooleanField(default=False)
    last_step = models.BigIntegerField(default=0)
    recovery = models.JSONField(default=list)  # hashes of words that work once

    def __str__(self) -> str:
        return f"second step of {self.user}"

    def takes(self, code: str) -> bool:
        """Whether a code is the authenticator's of now, or of the interval before or after, or a word that is left.

        Where the secret cannot be decrypted, only words are taken.
        """
        code = code.strip().replace(" ", "")
        now = int(time.time()) // STEP_S
        for step in (now - 1, now, now + 1) if self.secret else ():
            expected = pyotp.TOTP(self.secret).at(step * STEP_S)
            if secrets.compare_digest(expected.encode(), code.encode()):
                mine = TwoStep.objects.filter(pk=self.pk, last_step__lt=step)
                return bool(mine.update(last_step=step))
        digest = Token.hash(code)
        if digest not in self.recovery:
            return False
        left = [word for word in self.recovery if word != digest]
        return bool(TwoStep.objects.filter(pk=self.pk, recovery=self.recovery).update(recovery=left))

    def renew_recovery(self) -> list[str]:
        """New words, shown this once."""
        words = [secrets.token_hex(5) for _ in range(RECOVERY_WORDS)]
        self.recovery = [Token.hash(word) for word in words]
        self.save(update_fields=["recovery"])
        return words


class SignIn(models.Model):
    """A browser in which a person is signed in, so that it can be seen and ended from another one."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    created = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-seen"]

    def __str__(self) -> str:
        return f"{self.user} from {self.address}"


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
