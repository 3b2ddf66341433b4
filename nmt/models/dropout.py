"""Dropout (Srivastava et al. 2014), quick on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """Sets each activation to 0 with the given probability in training, and scales the rest so that the mean stays.

    On a CPU torch draws a double for every activation, which took a seventh of a training step; here a byte decides, from the same
    restorable generator. The probability is then a multiple of 1/256, below 1, and the scale fits the one that is drawn with.
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
