"""What components are fitted with: settings, data, metadata features and the run."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from recipes.content.features import item_features, user_features
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.machine import SOLVE_COST, flops_per_second
from recipes.run import Run

Result = TypeVar("Result")

MAX_HISTORY = 500  # newest events of a user that are trained on
SOLVE_SHARE = 0.1  # of a time budget that solving one ridge may take; fitting takes several, and twice
MIN_DENSE_ITEMS = 500
MAX_DENSE_ITEMS = 4_500  # the most frequent items a dense ridge covers: 80 MB and a few seconds each


@dataclass(frozen=True)
class Settings:
    """What a recipe's hyperparameters mean to the stack.

    Attributes:
        hidden_dimension: width of the network's recurrent state.
        window: how many of the newest events a sequence model reads (AWS's bptt).
        recency: whether recent popularity may weigh in.
        min_percentile, max_percentile: users with shorter histories are left out, longer histories are cut.
        mode: "auto", "fast" (closed form only) or "full".
        ridges, network, metadata: which kinds of base model may be used.
        cold: (N,) items that are scored by their metadata alone, or None.
    """

    hidden_dimension: int = 149
    window: int = 32
    recency: bool = True
    min_percentile: float = 0.0
    max_percentile: float = 0.99
    mode: str = "auto"
    ridges: bool = True
    network: bool = True
    metadata: bool = True
    cold: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FitContext:
    """What every `fit` of a component gets beside the histories.

    Attributes:
        settings: what may be used.
        data: the whole data; its events include those held out.
        members: (K,) rising indexes of the items that a dense ridge covers.
        item_features, user_features: (N, F) and (U, F) metadata; F may be 0.
        run: seed, time budget and watcher.
    """

    settings: Settings
    data: TrainingData
    members: Indexes
    item_features: Floats
    user_features: Floats
    run: Run
    _shared: dict[str, tuple[Hashable, object]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, settings: Settings, data: TrainingData, run: Run) -> FitContext:
        """Prepare what follows from the data."""
        counts = data.item_counts
        frequent = np.argsort(-counts, kind="stable")[: min(max_dense_items(run), max(1, int((counts > 0).sum())))]
        return cls(
            settings,
            data,
            np.sort(frequent),
            item_features(data, run) if settings.metadata else np.zeros((data.num_items, 0), np.float32),
            user_features(data) if settings.metadata else np.zeros((data.num_users, 0), np.float32),
            run,
        )

    @property
    def num_items(self) -> int:
        """N."""
        return self.data.num_items

    def shared(self, slot: str, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result of `compute`, kept until the slot is asked for another key: base models that share counts take them once."""
        if slot not in self._shared or self._shared[slot][0] != key:
            self._shared.pop(slot, None)  # frees the memory before the next is computed
            self._shared[slot] = (key, compute())
        return cast("Result", self._shared[slot][1])

    def release(self) -> None:
        """Free what is shared."""
        self._shared.clear()

    def training_histories(self) -> Histories:
        """The users' histories to learn from: long ones cut to their newest events, short ones left out, as set."""
        histories, settings = self.data.histories(), self.settings
        sizes = np.diff(histories.offsets)
        some = sizes[sizes > 0]
        shortest = np.quantile(some, settings.min_percentile) if settings.min_percentile > 0 else 1
        longest = np.quantile(some, settings.max_percentile) if settings.max_percentile < 1 else some.max()
        histories = histories.tail(int(np.clip(np.ceil(longest), 2, MAX_HISTORY)))
        return histories.keep(np.repeat(sizes >= shortest, np.diff(histories.offsets)))


def max_dense_items(run: Run) -> int:
    """How many items a dense ridge may cover in the time of `run` on this machine."""
    if run.max_seconds is None:
        return MAX_DENSE_ITEMS
    affordable = (SOLVE_SHARE * run.seconds_left * flops_per_second(run) / SOLVE_COST) ** (1 / 3)
    return int(np.clip(affordable, MIN_DENSE_ITEMS, MAX_DENSE_ITEMS))
