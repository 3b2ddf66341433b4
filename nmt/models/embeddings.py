"""Embeddings of tokens and of positions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class TokenEmbedding(nn.Embedding):
    """Embeds token ids ``(...) -> (..., width)``, times sqrt(width) (Vaswani et al. 2017, section 3.4).

    Initial entries have standard deviation 1/sqrt(width), the scale of an output matrix, so one matrix can be tied to
    the output.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__(tokens, width)
        self.scale = math.sqrt(width)
        nn.init.normal_(self.weight, std=width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens) * self.scale


def sinusoids(positions: int, width: int) -> Tensor:
    """Position vectors ``(positions, width)``: sine in even, cosine in odd columns (Vaswani et al., section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(positions).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]
