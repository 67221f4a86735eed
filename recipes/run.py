"""One fit in progress: its seed, its time budget, and what it reports to whoever watches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic


class StopRequested(Exception):
    """Raised by a progress callback to end a fit early; nothing is kept."""


@dataclass(frozen=True)
class Progress:
    """The state of a fit, as reported to a watcher.

    Attributes:
        stage: a short present participle such as "training" or "evaluating".
        fraction: how much of this stage is done, 0 to 1, where known.
        epoch: the epoch that just ended, from 1.
        metrics: figures of that epoch, e.g. {"loss": 5.1, "validation_ndcg_at_10": 0.14}.
        message: one line for the log, if there is something to say.
    """

    stage: str
    fraction: float | None = None
    epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


def ignore_progress(progress: Progress) -> None:
    """Ignore the report; the default watcher."""


@dataclass(frozen=True)
class Run:
    """One fit in progress: its seed, its time budget and who watches.

    Attributes:
        seed: the same seed and data give the same model.
        max_seconds: wall-clock budget; the best model so far is kept when it runs out.
        on_progress: called now and then; may raise `StopRequested`.
        started: the clock's time at the start, from which the budget counts.
        clock: seconds that never go back; tests hand in one of a slow machine.
    """

    seed: int = 0
    max_seconds: float | None = None
    on_progress: Callable[[Progress], None] = ignore_progress
    started: float = field(default_factory=monotonic)
    clock: Callable[[], float] = monotonic

    def __reduce__(self) -> tuple[type[Run], tuple[int, float | None]]:
        """Sent to another process a run keeps its seed and the seconds left; its watcher stays, and clocks differ."""
        return type(self), (self.seed, None if self.max_seconds is None else self.seconds_left)

    def report(
        self,
        stage: str,
        fraction: float | None = None,
        *,
        epoch: int | None = None,
        message: str = "",
        **metrics: float,
    ) -> None:
        """Report to the watcher, which may raise `StopRequested`."""
        self.on_progress(Progress(stage, fraction, epoch, metrics, message))

    @property
    def seconds_left(self) -> float:
        """Return the seconds left of the budget; infinite without a budget, never negative."""
        return float("inf") if self.max_seconds is None else max(0.0, self.max_seconds - (self.clock() - self.started))

    def share(self, fraction: float) -> Run:
        """Return a run with `fraction` of the seconds left, counted from now."""
        budget = None if self.max_seconds is None else self.seconds_left * fraction
        return dataclasses.replace(self, max_seconds=budget, started=self.clock())
