"""The ways to say from a history what comes next that the relevance engine tries, and how many a data set has time for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from recipes.components.cooccurrence_knn import CLOSE
from recipes.components.sequence_ridge import Kernel
from recipes.numerics.cooccurrence import DENSE_ITEMS
from recipes.run import Run

if TYPE_CHECKING:
    from recipes.stacking.fit_context import Workshop

FLOPS_A_SECOND = 60e9  # of a core that has nothing else to do
SPEED_SIDE = 512  # of the matrices whose products tell how fast this machine is
SPEED_SECONDS = 0.2  # of measuring it, at most
SPEED_SHARE = 0.01  # of a time budget that measuring it may take
TRIAL_SHARE = 0.2  # of a time budget that trying candidates may take; fitting the chosen ones again takes as much
SOLVE_COST = 2.4  # operations of solving a ridge, by the cube of its items; a profile's takes 1
FAST_SECONDS = 2.5  # of work that the fast mode plans on candidates
FEWEST = 2  # candidates, however little time there is
MOST_WITH_COSINES = 100_000  # items


@dataclass(frozen=True)
class Candidate:
    """One way to say from the events of a history what comes next.

    Attributes:
        kernel: how events count, when it is learned and when a history is read.
        kind: "ridge", or what else fills the item-to-item weights: one of CLOSE, "cosine", "rare".
        ridge, dropout: λ and the dropout share δ of a ridge.
    """

    kernel: Kernel
    kind: str = "ridge"
    ridge: float = 0.0
    dropout: float = 0.0

    @property
    def reading(self) -> tuple[int, float]:
        """Candidates with the same are read alike, so that their weights can be added up."""
        return self.kernel.window, self.kernel.decay

    @property
    def moments(self) -> Kernel | None:
        """Ridges with the same share their moments; all profiles do."""
        return None if self.kernel.profile else self.kernel

    @property
    def pairs(self) -> Kernel | str | None:
        """Candidates with the same count their pairs together."""
        if self.kind == "ridge":
            return self.moments
        return "closeness" if self.kind in CLOSE else self.kind

    @property
    def weights(self) -> tuple[Kernel | None, float, float]:
        """Ridges with the same share their weights, which they read histories by differently."""
        return self.moments, self.ridge, self.dropout


def candidates(workshop: Workshop) -> dict[str, Candidate]:
    """What is worth trying, the most promising first."""
    window, strength = workshop.settings.window, _strength(workshop)
    newest, lately = Kernel(window, 0.5), Kernel(window, 0.8, 5)
    profile, lifetime = Kernel(100, 0.97, profile=True), Kernel(400, 1.0, profile=True)
    recent, firm = replace(lately, future=1, profile=True), 50 * strength
    found = {
        "coming": Candidate(lately, ridge=3 * strength),
        "closeness": Candidate(lately, "closeness"),
        "firm closeness": Candidate(lately, "firm closeness"),
        "rare": Candidate(lately, "rare"),
        "lifetime": Candidate(lifetime, ridge=8 * strength, dropout=0.5),
        "last": Candidate(newest, ridge=strength / 2),
        "profile": Candidate(profile, ridge=20 * strength, dropout=0.3),
        "lifetime, firmer": Candidate(lifetime, ridge=firm),
        "recent profile": Candidate(recent, ridge=firm),
        "company": Candidate(lifetime, "cosine"),
        "recent company": Candidate(lately, "cosine"),
        "next": Candidate(Kernel(window, 0.8), ridge=strength),
        "coming, freer": Candidate(lately, ridge=strength),
        "profile, freer": Candidate(profile, ridge=5 * strength, dropout=0.3),
        "lifetime, freer": Candidate(lifetime, ridge=2 * strength, dropout=0.5),
        "long closeness": Candidate(profile, "closeness"),
        "long firm closeness": Candidate(profile, "firm closeness"),
    }
    if len(workshop.members) == workshop.num_items:
        found.pop("rare")
    if workshop.num_items > MOST_WITH_COSINES:
        found = {name: candidate for name, candidate in found.items() if candidate.kind != "cosine"}
    return found


def planned(workshop: Workshop) -> tuple[dict[str, Candidate], float]:
    """As many candidates as the size of the data allows, two at least; and the seconds that they will about take."""
    events = len(workshop.histories.item_index)
    pairs = float(np.square(np.diff(workshop.histories.offsets).astype(np.float64)).sum())
    is_large = workshop.num_items > DENSE_ITEMS
    plenty = FAST_SECONDS if workshop.settings.mode == "fast" else 10 + 30 * events / 1e6
    seconds = min(plenty, TRIAL_SHARE * workshop.run.seconds_left)
    left, speed = seconds, flops_a_second(workshop.run)
    done: set[object] = set()
    found: dict[str, Candidate] = {}
    for name, candidate in candidates(workshop).items():
        cost = 0.0 if candidate.pairs in done else _pairs_cost(candidate, events, pairs, is_large=is_large)
        if candidate.kind == "ridge" and candidate.weights not in done:
            cost += (1.0 if candidate.kernel.profile else SOLVE_COST) * len(workshop.members) ** 3
        cost /= speed
        if cost <= left or len(found) < FEWEST:
            found[name] = candidate
            left -= cost
            done |= {candidate.pairs, candidate.weights}
    return found, seconds - left


def flops_a_second(run: Run) -> float:
    """How fast this machine multiplies now, beside what else it does; without a time budget it does not matter."""
    if run.max_seconds is None:
        return FLOPS_A_SECOND
    matrix = np.ones((SPEED_SIDE, SPEED_SIDE), np.float32)
    enough, done, began = min(SPEED_SECONDS, SPEED_SHARE * run.seconds_left), 0, monotonic()
    while not done or monotonic() - began < enough:
        _ = matrix @ matrix
        done += 1
    return min(FLOPS_A_SECOND, done * 2.0 * SPEED_SIDE**3 / max(1e-9, monotonic() - began))


def _pairs_cost(candidate: Candidate, events: int, pairs: float, *, is_large: bool) -> float:
    """Operations that counting pairs costs, in what multiplications would cost."""
    if candidate.kind == "ridge" and not candidate.kernel.profile:
        return 1500.0 * events * candidate.kernel.window
    each = {"closeness": 300e3 if is_large else 60e3, "rare": 20e3}.get(str(candidate.pairs))
    return each * events if each else (100.0 if candidate.kind == "ridge" else 700.0) * pairs


def _strength(workshop: Workshop) -> float:
    return float(np.clip(len(workshop.histories.item_index) / 10_000, 10.0, 100.0))
