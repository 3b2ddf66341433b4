"""Encoders: the embedded source to one state per token, and to the final states.

A recurrent encoder reads from the left, from the right or from both sides; a bag of words ignores the order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nmt.models.cells import Cell
from nmt.models.dropout import Dropout

DIRECTIONS = ("both", "forward", "backward", "none")


class Encoder(nn.Module, ABC):
    """Maps an embedded source ``(batch, source, embedding)`` to states ``(batch, source, width)``."""

    width: int
    """Width of a state."""

    @abstractmethod
    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """The states; those at padded positions are arbitrary and masked."""

    @abstractmethod
    def gates(self, embedded: Tensor) -> dict[str, Tensor]:
        """The bottom layer's gates by name, ``(source, hidden)``, over one source ``(1, source, embedding)``.

        The gate at a position is that of the step that read it. Raises `ValueError` for an encoder without gates.
        """

    @abstractmethod
    def final_states(self, slots: Tensor, mask: Tensor) -> Tensor:
        """The source in one vector, ``(batch, slot, width) -> (batch, width)``; for memory with one slot, that slot. So
        the thought vector, and the vector from which the decoder under attention starts, are the same function of the
        source."""


class RecurrentEncoder(Encoder):
    """Stacked recurrent layers that read from the left (`forward`), from the right (`backward`: the reversed source of
    Sutskever et al. 2014, arXiv:1409.3215, section 3.3), or from `both` sides.

    Sequences are padded on the right. Forward layers read padding last; for backward layers each sentence is reversed
    within its own length. So padding changes no real position, and torch's packed sequences, which are slower on CPUs,
    are not needed.
    """

    def __init__(
        self,
        kind: str,
        width: int,
        hidden: int,
        layers: int,
        direction: str,
        residual: bool,
        forget_bias: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.kind, self.layers, self.hidden = kind, layers, hidden
        self.width = hidden * (2 if direction == "both" else 1)
        widths = [width] + [self.width] * (layers - 1)

        def cells(there: bool) -> Sequence[Cell]:
            return cast(
                "Sequence[Cell]", nn.ModuleList(Cell(kind, each, hidden, forget_bias) for each in widths if there)
            )

        self.forwards, self.backwards = cells(direction != "backward"), cells(direction != "forward")
        self.residual = residual
        self.dropout = Dropout(dropout)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        order = reversed_positions(mask) if self.backwards else None
        below = embedded
        for level in range(self.layers):
            above = self._layer(level, below, order)
            below = above + below if self.residual and level else above
            below = self.dropout(below)
        return below

    def _layer(self, level: int, below: Tensor, order: Tensor | None) -> Tensor:
        halves = [self.forwards[level].sequence(below)] if self.forwards else []
        if order is not None:
            halves.append(reorder(self.backwards[level].sequence(reorder(below, order)), order))
        return torch.cat(halves, -1) if len(halves) > 1 else halves[0]

    def gates(self, embedded: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for direction, cells in (("forward", self.forwards), ("backward", self.backwards)):
            for cell in list(cells)[:1]:
                inputs = embedded.flip(1) if direction == "backward" else embedded
                for name, gate in cell.gates_over(inputs).items():
                    found[f"{direction} {name}"] = (gate.flip(1) if direction == "backward" else gate)[0]
        if not found:
            raise ValueError(f"this run has cell {self.kind}, which has no gates")
        return found

    def final_states(self, slots: Tensor, mask: Tensor) -> Tensor:
        """The states after each direction's last step: the forward half of the last real slot, the backward half of the
        first."""
        first, last = slots[:, 0], slots[torch.arange(len(slots), device=slots.device), mask.sum(1) - 1]
        if slots.shape[1] == 1 or not self.backwards:
            return last
        return torch.cat([last[:, : self.hidden], first[:, self.hidden :]], -1) if self.forwards else first


class BagEncoder(Encoder):
    """A bag of words: each token is mapped by itself, and the final state is their mean, whatever the order."""

    def __init__(self, embedding: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.map = nn.Linear(embedding, width)
        self.dropout = Dropout(dropout)

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = self.dropout(torch.tanh(self.map(embedded)))
        return states

    def gates(self, embedded: Tensor) -> dict[str, Tensor]:
        raise ValueError("this run's encoder is a bag of words (direction none) and has no gates")

    def final_states(self, slots: Tensor, mask: Tensor) -> Tensor:
        """The mean of the real slots."""
        real = mask.unsqueeze(-1)
        return (slots * real).sum(1) / real.sum(1)


def reversed_positions(mask: Tensor) -> Tensor:
    """The real positions of each sentence from last to first, ``(batch, source)``: a permutation and its inverse."""
    positions = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    return (mask.sum(1, keepdim=True) - 1 - positions) % mask.shape[1]


def reorder(sequence: Tensor, positions: Tensor) -> Tensor:
    """``(batch, time, width)`` with the time steps of each row taken in the given order ``(batch, time)``."""
    return sequence.gather(1, positions.unsqueeze(-1).expand_as(sequence))
