"""Attention of the recurrent decoder: a query and a memory give a context and the weights of the slots.

The decoder is the same with every class. One with `one_slot` attends to the thought vector, the others to a slot per
source token: those of `nmt/models/attentions/`, each a file that defines it as ``ATTENTION``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
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


def by_memory_row(query: Tensor, memory: Memory) -> Tensor:
    """``(row, width) -> (batch, beam, width)``: the queries that share each row of memory."""
    return torch.unflatten(query, 0, (len(memory.mask), -1))


def weigh(scores: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """Context ``(row, context)`` and weights ``(row, slot)``: a softmax of scores ``(batch, beam, slot)``."""
    weights = scores.float().masked_fill(~memory.mask.unsqueeze(1), float("-inf")).softmax(-1)
    context = torch.bmm(weights.to(memory.slots.dtype), memory.slots)
    return context.flatten(0, 1), weights.flatten(0, 1)


THOUGHT_VECTORS: dict[str, type[Attention]] = {"every_step": FixedThoughtVector, "initial_state": InitialStateOnly}
ATTENTIONS = tuple(sorted(each.name for each in iter_modules(import_module("nmt.models.attentions").__path__)))
"""The names of the files in `nmt/models/attentions/`; other packages add theirs by entry points of the group
`nmt.attentions`."""


def attention_class(name: str, thought_vector: str) -> type[Attention]:
    """The class of that name; for `none`, that of the way in which the decoder is given the thought vector."""
    if name == "none":
        if thought_vector not in THOUGHT_VECTORS:
            expected = ", ".join(THOUGHT_VECTORS)
            raise ValueError(f"model.thought_vector: expected one of {expected}, found {thought_vector!r}")
        return THOUGHT_VECTORS[thought_vector]
    added = {point.name: point for point in entry_points(group="nmt.attentions")}
    found: type[Attention]
    if name in ATTENTIONS:
        found = import_module(f"nmt.models.attentions.{name}").ATTENTION
    elif name in added:
        found = added[name].load()
    else:
        raise ValueError(f"model.attention: expected one of {', '.join([*ATTENTIONS, *added, 'none'])}, found {name!r}")
    return found
