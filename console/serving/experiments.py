"""Who gets which version in an experiment, and who was given something: the part of experiments that requests touch.

The version follows from a hash of the experiment's own salt and the user's id: always the same for a user, in every process,
and independent of other experiments. Only that a user was given a list for the first time is written down; a thread does so
once a second, so that no request waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import Error, close_old_connections

from console.models import Experiment, ExperimentUser

logger = logging.getLogger(__name__)

EVERY_S = 1.0
MOST_WAITING, MOST_KNOWN = 100_000, 100_000  # users, in each process
TOGETHER = 2000  # rows of one statement's transaction


@dataclass(frozen=True)
class Arm:
    """The side of an experiment that a user is on."""

    experiment_id: int
    experiment_arn: str
    user_id: str
    is_treatment: bool

    def wire(self) -> dict[str, Any]:
        """As answers are kept and traces are told."""
        return {"experimentArn": self.experiment_arn, "arm": arm_name(is_treatment=self.is_treatment)}


def arm_name(*, is_treatment: bool) -> str:
    """What an arm is called on the wire."""
    return "TREATMENT" if is_treatment else "CONTROL"


def is_treated(salt: str, user_id: str, share: int) -> bool:
    """Whether a user is among the `share` percent that get the treatment.

    >>> [is_treated("a1b2", f"u{number}", 50) for number in range(8)]
    [False, True, True, True, True, False, True, True]
    """
    text = user_id.encode(errors="surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8, key=salt.encode()).digest()
    return int.from_bytes(digest, "big") * 100 < share << 64


class Register:
    """Writes down who was given a list for the first time: collects in memory, writes in the background."""

    def __init__(self) -> None:
        """Nobody is known, and no thread runs yet."""
        self._waiting: dict[tuple[int, str], ExperimentUser] = {}
        self._known: set[tuple[int, str]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, arm: Arm) -> None:
        """Have it written that a user was given something; what is known already costs a look-up."""
        key = arm.experiment_id, arm.user_id
        if key in self._known or len(self._waiting) >= MOST_WAITING:
            return
        with self._lock:
            self._known.add(key)
            self._waiting[key] = ExperimentUser(
                experiment_id=arm.experiment_id, user_id=arm.user_id, is_treatment=arm.is_treatment, time=int(time.time())
            )  # fmt: skip
            if len(self._known) > MOST_KNOWN:
                self._known = set(self._waiting)
            if self._thread is None or not self._thread.is_alive():  # none yet, or left behind by a fork
                self._thread = threading.Thread(target=self._run, name="experiments", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write who was noted since the last time; what cannot be written waits for the next."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        try:
            _write(waiting.values())
        except Error as error:
            logger.warning("%d users of experiments are not written yet: %s", len(waiting), error)
            with self._lock:
                self._waiting = waiting | self._waiting

    def _run(self) -> None:
        while True:
            time.sleep(EVERY_S)
            if self._waiting:
                close_old_connections()
                self.flush()


REGISTER = Register()


def _write(users: Collection[ExperimentUser]) -> None:
    """Insert whom nobody else has inserted; of experiments that have ended meanwhile nothing is kept."""
    if not users:
        return
    asked = {user.experiment_id for user in users}
    running = set(Experiment.objects.filter(pk__in=asked, status=Experiment.State.RUNNING).values_list("pk", flat=True))
    rows = [user for user in users if user.experiment_id in running]
    ExperimentUser.objects.bulk_create(rows, ignore_conflicts=True, batch_size=TOGETHER)
