"""Training as an anytime method: what was measured best is kept, whatever the machine does meanwhile.

Where measured steps say that there is time, a network of two blocks is trained from the start. Elsewhere one of one block comes
first. If its own speed says that there is time, it grows by a block that at first changes nothing (cf. Wang et al. 2021,
"StackRec"), and the larger one counts if it is measured better. Then rounds from a medium learning rate go on while the validation
quality gains, until the time is up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, Self, TypeVar

from recipes.recurrent.training import Outcome, Trainable, train
from recipes.run import Run

LARGE_COST = 1.5  # of a step of the larger network, in steps of the small one
FIRST_SHARE = 0.3  # of the planned epochs that the first network is trained for where a larger one surely follows
GROWN_SHARE = 0.7  # of the planned epochs for which there must be time to grow early
GROWN_EPOCHS = 1.5  # for which there must be time to grow later
GROWN_BEGIN, LATE_BEGIN = 0.0, 0.35  # on the learning-rate schedule, grown early and later
ROUND_SHARE = 0.5  # of the planned epochs that a round takes
ROUND_BEGIN = 0.5  # on the learning-rate schedule
ROUND_EPOCHS = 0.3  # that a round must have time for
AMPLE_PLANS = (
    12.0  # planned epochs of the small network for which there must be time to go on whatever the last ones gained
)
RISING = 0.05  # share of the quality gained by the last third of a training (two standard errors), where more may pay
FLAT = 0.005  # share of the quality: where a round gains less, none follows


class Growing(Trainable, Protocol):
    """A network that can be enlarged."""

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""

    @property
    def speed_steps(self) -> int:
        """By how many steps its speed is measured."""

    def deeper(self) -> Self:
        """An untrained one with another block."""

    def grown(self) -> Self:
        """A larger one with the same scores, to be trained on."""


Network = TypeVar("Network", bound=Growing)


@dataclass(frozen=True)
class Best(Generic[Network]):
    """The network that was measured best so far.

    Attributes:
        network: itself.
        quality: what validation says of it.
        epoch_seconds: of one of its epochs.
        rise: share of the quality that the last third of its training gained.
    """

    network: Network
    quality: float
    epoch_seconds: float
    rise: float = 0.0


def train_anytime(
    network: Network, *, epochs: float, run: Run, validate: Callable[[Network], float], is_large: bool = False
) -> Best[Network]:
    """Train a network, and a larger one grown from it, for as long as there is time and validation gains.

    Without a time budget nothing depends on the clock.

    Args:
        network: the smallest, untrained.
        epochs: after which a training has learned most of what it can.
        run: seconds and the watcher.
        validate: the quality of a network, higher is better.
        is_large: whether the data are so many that more steps and a larger network pay, however little the last ones gained.

    Returns:
        The network that was measured best.
    """
    affordable = run.seconds_left / max(1e-9, epoch_seconds(network, run))
    rising = -math.inf if is_large or affordable >= AMPLE_PLANS * epochs else RISING
    if affordable >= LARGE_COST * epochs:
        best = _trained(network.deeper(), epochs, run, validate)
    else:
        is_early = is_large and affordable >= (FIRST_SHARE + LARGE_COST * GROWN_SHARE) * epochs
        best = _grown(network, epochs, run, validate, rising, is_early=is_early)
    if best.rise < rising:
        return best
    return improved(best, epochs=ROUND_SHARE * epochs, run=run, validate=validate)


def improved(
    best: Best[Network],
    *,
    epochs: float,
    run: Run,
    validate: Callable[[Network], float],
    begin: float = ROUND_BEGIN,
    tolerance: float = 0.0,
    rounds: float = math.inf,
) -> Best[Network]:
    """Train a network on in rounds until the curve is flat or the time is up; a round that loses is taken back.

    Args:
        best: the network as it is.
        epochs: of a round.
        run: the budget of all rounds.
        validate: the quality of a network.
        begin: where on the learning-rate schedule each round starts.
        tolerance: share of the quality that a round may lose and yet be kept; it is then the last.
        rounds: at most.
    """
    network, is_flat, done = best.network, False, 0
    while not is_flat and done < rounds and run.seconds_left > ROUND_EPOCHS * best.epoch_seconds:
        before, known = network.snapshot(), best.quality
        after, done = _trained(network, epochs, run, validate, begin), done + 1
        is_flat = after.quality <= (1 + FLAT) * known
        if after.quality > known or (tolerance and after.quality >= (1 - tolerance) * known):
            best = after
        else:
            network.restore(before)
    return best


def epoch_seconds(network: Growing, run: Run) -> float:
    """Seconds of an epoch here and now, measured on steps that are taken back; 0 without a time budget."""
    if run.max_seconds is None:
        return 0.0
    before, began, steps = network.snapshot(), run.clock(), 0
    for step in islice(network.epoch(0), network.speed_steps):
        step(0.0)
        steps += 1
    network.restore(before)
    return (run.clock() - began) / max(1, steps) * network.steps_per_epoch


def _grown(
    network: Network, epochs: float, run: Run, validate: Callable[[Network], float], rising: float, *, is_early: bool
) -> Best[Network]:
    """Train the small network, and then a larger one made of it, if there is time for that."""
    best = _trained(network, epochs * (FIRST_SHARE if is_early else 1.0), run, validate)
    has_time = run.seconds_left > GROWN_EPOCHS * LARGE_COST * best.epoch_seconds
    if not has_time or (best.rise < rising and not is_early):
        return best
    larger = _trained(network.grown(), epochs, run, validate, GROWN_BEGIN if is_early else LATE_BEGIN)
    return larger if larger.quality > best.quality else best


def _trained(
    network: Network, epochs: float, run: Run, validate: Callable[[Network], float], begin: float = 0.0
) -> Best[Network]:
    steps = max(1, int(epochs * network.steps_per_epoch))
    outcome: Outcome = train(network, steps=steps, run=run, validate=lambda: validate(network), begin=begin)
    seconds = outcome.step_seconds * network.steps_per_epoch if run.max_seconds is not None else 0.0
    return Best(network, outcome.quality, seconds, outcome.rise)
