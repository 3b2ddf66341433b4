"""What happens inside a recurrent cell while it reads: its states and, in an LSTM, the gates that made them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nmt.models.cells import Cell


@dataclass(frozen=True)
class Trace:
    """An LSTM's states after each step and the gates of that step, each ``(batch, time, hidden)``; gates are in 0..1."""

    hidden: Tensor
    cell: Tensor
    input: Tensor
    forget: Tensor
    output: Tensor


def unroll(cell: Cell, inputs: Tensor) -> list[Tensor]:
    """The states of any cell, zeros before the first step and then one ``(batch, state)`` after each step over ``(batch, time, input)``."""
    states = [inputs.new_zeros(len(inputs), cell.state_width)]
    for projected in cell.project(inputs).unbind(1):
        states.append(cell.step(projected, states[-1]))
    return states


def trace(cell: Cell, inputs: Tensor) -> Trace:
    """Runs an LSTM step by step from zeros over embedded inputs ``(batch, time, input)``."""
    states = torch.stack(unroll(cell, inputs), 1)  # (batch, 1 + time, state)
    assert cell.kind == "lstm", "only an LSTM has these gates"
    gates = cell.gates(cell.project(inputs), states[:, :-1])
    hidden, kept = states[:, 1:].chunk(2, -1)
    return Trace(hidden, kept, gates["input"], gates["forget"], gates["output"])
