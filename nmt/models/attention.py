"""Attention of the recurrent decoder: a query and a memory give a context and the weights of the slots.

The decoder is the same with every class. One with `one_slot` attends to the thought vector, the others to a slot per
source token.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.metadata import entry_points
from typing import ClassVar

import torch
from torch import Tensor, nn

from nmt.models.protocol import Memory, repeat


class Attention(nn.Module, ABC):
    """A context ``(row, context)`` of memory for a query ``(row, hidden)``.

    With k times as many queries as rows of memory, memory row i serves queries i*k to i*k + k - 1. Constructed with the
    decoder's hidden units, the width of a slot and `model.attention_size`.
    """

    title: ClassVar[str] = "attention"
    """What people call a model with it."""
    one_slot: ClassVar[bool] = False
    """Whether memory is one slot, the thought vector, instead of all encoder states."""
    constant: ClassVar[bool] = False
    """Whether the context is the same at every step; then a whole target runs through a fused kernel."""

    context: int
    """Width of the context."""

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """What scores need of the slots, computed once and kept in `Memory.keys`."""
        return ()

    @abstractmethod
    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The context ``(row, context)``, a weighted sum of the slots, and the weights ``(row, slot)``."""


class InitialStateOnly(Attention):
    """No context: memory acts through the initial state alone (Sutskever, Vinyals and Le 2014, arXiv:1409.3215)."""

    title = "thought vector, read once"
    one_slot = True
    constant = True

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        self.context = 0

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        return memory.slots.new_zeros(len(query), 0), memory.slots.new_zeros(len(query), memory.mask.shape[1])


class FixedThoughtVector(Attention):
    """The thought vector is the context of every step (Cho et al. 2014, arXiv:1406.1078, section 2.2)."""

    title = "thought vector"
    one_slot = True
    constant = True

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        self.context = slot

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        return repeat(memory.slots[:, 0], len(query) // len(memory.slots)), memory.slots.new_ones(len(query), 1)


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


class DotAttention(Attention):
    """Weighs the slots by their dot product with the query (Luong et al. 2015, arXiv:1508.04025, equation 8).

    The wiring is Bahdanau's, to change one thing at a time: the query is the state before the step and the context
    feeds the cell, where Luong queries with the state after it.
    """

    title = "dot-product attention"

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        if hidden != slot:
            raise ValueError(
                "model.decoder.hidden: attention dot compares query and slot directly, "
                f"expected {slot} units as in a slot, found {hidden}"
            )
        self.context = slot

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """The slots themselves."""
        return (slots,)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Weights of masked slots are exactly 0; every row needs a real slot."""
        return weigh(by_memory_row(query, memory) @ memory.keys[0].transpose(1, 2), memory)


def by_memory_row(query: Tensor, memory: Memory) -> Tensor:
    """``(row, width) -> (batch, beam, width)``: the queries that share each row of memory."""
    return torch.unflatten(query, 0, (len(memory.mask), -1))


def weigh(scores: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """Context ``(row, context)`` and weights ``(row, slot)``: a softmax of scores ``(batch, beam, slot)``."""
    weights = scores.float().masked_fill(~memory.mask.unsqueeze(1), float("-inf")).softmax(-1)
    context = torch.bmm(weights.to(memory.slots.dtype), memory.slots)
    return context.flatten(0, 1), weights.flatten(0, 1)


THOUGHT_VECTORS: dict[str, type[Attention]] = {"every_step": FixedThoughtVector, "initial_state": InitialStateOnly}
ATTENTIONS: dict[str, type[Attention]] = {
    "bahdanau": BahdanauAttention,
    "dot": DotAttention,
}
"""Attentions by `model.attention`; other packages add theirs by entry points of the group `nmt.attentions`."""


def attention_class(name: str, thought_vector: str) -> type[Attention]:
    """The class of that name; for `none`, that of the way in which the decoder is given the thought vector."""
    if name == "none":
        if thought_vector not in THOUGHT_VECTORS:
            expected = ", ".join(THOUGHT_VECTORS)
            raise ValueError(f"model.thought_vector: expected one of {expected}, found {thought_vector!r}")
        return THOUGHT_VECTORS[thought_vector]
    if name in ATTENTIONS:
        return ATTENTIONS[name]
    added = {point.name: point for point in entry_points(group="nmt.attentions")}
    if name not in added:
        raise ValueError(f"model.attention: expected one of {', '.join([*ATTENTIONS, *added, 'none'])}, found {name!r}")
    found: type[Attention] = added[name].load()
    return found
