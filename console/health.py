"""Whether the server works, for load balancers and for Prometheus."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from console import storage
from console.models import JOBS, Job, Recommender, SolutionVersion

logger = logging.getLogger(__name__)

WORKER_TIMEOUT_S = 1.5
BROKER_TIMEOUT_S = 2.0


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    redis.Redis.from_url(settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT_S).ping()


def _storage() -> None:
    probe = storage.store(f"probes/{uuid.uuid4().hex}")
    with storage.open_write(probe) as file:
        file.write(b"probe")
    storage.delete(probe)


def _worker() -> None:
    if current_app.control.ping(timeout=WORKER_TIMEOUT_S):
        return
    # A worker may be too busy to answer in time; a fresh heartbeat on a job shows it is alive.
    fresh = timezone.now() - timedelta(seconds=10)
    if not any(model.objects.filter(heartbeat__gte=fresh).exists() for model in JOBS.values()):
        raise TimeoutError("no Celery worker answers")


def _models() -> None:
    served = SolutionVersion.objects.exclude(damage="").filter(campaigns__isnull=False)
    if served.exists() or Recommender.objects.exclude(damage="").exists():
        raise ValueError("the files of a served model are damaged; its page says which")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "broker": _broker,
    "storage": _storage,
    "worker": _worker,
    "models": _models,
}


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 only when everything that serving and training need answers; else 503 naming what does not."""
    results = {}
    for name, check in CHECKS.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            logger.warning("health check %s: %s", name, error)
            results[name] = f"{type(error).__name__}: {error}"
        else:
            results[name] = "ok"
    healthy = all(result == "ok" for result in results.values())
    return JsonResponse({"status": "ok" if healthy else "failing", "checks": results}, status=200 if healthy else 503)


@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers; also the no-op that benchmarks compare with."""
    return JsonResponse({"status": "ok"})


_started = time.time()


@require_safe
def metrics(_request: HttpRequest) -> HttpResponse:
    """Jobs by kind and status, and how long this process has been up, in Prometheus's text format."""
    registry = CollectorRegistry()
    Gauge("openpersonalize_uptime_seconds", "Seconds since this process started", registry=registry).set(
        time.time() - _started
    )
    jobs = Gauge("openpersonalize_jobs", "Jobs by kind and status", ["kind", "status"], registry=registry)
    for label, model in JOBS.items():
        for status, count in _count_by_status(model):
            jobs.labels(kind=label, status=status).set(count)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _count_by_status(model: type[Job]) -> list[tuple[str, int]]:
    return list(model.objects.order_by().values_list("status").annotate(Count("pk")))
