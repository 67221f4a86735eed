"""How much an event counts by its distance: exponential decay within a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories
from recipes.numerics.arrays import Indexes

MIN_POWER = 2.0**-24  # weight of an event that still shows beside the newest one in float32


@dataclass(frozen=True)
class WindowKernel:
    """How events at a distance count.

    Attributes:
        window: how many of the newest events are read.
        decay: weight of an event relative to the one after it.
        future: how many of the coming events are predicted.
        future_decay: weight of a coming event relative to the one before it.
        profile: treat a history as a set: every pair of a user's items counts once (`future` and `future_decay` do not
            matter; `window` and `decay` weigh the history when scoring).
    """

    window: int = 32
    decay: float = 0.8
    future: int = 1
    future_decay: float = 0.8
    profile: bool = False

    def gram_weights(self) -> NDArray[np.float32]:
        """(window, window + 1): [distance d, rows m] → Σ_{k<m} decay^k decay^(k+d), the share of a pair in XᵀX."""
        powers = self.decay ** np.arange(self.window, dtype=np.float64)
        sums = np.concatenate([[0.0], np.cumsum(powers**2)])
        return np.asarray(powers[:, None] * sums[None, :], np.float32)

    def cross_weights(self) -> NDArray[np.float32]:
        """(window + future,): distance d → Σ_{k+j=d-1} decay^k future_decay^j, the share of a pair in XᵀY."""
        past = self.decay ** np.arange(self.window, dtype=np.float64)
        coming = self.future_decay ** np.arange(self.future, dtype=np.float64)
        return np.asarray(np.concatenate([[0.0], np.convolve(past, coming)]), np.float32)

    def powers(self) -> NDArray[np.float32]:
        """(window,) or fewer: weights of events, the newest last, without those too small for a sum in float32."""
        powers = np.power(np.float32(self.decay), np.arange(self.window, dtype=np.float32))
        return np.ascontiguousarray(powers[powers > MIN_POWER][::-1])


def history_weights(histories: Histories, kernel: WindowKernel) -> tuple[Indexes, NDArray[np.float32], Indexes]:
    """Which events count when scoring, and how much: (positions, weights, offsets (B + 1,)) of a ragged matrix."""
    sizes = np.diff(histories.offsets)
    age = np.repeat(histories.offsets[1:], sizes) - 1 - np.arange(histories.offsets[0], histories.offsets[-1])
    kept = np.minimum(sizes, kernel.window)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    positions = np.flatnonzero(age < kernel.window)
    return positions, np.power(np.float32(kernel.decay), age[positions].astype(np.float32)), offsets
