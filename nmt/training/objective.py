"""The training objective as sums, so that accumulation over batches and averages over a corpus are exact."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_BYTES = {"cpu": 3 << 20, "cuda": 1 << 28, "mps": 1 << 28}
"""Logits worked on at a time, in fp32: on a CPU what stays in its caches."""


class Loss(NamedTuple):
    """Sums over real target pieces: the smoothed objective, the plain negative log-likelihood (both in nats), and the pieces."""

    objective: Tensor
    nll: Tensor
    pieces: int


def cross_entropy(logits: Tensor, expected: Tensor, mask: Tensor, smoothing: float) -> Loss:
    """Label-smoothed cross-entropy (Szegedy et al. 2016, arXiv:1512.00567, section 7) of logits ``(batch, target, vocabulary)``.

    objective = (1 - smoothing) * nll + smoothing * mean over the vocabulary of -log p; expected and mask are ``(batch, target)``.
    """
    objective, nll = _SmoothedCrossEntropy.apply(logits.flatten(0, 1), expected.flatten(), mask.flatten(), smoothing)  # type: ignore[no-untyped-call]
    return Loss(objective, nll, int(mask.sum()))


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The objective and its gradient in one pass over the logits, a few rows at a time.

    Written out, the softmax of a batch of 4,000 positions over 6,000 pieces fills several arrays of 100 MB; here only the gradient is kept,
    in the precision of the logits.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, expected: Tensor, mask: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        vocabulary = logits.shape[-1]
        gradient = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        nll, spread = expected.new_zeros((), dtype=torch.float32), expected.new_zeros((), dtype=torch.float32)
        rows = max(1, CHUNK_BYTES[logits.device.type] // (4 * vocabulary))
        for start in range(0, len(logits), rows):
            chunk = slice(start, start + rows)
            scores, gold, real = (
                logits[chunk].to(torch.float32, copy=True),
                expected[chunk].unsqueeze(1),
                mask[chunk].unsqueeze(1).float(),
            )
            picked, mean = scores.gather(1, gold), scores.mean(1, keepdim=True)
            top = scores.amax(1, keepdim=True)
            total = scores.sub_(top).exp_().sum(1, keepdim=True)
            normaliser = top + total.log()
            nll += ((normaliser - picked) * real).sum()
            spread += ((normaliser - mean) * real).sum()
            if gradient is not None:  # softmax minus the smoothed target, 0 at padding
                scores.mul_(real / total).sub_(real * (smoothing / vocabulary)).scatter_add_(
                    1, gold, (smoothing - 1) * real
                )
                gradient[chunk] = scores
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(nll)
        return (1 - smoothing) * nll + smoothing * spread, nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(scale), None, None, None  # in place: torch refuses a second pass through a retained graph
