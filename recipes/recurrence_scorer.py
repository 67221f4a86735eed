"""The gated linear recurrence of `recipes.recurrence` in numpy, for answering: no torch, little overhead for one user."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recipes.base import Floats, Indexes
from recipes.data import Histories

GAPS = 28  # buckets of the time since the previous event: powers of two of seconds, the last for "no event before"
LONGEST = 100  # newest events that are read
ROWS = 32


def gap_buckets(histories: Histories) -> Indexes:
    """(E,) the bucket of each event's distance in time to the one before it."""
    gaps = np.diff(histories.timestamp, prepend=0)
    buckets = np.minimum(np.log2(np.maximum(gaps, 0) + 1.0), GAPS - 2).astype(np.int64)
    starts = histories.offsets[:-1][np.diff(histories.offsets) > 0]
    buckets[starts - histories.offsets[0]] = GAPS - 1
    return buckets


@dataclass(frozen=True)
class RecurrenceScorer:
    """A trained network.

    Attributes:
        table: (N, D) item embeddings, both what is read and what is scored.
        bias: (N,).
        weights: the other parameters by the names of `recipes.recurrence.Network`.
    """

    table: Floats
    bias: Floats
    weights: dict[str, Floats]

    @cached_property
    def _transposed(self) -> Floats:
        return np.ascontiguousarray(self.table.T)

    @property
    def blocks(self) -> int:
        """How many recurrences are stacked."""
        return sum(name.endswith("gates.weight") for name in self.weights)

    def score(self, histories: Histories) -> Floats:
        """(B, N) logits of the next item; zeros for an empty history."""
        scores: Floats = self.hidden(histories) @ self._transposed
        scores += self.bias
        return scores

    def hidden(self, histories: Histories) -> Floats:
        """(B, D) what the network expects next; a few rows at a time, which stay in the processor's cache."""
        recent = histories.tail(LONGEST)
        parts = [self._hidden(recent.rows(start, start + ROWS)) for start in range(0, len(recent), ROWS)]
        return np.concatenate(parts) if parts else np.zeros((0, self.table.shape[1]), np.float32)

    def _hidden(self, recent: Histories) -> Floats:
        sizes = np.diff(recent.offsets)
        length = int(sizes.max(initial=0))
        width = self.table.shape[1]
        if not length:
            return np.zeros((len(recent), width), np.float32)
        row = recent.row
        time = length - (recent.offsets[row + 1] - np.arange(len(row)))
        types = np.minimum(recent.event_type.astype(np.int64) + 1, len(self.weights["event_type.weight"]) - 1)
        embedded = self.table[recent.item_index] + self.weights["gap.weight"][gap_buckets(recent)]
        embedded += self.weights["event_type.weight"][types]
        values = np.zeros((length, len(recent), width), np.float32)
        values[time, row] = embedded
        goes_on = np.ones((length, len(recent), 1), np.float32)
        first = length - sizes[sizes > 0]
        goes_on[first, np.flatnonzero(sizes > 0)] = 0.0
        for number in range(self.blocks):
            values = self._block(number, values, goes_on, newest_only=number == self.blocks - 1)
        hidden = _norm(values[-1], self.weights["norm.weight"], self.weights["norm.bias"])
        hidden[sizes == 0] = 0.0
        return hidden

    def _block(self, number: int, values: Floats, goes_on: Floats, *, newest_only: bool) -> Floats:
        """(T, B, D) through one block; only the newest event's output where no later block reads the others."""
        of = {
            name.split(".", 2)[2]: value for name, value in self.weights.items() if name.startswith(f"blocks.{number}.")
        }
        gates = _linear(_norm(values, of["norm.weight"], of["norm.bias"]), of["gates.weight"], of["gates.bias"])
        hidden = gates.shape[-1] // 3
        update = _sigmoid(gates[..., :hidden])
        new = update * gates[..., hidden : 2 * hidden]
        keep = np.subtract(1.0, update, out=update)
        keep *= goes_on
        if newest_only:
            states, gate, values = _last_state(keep, new), gates[-1:, :, 2 * hidden :], values[-1:]
        else:
            states, gate = _all_states(keep, new), gates[..., 2 * hidden :]
        values = values + _linear(states * _silu(gate), of["out.weight"], of["out.bias"])
        fed = _linear(
            _norm(values, of["feed_norm.weight"], of["feed_norm.bias"]), of["feed_in.weight"], of["feed_in.bias"]
        )
        half = fed.shape[-1] // 2
        return values + _linear(_silu(fed[..., :half]) * fed[..., half:], of["feed_out.weight"], of["feed_out.bias"])


def _linear(values: Floats, weight: Floats, bias: Floats) -> Floats:
    flat: Floats = values.reshape(-1, values.shape[-1]) @ weight.T
    flat += bias
    return flat.reshape(*values.shape[:-1], -1)


def _norm(values: Floats, weight: Floats, bias: Floats) -> Floats:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    centred *= weight / np.sqrt(variance + np.float32(1e-5))
    centred += bias
    return np.asarray(centred, np.float32)


def _sigmoid(values: Floats) -> Floats:
    raised = np.exp(-np.clip(values, -30, 30))
    raised += 1.0
    found: NDArray[np.float32] = np.reciprocal(raised, out=raised)
    return found


def _silu(values: Floats) -> Floats:
    return np.asarray(values * _sigmoid(values), np.float32)


def _last_state(keep: Floats, new: Floats) -> Floats:
    """(1, B, H): Σ_t new_t Π_{s>t} keep_s."""
    survival = np.ones_like(keep)
    np.cumprod(keep[:0:-1], axis=0, out=survival[-2::-1] if len(keep) > 1 else survival[:0])
    survival *= new
    last: Floats = survival.sum(axis=0, keepdims=True)
    return last


def _all_states(keep: Floats, new: Floats) -> Floats:
    """(T, B, H) by walking along time; by doubling where few users make steps too small to be worth a call each."""
    if keep.shape[1] > 2:
        for time in range(1, len(new)):
            new[time] += keep[time] * new[time - 1]
        return new
    distance = 1
    keep = keep.copy()
    while distance < len(new):
        new[distance:] += keep[distance:] * new[:-distance].copy()
        keep[distance:] *= keep[:-distance].copy()
        distance *= 2
    return new
