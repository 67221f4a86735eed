"""Loss functions: pure, with their gradients made in the forward pass where that saves time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

COLLISION = -1e9


class SampledSoftmax(torch.autograd.Function):
    """Cross-entropy of a target against negatives shared by the batch (Jean et al. 2015, with uniform sampling).

    Forward: hidden (M, D), positives (M, D), positive_bias (M,), negatives (K, D), negative_bias (K,), and `collisions`
    (2, C), rows and columns of the negatives that are their row's own target. Returns the mean loss, a scalar.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        positives: Tensor,
        positive_bias: Tensor,
        negatives: Tensor,
        negative_bias: Tensor,
        collisions: Tensor,
    ) -> Tensor:
        """The loss; its gradients are kept for the backward pass."""
        logits = torch.addmm(negative_bias, hidden, negatives.t())
        logits[collisions[0], collisions[1]] = COLLISION
        own = (hidden * positives).sum(1) + positive_bias
        highest = torch.maximum(logits.amax(1), own)
        logits.sub_(highest[:, None]).exp_()
        own_share = (own - highest).exp_()
        total = logits.sum(1) + own_share
        loss = (total.log() + highest - own).mean()
        logits.mul_((1 / (total * len(hidden)))[:, None])
        own_grad = (own_share / total - 1) / len(hidden)
        hidden_grad = torch.addcmul(logits @ negatives, own_grad[:, None], positives)
        ctx.save_for_backward(hidden_grad, own_grad[:, None] * hidden, own_grad, logits.t() @ hidden, logits.sum(0))
        return loss

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradients, scaled."""
        return (*(grad * kept for kept in ctx.saved_tensors), None)
