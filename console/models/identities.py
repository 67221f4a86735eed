"""Who somebody is at an OpenID provider: issuer and subject, which a provider never gives to another person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2


class Identity(models.Model):
    """A way to sign in as a user; several may open one user, none opens two."""

    # It stays where the user goes: who was removed is not somebody who comes for the first time.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    label = models.CharField(max_length=254, blank=True)  # the e-mail or name of the last sign-in; opens nothing
    created = models.DateTimeField(default=timezone.now)
    last_used = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.label or self.subject} at {self.issuer}"
