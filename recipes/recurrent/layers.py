"""Parts of networks shared by recipes; time first, (T, B, D), because recurrences walk along it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class LinearScan(torch.autograd.Function):
    """h_t = keep_t · h_{t-1} + new_t along the first dimension, with h_{-1} given; all (T, B, H), the start (B, H)."""

    @staticmethod
    def forward(ctx: Any, keep: Tensor, new: Tensor, start: Tensor) -> Tensor:
        """The states h (T, B, H)."""
        states = torch.empty_like(new)
        state = start
        for now, kept, added in zip(states.unbind(0), keep.unbind(0), new.unbind(0), strict=True):
            torch.addcmul(added, kept, state, out=now)
            state = now
        ctx.save_for_backward(keep, states, start)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of keep and new; the start is a constant (truncated back-propagation through time)."""
        keep, states, start = ctx.saved_tensors
        flowing = grad.clone(memory_format=torch.contiguous_format)
        steps, kept = flowing.unbind(0), keep.unbind(0)
        for time in range(len(steps) - 2, -1, -1):
            steps[time].addcmul_(kept[time + 1], steps[time + 1])
        grad_keep = torch.empty_like(keep)
        torch.mul(flowing[1:], states[:-1], out=grad_keep[1:])
        torch.mul(flowing[0], start, out=grad_keep[0])
        return grad_keep, flowing, None


class SequenceDropout(nn.Module):
    """Dropout with one mask for all times of a sequence: far fewer random numbers (Gal & Ghahramani 2016)."""

    def __init__(self, rate: float) -> None:
        """Zero a feature of a sequence with probability `rate`."""
        super().__init__()
        self.rate = rate

    def forward(self, values: Tensor) -> Tensor:
        """(T, B, D) in, the same out."""
        if not self.training or not self.rate:
            return values
        mask = (torch.rand(1, *values.shape[1:]) >= self.rate).to(values.dtype)
        return values * (mask / (1 - self.rate))


class GatedRecurrence(nn.Module):
    """One block: a gated linear recurrence, then a gated feed-forward layer, each added to its input.

    z, v, g = W norm(x); h_t = (1 - sigmoid(z_t)) h_{t-1} + sigmoid(z_t) v_t; x += V (h · silu(g)); x += F(norm(x)), F a SwiGLU.
    The gates do not depend on h, so that all matrix products of a chunk are one (cf. Martin & Cundy 2018; minGRU).
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        """Embedding width D, recurrent width H."""
        super().__init__()
        self.hidden = hidden
        self.norm = nn.LayerNorm(width)
        self.gates = nn.Linear(width, 3 * hidden)
        self.out = nn.Linear(hidden, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(2 * width, width)
        self.drop = SequenceDropout(dropout)
        with torch.no_grad():
            self.gates.bias[:hidden].uniform_(-4.0, 1.0)  # memories from a few to some fifty events

    def forward(self, values: Tensor, goes_on: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """One chunk.

        Args:
            values: (T, B, D).
            goes_on: (T, B, 1), 0 where a new sequence begins, else 1.
            start: (B, H) the state before the chunk.

        Returns:
            (T, B, D), and the state after the chunk (B, H), detached.
        """
        update, content, gate = self.gates(self.norm(values)).split(self.hidden, dim=-1)
        update = torch.sigmoid(update)
        states: Tensor = LinearScan.apply((1 - update) * goes_on, update * content, start)
        values = values + self.drop(self.out(states * nn.functional.silu(gate)))
        left, right = self.feed_in(self.feed_norm(values)).chunk(2, dim=-1)
        return values + self.drop(self.feed_out(nn.functional.silu(left) * right)), states[-1].detach()
