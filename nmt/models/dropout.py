"""Dropout (Srivastava et al. 2014), fast on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """In training, sets activations to 0 with a probability and scales the others so that the mean is the same.

    On a CPU torch draws a double for each activation, which took a seventh of a training step; here one random byte is
    drawn, from the same generator. The probability is rounded to a multiple of 1/256, and the scale fits it.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"model.dropout: expected a probability of at least 0 and below 1, found {probability}")
        self.probability = probability

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return inputs
        if inputs.device.type != "cpu":
            return functional.dropout(inputs, self.probability)
        dropped = min(round(self.probability * 256), 255)
        count = inputs.numel()
        drawn = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)[:count]
        kept = (drawn >= dropped).view(inputs.shape).to(inputs.dtype)
        return inputs * kept.mul_(256 / (256 - dropped))
