"""The scheduler of Celery's beat by monotonic time: Celery's own waits for hours after the machine's clock was set back."""

from __future__ import annotations

import time
from typing import Any

from celery.beat import Scheduler


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
