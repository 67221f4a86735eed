"""Sizes of the network, and which of them suit how much data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEW_EVENTS = 50_000  # below which more is dropped


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
        """A network of one block for data of this size; `recipes.recurrent.anytime` adds another where it helps."""
        width = max(16, round(hidden_dimension * 0.43 / 16) * 16)
        tokens = int(np.clip(num_events / 300, 128, 1024))
        return cls(
            hidden_dimension,
            width,
            bptt,
            max(4, tokens // bptt),
            min(512, num_items),
            blocks=1,
            dropout=0.2 if num_events < FEW_EVENTS else 0.1,
            learning_rate=max(2e-3, 5e-6 * tokens),
        )
