"""Who gets which version in an experiment, and who was given something: the part of experiments that requests touch.

The version follows from a hash of the experiment's own salt and the user's id: always the same for a user, in every process,
and independent of other experiments. Only that a user was given a list for the first time is written down; a thread does so
once a second, so that no request waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error, close_old_connections, connection

from console.background import BackgroundWriter
from console.models import Experiment, ExperimentUser, InterleavedList

logger = logging.getLogger(__name__)

Row = ExperimentUser | InterleavedList

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
        """As answers are kept and traces say."""
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
        """Nobody is known."""
        self._known: set[tuple[int, str]] = set()
        self._writer: BackgroundWriter[Row] = BackgroundWriter(
            "experiments", _write, room=MOST_WAITING, gather_s=EVERY_S
        )

    def note(self, arm: Arm) -> None:
        """Have it written that a user was given something; what is known already costs a look-up."""
        key = arm.experiment_id, arm.user_id
        if key in self._known:
            return
        row = ExperimentUser(
            experiment_id=arm.experiment_id, user_id=arm.user_id, is_treatment=arm.is_treatment, time=int(time.time())
        )  # fmt: skip
        if self._writer.put(row):
            if len(self._known) >= MOST_KNOWN:
                self._known = set()  # who comes again is found written
            self._known.add(key)

    def note_list(self, row: InterleavedList) -> None:
        """Have a list written into which both versions put items."""
        self._writer.put(row)

    def flush(self) -> None:
        """Write who was noted since the last time; what cannot be written waits for the next."""
        self._writer.flush()


def _write(rows: list[Row]) -> Sequence[Row]:
    """Insert what nobody else has inserted; of experiments that have ended meanwhile nothing is kept."""
    asked = {row.experiment_id for row in rows}
    try:
        if not connection.in_atomic_block:
            close_old_connections()
        going_on = Experiment.objects.filter(pk__in=asked, status=Experiment.State.RUNNING)
        running = set(going_on.values_list("pk", flat=True))
        users = [row for row in rows if isinstance(row, ExperimentUser) and row.experiment_id in running]
        lists = [row for row in rows if isinstance(row, InterleavedList) and row.experiment_id in running]
        ExperimentUser.objects.bulk_create(users, ignore_conflicts=True, batch_size=TOGETHER)
        InterleavedList.objects.bulk_create(lists, ignore_conflicts=True, batch_size=TOGETHER)
    except Error as error:
        logger.warning("%d users and lists of experiments are not written yet: %s", len(rows), error)
        return rows
    return ()


REGISTER = Register()
