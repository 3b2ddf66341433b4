"""A model family of another package: a bag of words read, and the next token predicted from the one before."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from nmt.models.protocol import Description, Memory, Sizes, Step, TranslationModel
from nmt.recipe.section import Count, Section


class ToySection(Section):
    """The family's keys of a recipe."""

    family: Literal["toy"] = "toy"
    width: Count = 8
    """Width of embeddings."""


class ToyModel(TranslationModel):
    """Memory is the mean of the source embeddings, the state a count of steps."""

    section = ToySection

    def __init__(self, *, source: int, target: int, joint: bool, width: int) -> None:
        super().__init__()
        self.embed_source, self.embed_target = nn.Embedding(source, width), nn.Embedding(target, width)
        self.output = nn.Linear(width, target)

    @classmethod
    def describe(cls, sizes: Sizes) -> Description:
        return Description(f"toy of width {sizes['width']}", one_slot=True)

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        summed = (self.embed_source(source) * mask.unsqueeze(-1)).sum(1, keepdim=True)
        return Memory(summed / mask.sum(1)[:, None, None], mask.new_ones(len(mask), 1))

    def initial_state(self, memory: Memory) -> Tensor:
        return memory.slots.new_zeros(len(memory.slots))

    def step(self, previous: Tensor, state: Tensor, memory: Memory) -> Step:
        beams = len(previous) // len(memory.slots)
        read = memory.slots[:, 0].repeat_interleave(beams, 0)
        logits: Tensor = self.output(torch.tanh(self.embed_target(previous) + read))
        return Step(logits, state + 1, logits.new_ones(len(previous), 1))
