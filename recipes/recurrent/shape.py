"""Sizes of the network, and which of them suit how much data and time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

FEW_EVENTS = 50_000  # below which more is dropped
EVENTS_PER_SECOND = 24_000  # that a core at rest trains two blocks on, about
DEEP_EPOCHS = 2.5  # epochs below which one block, which is half the work, gets further than two


@dataclass(frozen=True)
class Shape:
    """Sizes and rates of a network: H hidden, D width, bptt T, lanes B, K negatives."""

    hidden: int
    width: int
    bptt: int
    lanes: int
    negatives: int
    blocks: int = 2
    dropout: float = 0.1
    learning_rate: float = 2e-3

    @classmethod
    def of(cls, hidden_dimension: int, bptt: int, num_events: int, num_items: int) -> Shape:
        """A network of two blocks for data of this size."""
        width = max(16, round(hidden_dimension * 0.43 / 16) * 16)
        tokens = int(np.clip(num_events / 300, 128, 1024))
        return cls(
            hidden_dimension,
            width,
            bptt,
            max(4, tokens // bptt),
            min(512, num_items),
            dropout=0.2 if num_events < FEW_EVENTS else 0.1,
            learning_rate=max(2e-3, 5e-6 * tokens),
        )

    def within(self, seconds: float, num_events: int, events_per_second: float = EVENTS_PER_SECOND) -> Shape:
        """The same with one block where two would see the data less than `DEEP_EPOCHS` times.

        Args:
            seconds: of training; infinite without a budget.
            num_events: of an epoch.
            events_per_second: that two blocks are trained on here and now.
        """
        return self if seconds * events_per_second > DEEP_EPOCHS * num_events else replace(self, blocks=1)
