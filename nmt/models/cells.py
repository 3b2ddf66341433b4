"""Recurrent cells behind one signature.

A state is one tensor: the LSTM keeps [h; c] side by side, GRU and tanh keep h, so that nothing else in the project asks which cell it
has. `Cell.step` is the equations of the paper with named gates; `Cell.sequence` runs the same weights through torch's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

CELLS: dict[str, Callable[..., Any]] = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
GATES = {"tanh": 1, "gru": 3, "lstm": 4}


class Fused(Protocol):
    """What is used of torch's recurrent layers, which register their weights by name and so hide them from types."""

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __call__(self, inputs: Tensor, state: Tensor | tuple[Tensor, ...] | None = None) -> tuple[Tensor, Any]: ...


class Cell(nn.Module):
    """One recurrent layer in one direction.

    kind: tanh (Elman 1990), gru (Cho et al. 2014, arXiv:1406.1078) or lstm (Hochreiter and Schmidhuber 1997 with the forget gate of
    Gers et al. 2000). forget_bias is the initial bias of the LSTM's forget gate: at 0 a fresh cell forgets half of itself every step.
    """

    def __init__(self, kind: str, width: int, hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__()
        if kind not in CELLS:
            raise ValueError(f"model.cell: expected one of {', '.join(CELLS)}, found {kind!r}")
        self.kind, self.width, self.hidden, self.gates = kind, width, hidden, GATES[kind] * hidden
        self.state_width = 2 * hidden if kind == "lstm" else hidden
        self.layer: Fused = CELLS[kind](width, hidden, batch_first=True)
        self._initialise(forget_bias)

    def _initialise(self, forget_bias: float) -> None:
        """Glorot input weights, an orthogonal matrix per gate (Saxe et al. 2014), biases 0 but for the forget gate."""
        layer = self.layer
        for gate in range(GATES[self.kind]):
            rows = slice(gate * self.hidden, (gate + 1) * self.hidden)
            nn.init.xavier_uniform_(layer.weight_ih_l0.data[rows])
            nn.init.orthogonal_(layer.weight_hh_l0.data[rows])
        nn.init.zeros_(layer.bias_ih_l0)
        nn.init.zeros_(layer.bias_hh_l0)
        if self.kind == "lstm":
            layer.bias_ih_l0.data[self.hidden : 2 * self.hidden] = forget_bias

    def output(self, state: Tensor) -> Tensor:
        """What the rest of the model sees of a state: h, ``(..., hidden)``."""
        return state[..., : self.hidden]

    def project(self, inputs: Tensor, start: int = 0) -> Tensor:
        """The inputs' share of the gates, ``(..., input) -> (..., gate x hidden)``, for the input columns from ``start`` on.

        It does not depend on the state, so a whole sequence is projected at once, outside the recurrence. The bias comes with column 0.
        """
        weight = self.layer.weight_ih_l0[:, start : start + inputs.shape[-1]]
        return functional.linear(inputs, weight, None if start else self.layer.bias_ih_l0)

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """One step of the recurrence: projected inputs ``(batch, gate x hidden)`` and the state before give the state after."""
        if self.kind == "lstm":
            return self._lstm(projected, state)
        return self._gru(projected, state) if self.kind == "gru" else self._tanh(projected, state)

    def _recur(self, hidden: Tensor) -> Tensor:
        return functional.linear(hidden, self.layer.weight_hh_l0, self.layer.bias_hh_l0)

    def _tanh(self, projected: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(projected + self._recur(state))

    def _gru(self, projected: Tensor, state: Tensor) -> Tensor:
        reset_x, update_x, new_x = projected.chunk(3, -1)
        reset_h, update_h, new_h = self._recur(state).chunk(3, -1)
        reset = torch.sigmoid(reset_x + reset_h)
        update = torch.sigmoid(update_x + update_h)
        candidate = torch.tanh(
            new_x + reset * new_h
        )  # the reset gate after the product, as cuDNN computes it; the paper has it before
        return (1 - update) * candidate + update * state

    def _lstm(self, projected: Tensor, state: Tensor) -> Tensor:
        hidden, cell = state.chunk(2, -1)
        gates = projected + self._recur(hidden)
        input_gate, forget_gate, candidate, output_gate = gates.chunk(4, -1)
        cell = torch.sigmoid(forget_gate) * cell + torch.sigmoid(input_gate) * torch.tanh(candidate)
        return torch.cat([torch.sigmoid(output_gate) * torch.tanh(cell), cell], -1)

    def sequence(self, inputs: Tensor, state: Tensor | None = None) -> Tensor:
        """Outputs ``(batch, time, hidden)`` for inputs ``(batch, time, input)``, by torch's fused kernel, from a state or from zeros."""
        if state is None:
            return self.layer(inputs)[0]
        parts = tuple(part.unsqueeze(0).contiguous() for part in state.chunk(self.state_width // self.hidden, -1))
        return self.layer(inputs, parts if self.kind == "lstm" else parts[0])[0]
