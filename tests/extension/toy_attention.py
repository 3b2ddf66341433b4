"""An attention of another package: every slot has the same weight."""

from __future__ import annotations

from torch import Tensor

from nmt.models.attention import Attention, by_memory_row, weigh
from nmt.models.protocol import Memory


class MeanAttention(Attention):
    """The mean of the encoder states."""

    title = "mean of the encoder states"

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        self.context = slot

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        scores = by_memory_row(query, memory).new_zeros(len(memory.mask), len(query) // len(memory.mask), 1)
        return weigh(scores.expand(-1, -1, memory.mask.shape[1]), memory)
