"""The trial of base models: fitted without the held-out events, timed, and fitted again on all events as far as time allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from recipes.numerics.arrays import Floats
from recipes.numerics.machine import Slowness
from recipes.run import Run
from recipes.stacking.base_models import TRIAL_SHARE, BaseModel, Fitted, fit_all
from recipes.stacking.holdout import HeldOut

NETWORK_SECONDS = 4.0  # of the processor, for which training a network is worth beginning
ALONE_SHARE = 0.5  # of the time left that trying may take where no network follows


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        scores: (Q, C) of the held-out queries, by the base models that there was time for.
        seconds: that each took, to be fitted and to score.
        fitted: what was fitted; empty without a time budget, when all will be fitted again.
        slowness: of the machine meanwhile: seconds of the clock for one of the processor.
    """

    scores: dict[str, Floats] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    fitted: dict[str, Fitted] = field(default_factory=dict)
    slowness: float = 1.0

    @property
    def total_seconds(self) -> float:
        """That all of it took."""
        return sum(self.seconds.values())


def try_base_models(held_out: HeldOut, models: Mapping[str, BaseModel], *, keeps: bool) -> Trial:
    """Fit and score base models until their share of the time is spent; with `keeps` what is fitted stays."""
    run = held_out.context.run
    begun, trial, slowness = run.seconds_left, Trial(), Slowness(run)
    began = run.clock()
    for name, weights in fit_all(models, held_out.training, held_out.context):
        trial.scores[name] = held_out.scores(weights)
        trial.seconds[name], began = run.clock() - began, run.clock()
        if keeps:
            trial.fitted[name] = weights
        run.report("validating", len(trial.scores) / len(models))
        share = TRIAL_SHARE if wants_network(held_out, slowness()) else ALONE_SHARE
        if run.seconds_left < (1 - share) * begun:
            break
    return replace(trial, slowness=slowness())


def wants_network(held_out: HeldOut, slowness: float) -> bool:
    """Whether a network may be used and there is time for it, at this slowness of the machine; without ridges it must be."""
    settings, run = held_out.context.settings, held_out.context.run
    if not settings.ridges:
        return True
    return settings.network and settings.mode != "fast" and run.seconds_left > NETWORK_SECONDS * slowness


def fit_again(
    models: Mapping[str, BaseModel], trial: Trial, held_out: HeldOut, run: Run
) -> Iterator[tuple[str, Fitted]]:
    """Base models fitted on all events while the budget of `run` lasts, by what each took before; the others as tried."""
    is_over = False

    def tried(name: str) -> Fitted | None:
        nonlocal is_over
        is_over = is_over or trial.seconds[name] > run.seconds_left
        return trial.fitted.get(name) if is_over else None

    return fit_all(models, held_out.histories, held_out.context, tried)
