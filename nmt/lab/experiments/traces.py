"""The states and gates of a recurrent cell along a sequence."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt.models.cells import Cell


def unroll(cell: Cell, inputs: Tensor) -> list[Tensor]:
    """Zeros, and the state ``(batch, state)`` after each step over inputs ``(batch, time, input)``."""
    states = [inputs.new_zeros(len(inputs), cell.state_width)]
    for projected in cell.project(inputs).unbind(1):
        states.append(cell.step(projected, states[-1]))
    return states


def trace_gates(cell: Cell, inputs: Tensor) -> dict[str, Tensor]:
    """The gates of `Cell.gates` by name for every step from zeros, ``(batch, time, hidden)`` each."""
    before = torch.stack(unroll(cell, inputs)[:-1], 1)  # (batch, time, state)
    return cell.gates(cell.project(inputs), before)
