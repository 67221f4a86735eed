"""What is counted while requests are answered, for Prometheus; console.metrics tells it with what the database knows.

With PROMETHEUS_MULTIPROC_DIR, which `manage.py serve` sets for web processes, all of them count into files of one folder of
memory, and any of them can tell the sums. Counting costs some microseconds of a request.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
PROGRAMS = {"aws", "api", "ingest"}  # whose requests are one operation each

disable_created_metrics()  # a second series for each counter, which nobody draws
REGISTRY = CollectorRegistry()
REQUEST_SECONDS = Histogram(
    "openpersonalize_request_seconds",
    "From a whole request to its answer, waiting for a thread included",
    ["interface", "operation"],
    buckets=SECONDS,
    registry=REGISTRY,
)
REQUESTS = Counter(
    "openpersonalize_requests", "Answered requests", ["interface", "operation", "status"], registry=REGISTRY
)
EVENTS = Counter(
    "openpersonalize_events_acknowledged", "Streamed events that are durable", ["operation"], registry=REGISTRY
)
FAULTS = Counter(
    "openpersonalize_faults", "Transient faults of what is needed, by reason", ["reason"], registry=REGISTRY
)
UNFINISHED = Gauge(
    "openpersonalize_requests_unfinished",
    "Requests that a lane of threads works on or that wait for it",
    ["lane"],
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
WRITES_WAITING = Gauge(
    "openpersonalize_event_writes_waiting",
    "Requests whose events wait for the next commit",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)

LOOKUPS = Counter(
    "openpersonalize_cache_lookups",
    "Look-ups of what web processes keep in memory (models, scores of histories), by whether it was there",
    ["cache", "result"],
    registry=REGISTRY,
)

operation: ContextVar[str] = ContextVar("operation", default="")  # of the request that this thread answers


def answered(interface: str, name: str, status: int, seconds: float | None = None) -> None:
    """Count an answer; `seconds` is None for what was refused before any work."""
    name = name if interface in PROGRAMS else ""
    _requests(interface, name, status).inc()
    if seconds is not None:
        _seconds(interface, name).observe(seconds)


def looked_up(name: str, *, is_hit: bool) -> None:
    """Count a look-up in the cache of that name."""
    _lookups(name, "hit" if is_hit else "miss").inc()


@cache
def _lookups(name: str, result: str) -> Counter:
    return LOOKUPS.labels(name, result)


@cache
def _requests(interface: str, name: str, status: int) -> Counter:
    return REQUESTS.labels(interface, name, status)


@cache
def _seconds(interface: str, name: str) -> Histogram:
    return REQUEST_SECONDS.labels(interface, name)


def counted() -> CollectorRegistry:
    """What all web processes of this machine have counted; what this process has, where they do not share a folder."""
    folder = Path(settings.METRICS_DIR)
    if not folder.is_dir():
        return REGISTRY
    for path in folder.glob("gauge_live*.db"):
        if not _is_alive(int(path.stem.rpartition("_")[2])):
            path.unlink(missing_ok=True)  # what a dead process had in work, nobody has
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return registry


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
