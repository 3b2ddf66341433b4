"""Readers: how a recurrent decoder looks at memory. Each turns a query and a memory into a context and the weights of the slots.

The decoder does not know which reader it has. Those with `one_slot` are given the thought vector, the others a slot per source piece.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from nmt.models.protocol import Memory


class Reader(nn.Module, ABC):
    """Reads a context ``(batch, context)`` from memory for a query ``(batch, hidden)``."""

    one_slot: ClassVar[bool]
    """Whether the encoder hands over one slot, the thought vector, instead of all its states."""
    constant: ClassVar[bool] = False
    """Whether the context is the same at every step, so that a whole target can be run through a fused kernel."""

    context: int
    """Width of the context."""

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """What depends on the slots alone, computed once in `encode` and kept in the memory."""
        return ()

    @abstractmethod
    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The context ``(batch, context)`` and the weights ``(batch, slot)``."""


class NoContext(Reader):
    """Reads nothing: memory acts through the initial state alone (Sutskever, Vinyals and Le 2014, arXiv:1409.3215)."""

    one_slot = True
    constant = True

    def __init__(self, hidden: int, slot: int, width: int) -> None:
        super().__init__()
        self.context = 0

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        return memory.slots.new_zeros(len(query), 0), memory.slots.new_zeros(memory.mask.shape)


class FixedContext(Reader):
    """Gives the thought vector at every step (Cho et al. 2014, arXiv:1406.1078, section 2.2; the baseline of Bahdanau et al.)."""

    one_slot = True
    constant = True

    def __init__(self, hidden: int, slot: int, width: int) -> None:
        super().__init__()
        self.context = slot

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        return memory.slots[:, 0], memory.slots.new_ones(memory.mask.shape)


class BahdanauAttention(Reader):
    """Weighs the slots of memory by an additive score of each slot against the query.

    score_j = v . tanh(W query + U slot_j), weights = softmax(score), context = sum_j weights_j slot_j
    (Bahdanau, Cho and Bengio 2015, arXiv:1409.0473, section 3.1 and appendix A.1.2). The query is the decoder state *before* this step,
    s_{i-1}. U slot_j does not depend on the step, so `encode` keeps it in ``memory.keys``.
    """

    one_slot = False

    def __init__(self, hidden: int, slot: int, width: int) -> None:
        super().__init__()
        self.context = slot
        self.query = nn.Linear(hidden, width, bias=False)
        self.key = nn.Linear(slot, width)
        self.score = nn.Linear(width, 1, bias=False)

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """U slot_j, ``(batch, slot, attention)``."""
        return (self.key(slots),)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Weights of masked slots are exactly 0; a row without a real slot is an error of the caller."""
        energies = torch.tanh(self.query(query).unsqueeze(1) + memory.keys[0])  # (batch, slot, attention)
        return weigh(self.score(energies).squeeze(-1), memory)


class DotAttention(Reader):
    """Weighs the slots by their dot product with the query (Luong, Pham and Manning 2015, arXiv:1508.04025, equation 8).

    The wiring is Bahdanau's, to change one thing at a time: the query is the state before the step and the context feeds the cell,
    where Luong queries with the state after it.
    """

    one_slot = False

    def __init__(self, hidden: int, slot: int, width: int) -> None:
        super().__init__()
        if hidden != slot:
            raise ValueError(f"model.decoder.hidden: reader dot compares query and slot directly, expected {slot} units as in a slot, found {hidden}")
        self.context = slot

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Weights of masked slots are exactly 0; a row without a real slot is an error of the caller."""
        return weigh((memory.slots @ query.unsqueeze(-1)).squeeze(-1), memory)


def weigh(scores: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """The context ``(batch, context)`` and weights ``(batch, slot)`` for scores ``(batch, slot)``: a softmax over the real slots."""
    weights = scores.float().masked_fill(~memory.mask, float("-inf")).softmax(-1)
    context = torch.bmm(weights.to(memory.slots.dtype).unsqueeze(1), memory.slots).squeeze(1)
    return context, weights


READERS: dict[str, type[Reader]] = {"none": NoContext, "fixed": FixedContext, "bahdanau": BahdanauAttention, "dot": DotAttention}
