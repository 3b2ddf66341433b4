"""The training objective: label-smoothed cross-entropy under teacher forcing.

Losses are sums over target tokens, so accumulation over batches and averages over a corpus are exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nmt.data.batches import Batch
from nmt.models.device import autocast
from nmt.models.protocol import TranslationModel

CHUNK_BYTES = {"cpu": 3 << 20, "cuda": 1 << 28, "mps": 1 << 28}
"""Size of the fp32 logits that are computed on at a time; on a CPU they fit its caches."""


class Loss(NamedTuple):
    """Sums over the real target tokens of a batch, in nats."""

    loss: Tensor
    """With label smoothing: what is minimised."""
    nll: Tensor
    """Negative log-likelihood, without label smoothing."""
    tokens: int


def objective(model: TranslationModel, batch: Batch, smoothing: float = 0.0, precision: str = "fp32") -> Loss:
    """Forward pass under teacher forcing and label-smoothed cross-entropy; the batch is on the model's device."""
    with autocast(batch.source.device, precision):
        logits = model(batch.source, batch.source_mask, batch.previous)
    return cross_entropy(logits, batch.expected, batch.target_mask, smoothing)


def cross_entropy(logits: Tensor, expected: Tensor, mask: Tensor, smoothing: float) -> Loss:
    """Label-smoothed cross-entropy (Szegedy et al. 2016, arXiv:1512.00567, section 7).

    loss = (1 - smoothing) * nll + smoothing * mean over the vocabulary of -log p. Logits are
    ``(batch, target, vocabulary)``; expected ids and mask are ``(batch, target)``.
    """
    flat = logits.flatten(0, 1), expected.flatten(), mask.flatten()
    loss, nll = _SmoothedCrossEntropy.apply(*flat, smoothing)  # type: ignore[no-untyped-call]
    return Loss(loss, nll, int(mask.sum()))


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The loss and its gradient in one pass over the logits, a chunk of rows at a time.

    Composed of torch operations, a batch of 4,000 positions over a vocabulary of 6,000 would fill several arrays of
    100 MB. Here only the gradient is kept, in the precision of the logits.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, expected: Tensor, mask: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
        vocabulary = logits.shape[-1]
        gradient = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        nll, spread = expected.new_zeros((), dtype=torch.float32), expected.new_zeros((), dtype=torch.float32)
        rows = max(1, CHUNK_BYTES[logits.device.type] // (4 * vocabulary))
        for start in range(0, len(logits), rows):
            chunk = slice(start, start + rows)
            scores = logits[chunk].to(torch.float32, copy=True)
            gold, real = expected[chunk].unsqueeze(1), mask[chunk].unsqueeze(1).float()
            picked, mean = scores.gather(1, gold), scores.mean(1, keepdim=True)
            top = scores.amax(1, keepdim=True)
            total = scores.sub_(top).exp_().sum(1, keepdim=True)
            normaliser = top + total.log()
            nll += ((normaliser - picked) * real).sum()
            spread += ((normaliser - mean) * real).sum()
            if gradient is not None:  # softmax minus the smoothed target, 0 at padding
                scores.mul_(real / total).sub_(real * (smoothing / vocabulary))
                scores.scatter_add_(1, gold, (smoothing - 1) * real)
                gradient[chunk] = scores
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(nll)
        return (1 - smoothing) * nll + smoothing * spread, nll

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor, _: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(scale), None, None, None  # in place: torch refuses a second pass through a retained graph
