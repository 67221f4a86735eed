"""A row is a job: enqueued on commit, claimed by compare-and-set, kept alive by heartbeats, ended in one place.

A worker that dies stops beating; `reap` gives its row back to the queue. A claim is a random word that every later write
must match, so that a worker that was given up cannot overwrite the one that took over.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from console.errors import JobError, ServiceError
from console.models import JOBS, Job, Status

logger = logging.getLogger(__name__)

HEARTBEAT_S = 3.0
LOST_AFTER_S = 15.0
MAX_ATTEMPTS = 3
LOG_LINES = 200
PROGRESS_INTERVAL_S = 0.5


class Stopped(Exception):
    """The user asked for the job to end, or another worker has taken it over."""


def enqueue(row: Job) -> None:
    """Have a worker run `row` once the surrounding transaction is committed."""
    transaction.on_commit(lambda: _send(type(row).__name__, row.pk))


def _send(label: str, pk: int) -> None:
    try:
        current_app.send_task("console.run", [label, pk])
    except OperationalError as error:  # the row waits; `reap` queues it again when the broker is back
        logger.warning("The broker does not answer, so %s %s waits: %s", label, pk, error)


class Claim:
    """A worker's hold on one job: what it may write while it runs."""

    def __init__(self, row: Job, word: str) -> None:
        """Begin beating for `row`, which carries the claim `word`."""
        self.row = row
        self._word = word
        self._epochs: list[dict[str, Any]] = []
        self._log: list[str] = []
        self._written = 0.0
        self._ended = threading.Event()
        self._lost = False
        self._stop_requested = False
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {row.pk}", daemon=True)
        self._thread.start()

    def report(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        epoch: int | None = None,
        message: str = "",
        **metrics: float,
    ) -> None:
        """Put progress on the row, at most twice a second; raises Stopped when the job must end."""
        self.check()
        if epoch is not None:
            self._epochs.append({"epoch": epoch, **{name: round(float(value), 6) for name, value in metrics.items()}})
        if message:
            self._log = [*self._log, f"{timezone.now():%H:%M:%S} {message}"][-LOG_LINES:]
        now = time.monotonic()
        if epoch is None and not message and now - self._written < PROGRESS_INTERVAL_S:
            return
        self._written = now
        progress = {"stage": stage, "fraction": fraction, "epochs": self._epochs, "log": self._log}
        self._write(progress=progress, heartbeat=timezone.now())

    def check(self) -> None:
        """Raise Stopped if the job must end; cheap."""
        if self._lost or self._stop_requested:
            raise Stopped

    def finish(self, **fields: Any) -> bool:
        """End well, writing `fields` in the same step; False if the claim is no longer ours."""
        return self._end(status=self.row.done, failure_reason=None, traceback="", **fields)

    def fail(self, reason: str, trace: str = "") -> None:
        """End badly, with a sentence for the user and the traceback for the folded part."""
        self._end(status=self.row.failed, failure_reason=reason, traceback=trace)

    def stop(self) -> None:
        """End because the user said so; nothing is written if the claim was lost instead."""
        self._end(status=Status.CREATE_STOPPED)

    def release(self) -> None:
        """Stop beating, whatever became of the job."""
        self._ended.set()
        self._thread.join(timeout=10)

    def _end(self, **fields: Any) -> bool:
        self.release()
        return self._write(finished=timezone.now(), heartbeat=None, claim="", **fields)

    def _write(self, **fields: Any) -> bool:
        held = type(self.row).objects.filter(pk=self.row.pk, claim=self._word)
        written = held.update(updated=timezone.now(), **fields) == 1
        self._lost = self._lost or not written
        return written

    def _beat(self) -> None:
        try:
            while not self._ended.wait(HEARTBEAT_S):
                self._write(heartbeat=timezone.now())
                status = type(self.row).objects.filter(pk=self.row.pk).values_list("status", flat=True).first()
                self._stop_requested = status in {Status.CREATE_STOPPING, None}
        except Exception:
            logger.exception("The heartbeat of %s %s ended", type(self.row).__name__, self.row.pk)
        finally:
            connection.close()


def claim(label: str, pk: int) -> Claim | None:
    """Take a waiting job; None if it is gone, stopped or another worker's."""
    model = JOBS[label]
    word = secrets.token_hex(8)
    now = timezone.now()
    taken = model.objects.filter(pk=pk, status=model.waiting, claim="").update(
        status=model.running, claim=word, attempts=F("attempts") + 1, heartbeat=now, started=now, finished=None,
        updated=now, progress={"stage": "starting", "fraction": None, "epochs": [], "log": []},
    )  # fmt: skip
    return Claim(model.objects.select_related("account").get(pk=pk), word) if taken else None


@contextmanager
def running(held: Claim) -> Iterator[Claim]:
    """Run a job's body; whatever it raises becomes the row's end."""
    try:
        yield held
    except Stopped:
        held.stop()
    except (JobError, ServiceError) as error:
        held.fail(str(error))
    except MemoryError:
        held.fail("The machine ran out of memory; try a smaller catalogue or a larger machine.", traceback.format_exc())
    except Exception as error:
        logger.exception("%s %s crashed", type(held.row).__name__, held.row.pk)
        held.fail(f"An unexpected error ended the job: {type(error).__name__}: {error}", traceback.format_exc())
    finally:
        held.release()


def wait_a_moment() -> None:
    """Let time pass between two looks at a row that somebody else runs."""
    time.sleep(PROGRESS_INTERVAL_S)


def reap(now: Callable[[], Any] = timezone.now) -> int:
    """Give jobs of dead workers back to the queue, and queue again what waits too long; returns how many."""
    count = 0
    for model in JOBS.values():
        deadline = now() - timedelta(seconds=LOST_AFTER_S)
        for row in model.objects.exclude(claim="").filter(heartbeat__lt=deadline):
            count += _give_back(row)
        for row in model.objects.filter(status=model.waiting, claim="", updated__lt=now() - timedelta(seconds=60)):
            model.objects.filter(pk=row.pk).update(updated=now())
            enqueue(row)
    return count


def _give_back(row: Job) -> int:
    held = type(row).objects.filter(pk=row.pk, claim=row.claim, heartbeat=row.heartbeat)
    released = {"claim": "", "heartbeat": None, "updated": timezone.now()}
    if row.status == Status.CREATE_STOPPING:
        return held.update(status=Status.CREATE_STOPPED, finished=timezone.now(), **released)
    if row.attempts >= MAX_ATTEMPTS:
        reason = f"The worker died {row.attempts} times while running this job; see the worker's log for why."
        return held.update(status=row.failed, failure_reason=reason, finished=timezone.now(), **released)
    taken = held.update(status=row.waiting, **released)
    if taken:
        logger.warning("%s %s lost its worker; it is queued again", type(row).__name__, row.pk)
        enqueue(row)
    return taken
