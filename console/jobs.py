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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeAlias

from celery import current_app
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import RedisError

from console import tracing
from console.background import BackgroundWriter
from console.errors import JobError, ServiceError
from console.models import JOBS, Job, Status
from console.pace import Pace
from console.server_paths import reason_of, without_roots
from console.transient import fault, log, survived

logger = logging.getLogger(__name__)

HEARTBEAT_S = 3.0
LOST_AFTER_S = 15.0
MAX_ATTEMPTS = 3
WAITS_AT_MOST = timedelta(seconds=60)
LOG_LINES = 200
OUTBOX_ROOM = 10_000
PROGRESS_INTERVAL_S = 0.5
TRANSIENT_ATTEMPTS = 8
BACKOFF_S, LONGEST_BACKOFF_S = 5.0, 60.0  # doubled with each attempt; the reaper sends what waits longer
OUT_OF_MEMORY = "The machine ran out of memory; try a smaller catalogue or a larger machine."
END_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
# A row's kind, its number, the seconds to wait, and the span that began it.
Message: TypeAlias = tuple[str, int, float, str]


class Stopped(Exception):
    """The user asked for the job to end, or another worker has taken it over."""


def enqueue(row: Job, after_s: float = 0.0) -> None:
    """Have a worker run `row` once the surrounding transaction is committed, and `after_s` have passed.

    Processes that answer people send it by the outbox, after the answer.
    """
    message = type(row).__name__, row.pk, after_s, tracing.parent()
    transaction.on_commit(lambda: _send(*message) if _outbox is None else _outbox.put(message))


def _send(label: str, pk: int, after_s: float, span: str) -> bool:
    """Tell the broker; False if it does not answer or takes nothing."""
    arguments = [label, pk, span] if span else [label, pk]
    try:
        current_app.send_task("console.run", arguments, countdown=after_s or None, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        # The row waits; `reap` queues it again when the broker is back.
        logger.warning("The broker does not answer, so %s %s waits: %s", label, pk, error)
        return False
    return True


def _send_all(messages: list[Message]) -> Sequence[Message]:
    """Tell the broker one after the other; from the first that it does not take on they wait."""
    for place, message in enumerate(messages):
        if not _send(*message):
            return messages[place:]
    return ()


_outbox: BackgroundWriter[Message] | None = None


def send_from_a_thread() -> None:
    """Send jobs by an outbox from now on: a broker that hangs holds up nobody whom this process answers.

    Where the outbox is full nothing is kept, and `reap` finds the row.
    """
    global _outbox  # noqa: PLW0603  one for the process
    _outbox = _outbox or BackgroundWriter("outbox", _send_all, room=OUTBOX_ROOM)


class Claim:
    """A worker's hold on one job: what it may write while it runs."""

    def __init__(self, row: Job, word: str) -> None:
        """Begin beating for `row`, which carries the claim `word`."""
        self.row = row
        self._word = word
        self._epochs: list[dict[str, Any]] = []
        self._log: list[str] = []
        self._written = 0.0
        self._stage = ""
        self._pace = Pace(time.time())
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
        if stage != self._stage:
            self._stage = stage
            tracing.stage(stage)
        now = time.monotonic()
        if epoch is None and not message and now - self._written < PROGRESS_INTERVAL_S:
            return
        self._written = now
        progress = {"stage": stage, "fraction": fraction, "epochs": self._epochs, "log": self._log}
        if said := self._pace.said(fraction, time.time()):
            progress |= {"secondsLeft": said[0], "leftAt": said[1]}
        with survived(f"{self} reports"):
            self._write(progress=progress, heartbeat=Now())

    def check(self) -> None:
        """Raise Stopped if the job must end; cheap."""
        if self._lost or self._stop_requested:
            raise Stopped

    def finish(self, **fields: Any) -> bool:
        """End well, writing `fields` in the same step; False if the claim is no longer ours, or the user has asked to stop.

        What was asked counts until the last moment; `fields` are kept then, too, as they name files that go with the row.
        """
        if self._end(status=self.row.done, failure_reason=None, traceback="", **fields):
            return True
        self.stop(**fields)
        return False

    def fail(self, reason: str, trace: str = "") -> None:
        """End badly, with a sentence for the user and the traceback for the folded part; stopped where the user has asked to."""
        if not self._end(status=self.row.failed, failure_reason=reason, traceback=trace):
            self.stop()

    def put_back(self, reason: str) -> None:
        """Have the job tried again after a while; after too many attempts it ends badly, and stopped where the user has asked to."""
        if self.row.attempts >= TRANSIENT_ATTEMPTS:
            self.fail(f"{reason} The job was tried {self.row.attempts} times.")
            return
        pause = min(BACKOFF_S * 2 ** (self.row.attempts - 1), LONGEST_BACKOFF_S)
        progress = {"stage": f"waiting to try again: {reason}", "fraction": None, "epochs": [], "log": self._log}
        if self._finally(status=self.row.waiting, heartbeat=None, claim="", progress=progress):
            enqueue(self.row, pause)
        else:
            self.stop()

    def stop(self, **fields: Any) -> None:
        """End because the user said so; nothing is written if the claim was lost instead."""
        self._end(status=Status.CREATE_STOPPED, **fields)

    def release(self) -> None:
        """Stop beating, whatever became of the job."""
        self._ended.set()
        self._thread.join(timeout=10)

    def _end(self, **fields: Any) -> bool:
        return self._finally(finished=Now(), heartbeat=None, claim="", **fields)

    def _finally(self, **fields: Any) -> bool:
        """Write the job's last state, waiting for a database that is busy or away; it beats meanwhile.

        Where the user has asked to stop, nothing but that it stopped is written.
        """
        for pause in (*END_PAUSES_S, None):
            try:
                written = self._write(**fields)
            except DatabaseError as error:
                if pause is None or connection.in_atomic_block or fault(error) is None:
                    raise
                log(f"{self} ends", error)
                connection.close()
                self._ended.wait(pause)
            else:
                self._ended.set()
                tracing.note(
                    {"openpersonalize.status": str(fields["status"]), "openpersonalize.attempt": self.row.attempts},
                    error=str(fields.get("failure_reason") or ""),
                )
                return written
        raise AssertionError

    def _write(self, **fields: Any) -> bool:
        held = type(self.row).objects.filter(pk=self.row.pk, claim=self._word)
        if fields.get("status", Status.CREATE_STOPPED) != Status.CREATE_STOPPED:
            held = held.exclude(status=Status.CREATE_STOPPING)
        written = held.update(updated=Now(), **fields) == 1
        self._lost = self._lost or not written
        return written

    def __str__(self) -> str:
        """What the log calls the job."""
        return f"{type(self.row).__name__} {self.row.pk}"

    def _beat(self) -> None:
        """Beat until the job ends, whatever the database does meanwhile."""
        while not self._ended.wait(HEARTBEAT_S):
            try:
                with survived(f"{self} beats"):
                    self._beat_once()
            except Exception:
                logger.exception("A heartbeat of %s failed", self)
        connection.close()

    def _beat_once(self) -> None:
        self._write(heartbeat=Now())
        status = type(self.row).objects.filter(pk=self.row.pk).values_list("status", flat=True).first()
        self._stop_requested = status in {Status.CREATE_STOPPING, None}


def claim(label: str, pk: int) -> Claim | None:
    """Take a waiting job; None if it is gone, stopped or another worker's."""
    model = JOBS[label]
    word = secrets.token_hex(8)
    taken = model.objects.filter(pk=pk, status=model.waiting, claim="").update(
        status=model.running, claim=word, attempts=F("attempts") + 1, heartbeat=Now(), started=Now(), finished=None,
        updated=Now(), progress={"stage": "starting", "fraction": None, "epochs": [], "log": []},
    )  # fmt: skip
    return Claim(model.objects.select_related("account").get(pk=pk), word) if taken else None


@contextmanager
def running(held: Claim) -> Iterator[Claim]:
    """Run a job's body; whatever it raises becomes the row's end."""
    try:
        yield held
    except Stopped:
        held.stop()
    except Exception as error:  # noqa: BLE001  whatever it is, it becomes the row's end
        _close_broken_connection()
        reason = fault(error)
        if reason is None:
            _fail(held, error)
        else:
            log(str(held), error)
            held.put_back(reason)
    finally:
        held.release()


def _close_broken_connection() -> None:
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _fail(held: Claim, error: Exception) -> None:
    """End a job for a lasting reason."""
    match error:
        case JobError() | ServiceError():
            held.fail(str(error))
        case MemoryError():
            held.fail(OUT_OF_MEMORY, _trace(error))
        case _:
            logger.error("%s crashed", held, exc_info=error)
            reason = f"An unexpected error ended the job: {type(error).__name__}: {reason_of(error)}"
            held.fail(reason, _trace(error))


def _trace(error: Exception) -> str:
    return without_roots("".join(traceback.format_exception(error)))


def wait_a_moment() -> None:
    """Let time pass between two looks at a row that somebody else runs."""
    time.sleep(PROGRESS_INTERVAL_S)


def reap() -> int:
    """Give jobs of dead workers back to the queue, and queue again what waits too long; returns how many.

    All times are the database's, so that workers whose clocks differ agree. A heartbeat of the future, left by a clock that
    was set back, becomes one of now: a living worker writes the next one in time, a dead one is noticed as usual.
    """
    count = 0
    for model in JOBS.values():
        held = model.objects.exclude(claim="")
        held.filter(heartbeat__gt=Now() + timedelta(seconds=LOST_AFTER_S)).update(heartbeat=Now())
        for row in held.filter(_is_lost()):
            count += _give_back(row)
        waiting = model.objects.filter(status=model.waiting, claim="")
        far = Q(updated__lt=Now() - WAITS_AT_MOST) | Q(updated__gt=Now() + WAITS_AT_MOST)
        for row in waiting.filter(far):
            waiting.filter(pk=row.pk).update(updated=Now())
            enqueue(row)
    return count


def _is_lost() -> Q:
    return Q(heartbeat__lt=Now() - timedelta(seconds=LOST_AFTER_S))


def _give_back(row: Job) -> int:
    held = type(row).objects.filter(_is_lost(), pk=row.pk, claim=row.claim)
    released = {"claim": "", "heartbeat": None, "updated": Now()}
    if row.status == Status.CREATE_STOPPING:
        return held.update(status=Status.CREATE_STOPPED, finished=Now(), **released)
    if row.attempts >= MAX_ATTEMPTS:
        reason = f"The worker died {row.attempts} times while running this job; see the worker's log for why."
        return held.update(status=row.failed, failure_reason=reason, finished=Now(), **released)
    taken = held.update(status=row.waiting, **released)
    if taken:
        logger.warning("%s %s lost its worker; it is queued again", type(row).__name__, row.pk)
        enqueue(row)
    return taken
