"""What administrators are told when something is wrong, and the messages that tell it until they have arrived."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Alert(models.Model):
    """Something that is wrong, from when it was first seen until it is over. `key` says what it is about, once."""

    key = models.CharField(max_length=300, unique=True)
    text = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    told = models.DateTimeField(null=True)  # when a message last named it
    ended = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-since", "-pk"]

    def __str__(self) -> str:
        return self.key


class AlertMessage(models.Model):
    """One message on one channel: tried again, with pauses that double, until it was taken or is a day old."""

    channel = models.CharField(max_length=10)
    body = models.JSONField()
    created = models.DateTimeField(default=timezone.now)
    sent = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(default=timezone.now)
    problem = models.TextField(default="")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.channel} of {self.created:%Y-%m-%d %H:%M}"
