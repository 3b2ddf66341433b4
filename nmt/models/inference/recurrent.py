"""The recurrent model for search: slots multiplied once per sentence, embeddings once per vocabulary."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nmt.models import fused_attention
from nmt.models.inference.frozen import FrozenModel
from nmt.models.protocol import Memory, State, Step
from nmt.models.recurrent import RecurrentModel

LARGEST_TABLE = 2**25
"""Numbers in the largest table of projected embeddings; 128 MiB in fp32."""


class ProjectedMemory(NamedTuple):
    """A memory, and its slots as the decoder's weights take them, ``(batch, slot, shares)``.

    W sum_j w_j slot_j = sum_j w_j W slot_j: the right side multiplies once per slot, the left once per step and
    hypothesis. `projected` is empty where there are as many slots as a slot has units; the sum would then cost more
    than it saves.
    """

    memory: Memory
    projected: tuple[Tensor, ...]


class FrozenRecurrentModel(FrozenModel[RecurrentModel]):
    """The verbs of `RecurrentModel`, faster and equal up to rounding."""

    def __init__(self, model: RecurrentModel, device: torch.device, precision: str) -> None:
        super().__init__(model, device, precision)
        self.table = self._table()

    @torch.no_grad()
    def _table(self) -> Tensor | None:
        """Every token's embedding projected to the bottom layer's gates, ``(vocabulary, gates)``; None if too large."""
        cell, size = self.model.cells[0], self.model.output.out_features
        if size * cell.projected > LARGEST_TABLE:
            return None
        with self.autocast():
            return cell.project(self.model.embed_target(torch.arange(size, device=self.device)))

    def encode(self, source: Tensor, mask: Tensor) -> ProjectedMemory:
        """The memory and, where it pays, its projected slots; read by this class only."""
        with self.autocast():
            memory = self.model.encode(source, mask)
            if memory.slots.shape[1] >= self.model.attention.context:
                return ProjectedMemory(memory, ())
            return ProjectedMemory(memory, (torch.cat(self._shares(memory.slots), -1),))

    def initial_state(self, memory: ProjectedMemory) -> Tensor:
        """As the model's."""
        with self.autocast():
            return self.model.initial_state(memory.memory)

    def step(self, previous: Tensor, state: State, memory: ProjectedMemory) -> Step:
        """As the model's, with contexts that are sums of projected slots."""
        with self.autocast():
            model, slots = self.model, memory.memory
            embedded = model.embed_target(previous)
            if memory.projected:
                slots = slots._replace(slots=memory.projected[0])
            context, weights = fused_attention.attend(model.attention, model.cells[0].output(state[:, 0]), slots)
            *gates, read = torch.split(context, self._widths(), -1) if memory.projected else self._shares(context)
            below, states = embedded, []
            for level, cell in enumerate(model.cells):
                own = cell.project(below) if level or self.table is None else self.table.index_select(0, previous)
                states.append(cell.step(own + gates[level], state[:, level]))
                below = model.above(level, below, cell.output(states[-1]))
            return Step(model.logits(below, embedded, read), torch.stack(states, 1), weights)

    def _shares(self, contexts: Tensor) -> list[Tensor]:
        """W context for each layer's gates, from the bottom up, and for the readout."""
        model = self.model
        return [
            *(cell.project(contexts, cell.width - model.attention.context) for cell in model.cells),
            model.readout_share(contexts),
        ]

    def _widths(self) -> list[int]:
        """Widths of `_shares`."""
        return [*(cell.projected for cell in self.model.cells), self.model.readout.out_features]
