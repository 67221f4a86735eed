"""AdamW over one flat vector: a few calls a step however many parameters, and no compiler imported on the way (torch.optim does)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

MOMENTS = (0.9, 0.98)
DECAY = 0.01


class FlatAdamW:
    """Holds the parameters' values and gradients as views of two vectors (Loshchilov & Hutter 2019).

    Attributes:
        gradient: (P,) what back-propagation has added since the last step.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        """Take over `parameters`; matrices decay, vectors do not."""
        with torch.no_grad():
            self.values = torch.cat([parameter.detach().ravel() for parameter in parameters])
        self.gradient = torch.zeros_like(self.values)
        self.first, self.second = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.decay = torch.cat([torch.full((p.numel(),), DECAY if p.dim() > 1 else 0.0) for p in parameters])
        self.count = 0
        begin = 0
        for parameter in parameters:
            end = begin + parameter.numel()
            parameter.data = self.values[begin:end].view_as(parameter)
            parameter.grad = self.gradient[begin:end].view_as(parameter)
            begin = end

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step at this learning rate; the gradient is spent."""
        self.count += 1
        self.first.mul_(MOMENTS[0]).add_(self.gradient, alpha=1 - MOMENTS[0])
        self.second.mul_(MOMENTS[1]).addcmul_(self.gradient, self.gradient, value=1 - MOMENTS[1])
        root = (self.second / (1 - MOMENTS[1] ** self.count)).sqrt_().add_(1e-8)
        self.values.addcmul_(self.values, self.decay, value=-rate)
        self.values.addcdiv_(self.first, root, value=-rate / (1 - MOMENTS[0] ** self.count))
        self.gradient.zero_()
