"""`python -m console.clock`: sends the tasks of the schedule, by monotonic time.

Celery's own beat waits for hours after the machine's clock was set back. This one knows tasks by name alone and imports
nothing of Django: half of the memory that `celery beat` takes.
"""

from __future__ import annotations

import logging
import signal
import time
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler, SchedulingError

from console import logs, settings

logger = logging.getLogger(__name__)


def main() -> None:
    """Send what is due until the process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logs.configure_plainly(settings.LOGGING)
    logging.getLogger("celery").setLevel(logging.WARNING)
    app = Celery("console", fixups=set())  # the fix-up for Django would import all of it
    app.config_from_object("console.settings", namespace="CELERY")
    scheduler = SteadyScheduler(app)
    while True:
        time.sleep(scheduler.tick())


class SteadyScheduler(Scheduler):  # type: ignore[misc]
    """Send each task of the schedule at its interval; all of them at the start, as they do only what is due."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was sent yet."""
        self.due: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Take the tasks of the settings."""
        self.merge_inplace(self.app.conf.beat_schedule)

    def tick(self, **_options: Any) -> float:
        """Send what is due; returns the seconds until the next task is."""
        for name, entry in self.schedule.items():
            now = time.monotonic()
            if now >= self.due.get(name, now):
                self.due[name] = now + entry.schedule.run_every.total_seconds()
                self.apply_entry(entry)
        wait: float = min(self.due.values()) - time.monotonic()
        return max(wait, 0.0)

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task; where the broker is away that is one line in the log, and the task is sent when it is due again."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            logger.warning("%s is not sent: %s", entry.task, " ".join(str(error).split()))


if __name__ == "__main__":
    main()
