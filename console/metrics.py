"""`/metrics` in Prometheus's text format: what web processes counted, and what database, disk and broker say now.

Names and their meaning are in docs/hosting.md; deploy/grafana and deploy/prometheus use them.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from datetime import datetime

import redis
from django.conf import settings
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console import telemetry
from console.disk import disk
from console.health import HEALTH, NOT_CHECKED, QUEUE
from console.models import JOBS, Campaign, Member, Recommender, SolutionVersion, Token
from console.models.base import RUNNING, WAITING
from console.trainings import trained
from console.transient import survived

REFUSED = "Metrics are for administrators: sign in as an owner of the account default, or send METRICS_TOKEN as a bearer token.\n"

_started = time.time()


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures, for who may read them."""
    if not _may_read(request):
        return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def exposition() -> bytes:
    """All figures as text."""
    registry = CollectorRegistry()
    registry.register(State())
    return bytes(generate_latest(telemetry.counted()) + generate_latest(registry))


class State(Collector):  # type: ignore[misc]
    """What database, disk, broker and health say at this moment; a part that does not answer is left out."""

    def collect(self) -> Iterator[Metric]:
        """Every figure that can be had."""
        yield _gauge("openpersonalize_uptime_seconds", "Seconds since this process started", time.time() - _started)
        for part in (_jobs, _models, _disk, _queue, _health):
            found: list[Metric] = []
            with survived(f"Metrics: {part.__name__.strip('_')}"):
                found = list(part())
            yield from found


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text)
    family.add_metric([], value)
    return family


def _jobs() -> Iterator[Metric]:
    counts = GaugeMetricFamily("openpersonalize_jobs", "Jobs by kind and status", labels=["kind", "status"])
    oldest = GaugeMetricFamily(
        "openpersonalize_oldest_job_seconds",
        "How long the oldest job has been waiting or running",
        labels=["kind", "state"],
    )
    now = timezone.now()
    for kind, model in JOBS.items():
        for status, count in model.objects.order_by().values_list("status").annotate(Count("pk")):
            counts.add_metric([kind, status], count)
        for state, statuses, since in (("waiting", WAITING, "updated"), ("running", RUNNING, "started")):
            first = model.objects.filter(status__in=statuses).aggregate(first=Min(since))["first"]
            oldest.add_metric([kind, state], _age(first, now))
    yield counts
    yield oldest


def _models() -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "openpersonalize_model_age_seconds", "Since what is served was trained", labels=["account", "resource"]
    )
    now = timezone.now()
    campaigns = Campaign.objects.select_related("account", "solution_version")
    for campaign in campaigns:
        ages.add_metric(
            [campaign.account.number, f"campaign/{campaign.name}"], _age(trained(campaign.solution_version), now)
        )
    for recommender in Recommender.objects.exclude(artefact="").select_related("account"):
        ages.add_metric(
            [recommender.account.number, f"recommender/{recommender.name}"], _age(trained(recommender), now)
        )
    yield ages
    damaged = SolutionVersion.objects.filter(campaigns__isnull=False).exclude(damage="").distinct().count()
    damaged += Recommender.objects.exclude(damage="").count()
    yield _gauge("openpersonalize_damaged_models", "Served models whose files are damaged", damaged)


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


def _disk() -> Iterator[Metric]:
    left = disk()
    family = GaugeMetricFamily("openpersonalize_disk_bytes", "The disk that DATA_DIR is on", labels=["state"])
    family.add_metric(["free"], left.free)
    family.add_metric(["total"], left.total)
    yield family


def _queue() -> Iterator[Metric]:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
        yield _gauge("openpersonalize_queue_length", "Messages about jobs that no worker has taken", client.llen(QUEUE))


def _health() -> Iterator[Metric]:
    HEALTH.is_fresh()  # asks for the checks; what they found last is given
    family = GaugeMetricFamily(
        "openpersonalize_health", "1 for a part that answers, 0 for one that fails", labels=["check"]
    )
    for check, result in HEALTH.report()[1]["checks"].items():
        if result != NOT_CHECKED:
            family.add_metric([check], float(result == "ok"))
    yield family


def _may_read(request: HttpRequest) -> bool:
    word = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if word:
        wanted = settings.METRICS_TOKEN
        return bool(wanted and hmac.compare_digest(word.encode(), wanted.encode())) or _is_administrator(_user_of(word))
    return _is_administrator(request.user.pk) if request.user.is_authenticated else False


def _user_of(word: str) -> int | None:
    token = Token.objects.filter(digest=Token.hash(word), user__is_active=True).first()
    return None if token is None or token.is_expired else token.user_id


def _is_administrator(user_id: int | None) -> bool:
    member = Member.objects.select_related("account").filter(user_id=user_id).first() if user_id else None
    return member is not None and member.runs_server
