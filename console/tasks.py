"""The Celery tasks: run one job, and what beat does by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from importlib import import_module

from celery import shared_task
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from console import alerts, jobs, limits, logs, tracing, trainings
from console.disk import disk
from console.engine import engine
from console.jobs import Claim
from console.models import MetricAttribution, SolutionVersion, Trash
from console.models.trash import KEPT_FOR
from console.runners import RUNNERS
from console.scratch import sweep
from console.transient import survived
from recipes.memory import give_back_memory

logger = logging.getLogger(__name__)


def _task(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A Celery task that a transient fault ends with one line in the log: the clock, or the reaper, calls it again."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @shared_task(name=name)
        @wraps(function)
        def call(*args: object) -> None:
            with survived(name):
                function(*args)

        return call  # type: ignore[no-any-return]

    return decorate


def get_ready() -> None:
    """Import what trainings need, if this server has trained before: one that has not keeps its workers small."""
    try:
        with survived("getting ready"):
            if SolutionVersion.objects.exists():
                import_module("console.runners.training")
                import_module("recipes.stacking.updating")
    finally:
        connection.close()


def _load_sample(held: Claim) -> None:
    import_module("console.samples.loading").run(held)  # an idle worker does without pandas and the operations


ALL_RUNNERS = RUNNERS | {"SampleLoad": _load_sample}


@_task("console.run")
def run(label: str, pk: int, span: str = "") -> None:
    """Claim the job and run it, as a part of the request's trace that began it; does nothing if somebody else has."""
    tracing.begin()
    held = jobs.claim(label, pk)
    if held is None:
        return
    limits.of(held.row.account)
    logs.job_name.set(f"{label} {pk}")
    try:
        with tracing.job(f"job {label}", span), jobs.running(held), engine(held.check):
            ALL_RUNNERS[label](held)
    finally:
        logs.job_name.set("")
        give_back_memory()


@_task("console.reap")
def reap() -> None:
    """Take up jobs whose worker died."""
    jobs.reap()


@_task("console.refresh")
def refresh() -> None:
    """Take new items and counts into what is served."""
    if trainings.is_any_refresh_due():  # beat and idle workers do without the recipes
        import_module("console.runners.refreshing").refresh_due()


@_task("console.report_attributions")
def report_attributions() -> None:
    """Write and publish the reports of metric attributions whose time has come."""
    if MetricAttribution.objects.exists():  # as above
        import_module("console.serving.attribution_reports").report_due()


@_task("console.empty_trash")
def empty_trash() -> None:
    """Give up for good what has been in the trash for a week, what killed processes and old versions left, and sessions that ended."""
    trainings.purge_trash(Trash.objects.filter(time__lt=timezone.now() - KEPT_FOR))
    sweep()
    trainings.retire_versions()
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    if (left := disk()).is_short:
        logger.warning("The disk of DATA_DIR has %d of %d MB left.", left.free >> 20, left.total >> 20)


@_task("console.alert")
def alert() -> None:
    """Tell administrators what is wrong, and what is over."""
    alerts.watch()


@_task("console.train_on_schedule")
def train_on_schedule() -> None:
    """Queue the automatic trainings that are due."""
    trainings.queue_due()
