"""Whether the server works, for load balancers.

The checks run in threads of their own while somebody asks; who asks gets what was found last.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import redis
from celery import current_app
from django.conf import settings
from django.db import close_old_connections, connection, connections
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from console import storage, transient
from console.models import JOBS, Recommender, SolutionVersion
from console.models.base import JSONDict

logger = logging.getLogger(__name__)

WORKER_TIMEOUT_S = 1.0
BROKER_TIMEOUT_S = 1.0
EVERY_S = 1.0  # between two rounds of a check
FRESH_S = 4.0  # how long nobody waits for a newer result
KEPT_S = 120.0  # how long a result is reported where nobody waits, as by a scrape every minute
HANGING_S = 3.0  # of a check that does not come back
IDLE_S = 60.0  # without a question a check's thread ends
PATIENCE_S = HANGING_S + EVERY_S + 0.1  # of an asker who waits for a newer result
NOT_CHECKED = "not checked yet"
QUEUE = "celery"  # the broker's list of messages about jobs
VENDORS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
Check = Callable[[], JSONDict | None]  # raises where something is wrong; what it learns besides is for the health page


def _database() -> JSONDict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    version = ".".join(map(str, connection.get_database_version()))
    return {"program": f"{VENDORS.get(connection.vendor, connection.vendor)} {version}"}


def _broker() -> JSONDict:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_TIMEOUT_S, socket_connect_timeout=BROKER_TIMEOUT_S
    ) as client:
        about = client.info("server")
        name, version = (
            ("Valkey", about["valkey_version"]) if "valkey_version" in about else ("Redis", about["redis_version"])
        )
        return {"program": f"{name} {version}", "queued": client.llen(QUEUE)}


def _storage() -> None:
    probe = storage.store(f"probes/{uuid.uuid4().hex}")
    with storage.open_write(probe) as file:
        file.write(b"probe")
    storage.delete(probe)


class Unhealthy(Exception):
    """What a check found wrong, in words that anybody may read."""


def _worker() -> JSONDict:
    if answers := current_app.control.ping(timeout=WORKER_TIMEOUT_S):
        return {"workers": sorted(name for answer in answers for name in answer)}
    # A worker may be too busy to answer in time; a fresh heartbeat on a job shows it is alive.
    fresh = timezone.now() - timedelta(seconds=10)
    if not any(model.objects.filter(heartbeat__gte=fresh).exists() for model in JOBS.values()):
        raise Unhealthy("no Celery worker answers")
    return {"workers": []}


def _models() -> None:
    served = SolutionVersion.objects.exclude(damage="").filter(campaigns__isnull=False)
    if served.exists() or Recommender.objects.exclude(damage="").exists():
        raise Unhealthy("the files of a served model are damaged; its page says which")


CHECKS: dict[str, Check] = {
    "database": _database,
    "broker": _broker,
    "storage": _storage,
    "worker": _worker,
    "models": _models,
}


class Watch:
    """One check, repeated in a thread of its own for as long as somebody asks; what it found is kept."""

    def __init__(self, name: str, check: Check) -> None:
        """Watch `check`; the thread starts with the first question."""
        self._name, self._check = name, check
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._result, self._found, self._began = "", 0.0, 0.0
        self._details: JSONDict = {}

    def ask(self) -> None:
        """Have the check made soon."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._repeat, name=f"health {self._name}", daemon=True)
            self._thread.start()
        self._asked.set()

    @property
    def is_fresh(self) -> bool:
        """Whether the last result is young enough to be given."""
        return bool(self._found) and time.monotonic() - self._found < FRESH_S

    @property
    def result(self) -> str:
        """What the check found last, or that it does not come back."""
        now = time.monotonic()
        if self._began > self._found and now - self._began >= HANGING_S:
            return f"no answer within {now - self._began:.0f} s"
        return self._result if self._found and now - self._found < KEPT_S else NOT_CHECKED

    @property
    def details(self) -> JSONDict:
        """What the check has learnt besides; nothing where it failed."""
        return self._details if self.result == "ok" else {}

    def _repeat(self) -> None:
        while self._asked.wait(IDLE_S):
            self._asked.clear()
            self._began = time.monotonic()
            self._result = self._run()
            self._found = time.monotonic()
            time.sleep(EVERY_S)
        connections.close_all()

    def _run(self) -> str:
        try:
            close_old_connections()
            self._details = self._check() or {}
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            logger.warning("health check %s: %s", self._name, error)
            self._details = {}
            reason = str(error) if isinstance(error, Unhealthy) else transient.fault(error)
            return reason or f"{type(error).__name__}; the server's log says more"  # unsigned callers read this
        return "ok"


class Health:
    """All checks of this process; asking costs nothing and waits for nothing."""

    PATIENCE_S = PATIENCE_S

    def __init__(self, checks: dict[str, Check]) -> None:
        """Watch `checks`."""
        self._watches = {name: Watch(name, check) for name, check in checks.items()}

    def is_fresh(self) -> bool:
        """Whether everything was checked a moment ago; asks for the checks, whose threads make them."""
        for watch in self._watches.values():
            watch.ask()
        return all(watch.is_fresh for watch in self._watches.values())

    def report(self) -> tuple[int, JSONDict]:
        """The answer to /healthz: its status and its body, of what was found last."""
        results = {name: watch.result for name, watch in self._watches.items()}
        healthy = all(result == "ok" for result in results.values())
        return (200 if healthy else 503), {"status": "ok" if healthy else "failing", "checks": results}

    def details(self) -> dict[str, JSONDict]:
        """What the checks have learnt besides: programs with their versions, the length of the queue, names of workers."""
        return {name: watch.details for name, watch in self._watches.items()}


HEALTH = Health(CHECKS)


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 only when everything that serving and training need answers; else 503 naming what does not.

    Behind granian, console.front answers in this view's stead without a thread.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not HEALTH.is_fresh() and time.monotonic() < deadline:
        time.sleep(0.05)
    status, found = HEALTH.report()
    return JsonResponse(found, status=status)


@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers; also the no-op that benchmarks compare with."""
    return JsonResponse({"status": "ok"})
