"""Alerts: what is wrong is noticed by the clock, told by webhook and e-mail at most every few minutes, and told when over.

A message is a row first, so that one that cannot be delivered is tried again whatever process ends meanwhile.
"""

from __future__ import annotations

import json
import logging
import smtplib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException

from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db.models import F, Q
from django.utils import timezone

from console import telemetry
from console.disk import disk
from console.models import JOBS, Alert, AlertMessage, Campaign, Recommender
from console.shapes import JSONDict
from console.trainings import trained

logger = logging.getLogger(__name__)

JOB_FAILURES_OF = timedelta(days=1)  # an older failure is no news
TOLD_AGAIN_AFTER = timedelta(hours=24)
KEPT_FOR = timedelta(days=7)
GIVEN_UP_AFTER = timedelta(days=1)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60, 3600
TIMEOUT_S = 10.0
MIN_REQUESTS = 50  # in a minute or so: the share of errors among fewer says little
SHOWN = 50  # alerts in a message
COUNTED = "alerts:requests"


@dataclass(frozen=True)
class Condition:
    """Something that is wrong now."""

    key: str
    text: str


def watch() -> None:
    """Notice, compose and deliver; for the clock, once a minute. Nothing happens where no channel is configured."""
    channels = [name for name, is_used in CHANNELS.items() if is_used()]
    if not channels or not cache.add("alerts:lock", 1, 45):
        return
    notice()
    compose(channels)
    deliver()


def notice() -> None:
    """Keep what is wrong as rows, and note what is over."""
    found = {condition.key: condition for condition in _conditions()}
    open_alerts = Alert.objects.filter(ended=None)
    for alert in open_alerts.exclude(key__in=found):
        open_alerts.filter(pk=alert.pk).update(ended=timezone.now())
    again = {"ended": None, "told": None, "since": timezone.now()}
    Alert.objects.filter(key__in=found, ended__isnull=False).update(**again)
    for condition in found.values():
        Alert.objects.update_or_create(key=condition.key, defaults={"text": condition.text})
    Alert.objects.filter(ended__lt=timezone.now() - KEPT_FOR).delete()
    AlertMessage.objects.filter(created__lt=timezone.now() - KEPT_FOR).delete()


def compose(channels: list[str]) -> None:
    """Write a message about what was not told yet, unless the last one is younger than ALERT_MINUTES."""
    now = timezone.now()
    if AlertMessage.objects.filter(created__gt=now - timedelta(minutes=settings.ALERT_MINUTES)).exists():
        return
    again = Q(ended=None, told__lt=now - TOLD_AGAIN_AFTER)
    over = Q(ended__isnull=False, told__lt=F("ended"))
    untold = Q(ended=None, told=None)
    alerts = list(Alert.objects.filter(untold | again | over)[:SHOWN])
    if not alerts:
        return
    body = _body(alerts)
    for channel in channels:
        AlertMessage.objects.create(channel=channel, body=body)
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(told=now)


def deliver() -> None:
    """Send every message that is due."""
    now = timezone.now()
    for message in AlertMessage.objects.filter(sent=None, next_try__lte=now, created__gt=now - GIVEN_UP_AFTER):
        pause = min(FIRST_PAUSE_S * 2**message.attempts, LONGEST_PAUSE_S)
        mine = AlertMessage.objects.filter(pk=message.pk, attempts=message.attempts, sent=None)
        if not mine.update(attempts=F("attempts") + 1, next_try=now + timedelta(seconds=pause)):
            continue  # another worker has it
        try:
            SENDERS[message.channel](message.body)
        except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
            logger.warning("An alert could not be sent by %s: %s", message.channel, error)
            AlertMessage.objects.filter(pk=message.pk).update(problem=str(error)[:1000])
        else:
            AlertMessage.objects.filter(pk=message.pk).update(sent=timezone.now(), problem="")


def _conditions() -> Iterator[Condition]:
    yield from _failed_jobs()
    yield from _models()
    left = disk()
    if left.is_short:
        yield Condition("disk", f"The disk of DATA_DIR has {left.free >> 20} of {left.total >> 20} MB left.")
    yield from _errors()


def _failed_jobs() -> Iterator[Condition]:
    since = timezone.now() - JOB_FAILURES_OF
    for kind, model in JOBS.items():
        for job in model.objects.filter(status=model.failed, finished__gte=since).select_related("account"):
            key = f"job {kind} {job.pk} {job.finished:%Y-%m-%dT%H:%M:%S}"
            yield Condition(key, f"{kind} {job.name or job} of {job.account} failed: {job.failure_reason}")


def _models() -> Iterator[Condition]:
    served = [(row, row.solution_version) for row in Campaign.objects.select_related("account", "solution_version")]
    recommenders = [(row, row) for row in Recommender.objects.exclude(artefact="").select_related("account")]
    oldest = timezone.now() - timedelta(days=settings.ALERT_MODEL_DAYS)
    for resource, model in [*served, *recommenders]:
        if model.damage:
            yield Condition(f"damaged {resource.arn}", f"The model of {resource.arn} is damaged: {model.damage}")
        if settings.ALERT_MODEL_DAYS and trained(model) < oldest:
            yield Condition(f"stale {resource.arn}", f"{resource.arn} serves a model of {trained(model):%Y-%m-%d}.")


def _errors() -> Iterator[Condition]:
    """Whether of the requests since the last look more than ALERT_ERROR_PERCENT were answered with 5xx."""
    requests, errors = _requests()
    before = cache.get(COUNTED)
    cache.set(COUNTED, [requests, errors], 600)
    if before is None or requests < before[0]:  # a first look, or the server started anew
        return
    count, failed = requests - before[0], errors - before[1]
    if count >= MIN_REQUESTS and 100 * failed > settings.ALERT_ERROR_PERCENT * count:
        yield Condition(
            "errors", f"{failed:.0f} of the last {count:.0f} requests were answered with an error of the server."
        )


def _requests() -> tuple[float, float]:
    found = [
        (sample.labels["status"], sample.value)
        for family in telemetry.counted().collect()
        for sample in family.samples
        if sample.name == "openpersonalize_requests_total"
    ]
    return sum(value for _, value in found), sum(value for status, value in found if status.startswith("5"))


def _body(alerts: list[Alert]) -> JSONDict:
    lines = [f"{'Over' if alert.ended else 'Wrong'}: {alert.text}" for alert in alerts]
    return {
        "text": "\n".join(["OpenPersonalize" + (f" at {settings.PUBLIC_URL}" if settings.PUBLIC_URL else ""), *lines]),
        "alerts": [
            {
                "key": alert.key,
                "state": "ended" if alert.ended else "firing",
                "text": alert.text,
                "since": alert.since.isoformat(),
                "ended": alert.ended.isoformat() if alert.ended else None,
            }
            for alert in alerts
        ],
    }


def _post(body: JSONDict) -> None:
    request = urllib.request.Request(  # noqa: S310  settings' checks allow http and https only
        settings.ALERT_WEBHOOK_URL, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
        pass


def _mail(body: JSONDict) -> None:
    count = len(body["alerts"])
    subject = f"OpenPersonalize: {body['alerts'][0]['text'] if count == 1 else f'{count} alerts'}"
    send_mail(" ".join(subject.split())[:150], body["text"], settings.DEFAULT_FROM_EMAIL, settings.ALERT_EMAILS)


CHANNELS: dict[str, Callable[[], bool]] = {
    "webhook": lambda: bool(settings.ALERT_WEBHOOK_URL),
    "email": lambda: bool(settings.ALERT_EMAILS and settings.EMAIL_HOST),
}
SENDERS: dict[str, Callable[[JSONDict], None]] = {"webhook": _post, "email": _mail}
