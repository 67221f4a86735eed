"""Passkeys: key pairs that people's devices keep, with which they sign in without a password (WebAuthn)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Passkey(models.Model):
    """The public half of a passkey; what is binary stands in base64url, as it travels.

    `counter` is the number of signatures that the device last reported, 0 of those that do not count. `handle` names the person to the
    device; it is random, so that devices learn nothing of the rows here.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_id = models.CharField(max_length=1364, unique=True)  # 1,023 bytes at most
    public_key = models.TextField()  # COSE
    handle = models.CharField(max_length=43)
    rp_id = models.CharField(max_length=253)  # the host it was made for, and works at
    counter = models.BigIntegerField(default=0)
    created = models.DateTimeField(default=timezone.now)
    last_used = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created", "pk"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
