"""`model.attention: bahdanau`, additive attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt.models.attention import Attention, by_memory_row, weigh
from nmt.models.protocol import Memory


class BahdanauAttention(Attention):
    """Weighs the slots of memory by an additive score of each slot against the query.

    score_j = v . tanh(W query + U slot_j), weights = softmax(score), context = sum_j weights_j slot_j
    (Bahdanau, Cho and Bengio 2015, arXiv:1409.0473, section 3.1 and appendix A.1.2). The query is the decoder state
    *before* this step, s_{i-1}. U slot_j does not depend on the step, so `encode` keeps it in `Memory.keys`.
    """

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        self.context = slot
        self.query = nn.Linear(hidden, size, bias=False)
        self.key = nn.Linear(slot, size)
        self.score = nn.Linear(size, 1, bias=False)

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """U slot_j, ``(batch, slot, attention)``."""
        return (self.key(slots),)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Weights of masked slots are exactly 0; every row needs a real slot."""
        queries = by_memory_row(self.query(query), memory).unsqueeze(2)  # (batch, beam, 1, attention)
        keys = memory.keys[0].unsqueeze(1)  # (batch, 1, slot, attention)
        return weigh(self.score(torch.tanh(queries + keys)).squeeze(-1), memory)


ATTENTION = BahdanauAttention
