"""Scores without a history: how often items are taken, how much more so of late, and which items nothing is known about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recipes.clock import robust_newest
from recipes.components.contract import Component, Tensors, Values
from recipes.components.fit_context import FitContext
from recipes.data import Histories, Interactions
from recipes.numerics.arrays import Floats, Indexes

UNKNOWN = -30.0  # added to the score of items that nothing is known about
RECENT = 0.1  # newest share of the time span that counts as recent
STRENGTH = 20.0  # events' worth of belief that an item's recent share is its overall share


@dataclass(frozen=True)
class Popularity(Component):
    """Log shares of the items, overall and of late.

    Attributes:
        log_share: (N,) log of each item's share of the events.
        log_rise: (N,) log of its share among the recent events over that share.
        cold: (N,) scores for users without events.
        weight: of `log_share`; may be negative.
        rise_weight: of `log_rise`; may be negative.
    """

    key: ClassVar[str] = "popularity"

    log_share: Floats
    log_rise: Floats
    cold: Floats
    weight: float = 0.0
    rise_weight: float = 0.0

    @classmethod
    def fit(cls, events: Histories | Interactions, context: FitContext) -> Self:
        """Count events by their weight, those of late by an exponential of their age."""
        num_items, timestamp = context.num_items, events.timestamp
        newest = robust_newest(timestamp)
        span = max(1, newest - int(timestamp.min()))
        counts = EventCounts.partial(events, num_items, newest, span * RECENT)
        share, recent_share = counts.finish()
        log_share, log_rise = np.log(share), np.log(recent_share / share)
        cold = log_share + (log_rise if context.settings.recency else 0.0) + unknown_items(events, num_items)
        return cls(log_share.astype(np.float32), log_rise.astype(np.float32), cold.astype(np.float32))

    @property
    def constant(self) -> Floats | None:
        """(N,) both logs, weighted."""
        total: Floats = np.float32(self.weight) * self.log_share
        total += np.float32(self.rise_weight) * self.log_rise
        return total

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add nothing: the component is constant."""

    def cold_scores(self, users: Indexes) -> Floats | None:
        """(B, N) the same for every user."""
        return np.repeat(self.cold[None, :], len(users), axis=0)

    def tensors(self) -> Tensors:
        """The three arrays."""
        return {f"{self.key}.{name}": getattr(self, name) for name in ("log_share", "log_rise", "cold")}

    def values(self) -> Values:
        """The weights."""
        return {"weight": self.weight, "rise_weight": self.rise_weight}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        log_share, log_rise, cold = (tensors[f"{cls.key}.{name}"] for name in ("log_share", "log_rise", "cold"))
        return cls(log_share, log_rise, cold, values["weight"], values["rise_weight"])

    def refreshed(self, histories: Histories, context: FitContext) -> Self:
        """Count today's events."""
        return replace(self.fit(context.data.interactions, context), weight=self.weight, rise_weight=self.rise_weight)


@dataclass
class EventCounts:
    """Weighted events of each item over some users, all of them and of late: both (N,) float64."""

    every: NDArray[np.float64]
    recent: NDArray[np.float64]

    @classmethod
    def partial(cls, events: Histories | Interactions, num_items: int, newest: int, seconds: float) -> Self:
        """Sum over these events; one that is `seconds` older than `newest` counts 1/e as recent."""
        recency = np.exp(np.minimum(events.timestamp - newest, 0) / seconds)
        recency *= 1.0 if events.weight is None else events.weight
        every = np.bincount(events.item_index, events.weight, minlength=num_items).astype(np.float64)
        recent = np.bincount(events.item_index, recency, minlength=num_items)
        return cls(every, recent.astype(np.float64))

    def combine(self, other: EventCounts) -> Self:
        """Add the sums over other users."""
        return replace(self, every=self.every + other.every, recent=self.recent + other.recent)

    def finish(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N,) twice: each item's share of all events, and of recent ones, shrunken to the former."""
        share = (self.every + 0.5) / (self.every.sum() + 0.5 * len(self.every))
        return share, (self.recent + STRENGTH * share) / (self.recent.sum() + STRENGTH)


@dataclass(frozen=True)
class UnknownItems(Component):
    """A penalty on items without events that no component scores by their metadata.

    Attributes:
        penalty: (N,) `UNKNOWN` or 0.
    """

    key: ClassVar[str] = "unknown_items"

    penalty: Floats

    @classmethod
    def fit(cls, context: FitContext, others: Sequence[Component]) -> Self:
        """Look for items without events and, where a component reads item metadata, without metadata."""
        penalty = unknown_items(context.data.interactions, context.num_items)
        if any(component.reads_item_metadata for component in others):
            penalty = np.where(np.any(context.item_features != 0, axis=1), 0, penalty)
        return cls(penalty.astype(np.float32))

    @property
    def constant(self) -> Floats | None:
        """(N,) the penalty."""
        return self.penalty

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add nothing: the component is constant."""

    def tensors(self) -> Tensors:
        """The penalty."""
        return {f"{self.key}.penalty": self.penalty}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        return cls(tensors[f"{cls.key}.penalty"])


def unknown_items(events: Histories | Interactions, num_items: int) -> NDArray[np.float64]:
    """(N,) `UNKNOWN` for items without events, else 0."""
    return np.where(np.bincount(events.item_index, minlength=num_items) > 0, 0.0, UNKNOWN)
