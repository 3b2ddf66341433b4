"""Recurrent cells behind one signature.

A state is one tensor: [h; c] side by side for the LSTM, h for GRU and tanh, so no other module depends on the kind of
cell. `Cell.step` is the equations of the paper; `Cell.sequence` runs the same weights through torch's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

CELLS: dict[str, Callable[..., Any]] = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
PROJECTIONS = {"tanh": 1, "gru": 3, "lstm": 4}
"""By kind: how many times its hidden units an input is projected to, the candidate included."""
GATES: dict[str, tuple[str, ...]] = {
    "tanh": (),
    "gru": ("reset", "update"),
    "lstm": ("input", "forget", "output"),
}
"""By kind: the names of its gates, which lie in 0..1."""


class FusedLayer(Protocol):
    """The part of torch's recurrent layers used here, whose weights type checkers do not see."""

    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __call__(self, inputs: Tensor, state: Tensor | tuple[Tensor, ...] | None = None) -> tuple[Tensor, Any]: ...


class Cell(nn.Module):
    """One recurrent layer in one direction.

    kind: tanh (Elman 1990), gru (Cho et al. 2014, arXiv:1406.1078) or lstm (Hochreiter and Schmidhuber 1997 with the
    forget gate of Gers et al. 2000). forget_bias is the initial bias of the LSTM's forget gate: at 0 a fresh cell
    forgets half of its state every step.
    """

    def __init__(self, kind: str, width: int, hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__()
        if kind not in CELLS:
            raise ValueError(f"model.cell: expected one of {', '.join(CELLS)}, found {kind!r}")
        self.kind, self.width, self.hidden, self.projected = kind, width, hidden, PROJECTIONS[kind] * hidden
        self.state_width = 2 * hidden if kind == "lstm" else hidden
        self.layer: FusedLayer = CELLS[kind](width, hidden, batch_first=True)
        self._initialise(forget_bias)

    def _initialise(self, forget_bias: float) -> None:
        """Glorot input weights, an orthogonal matrix per gate (Saxe et al. 2014), biases 0 except the forget gate's."""
        layer = self.layer
        for gate in range(PROJECTIONS[self.kind]):
            rows = slice(gate * self.hidden, (gate + 1) * self.hidden)
            nn.init.xavier_uniform_(layer.weight_ih_l0.data[rows])
            nn.init.orthogonal_(layer.weight_hh_l0.data[rows])
        nn.init.zeros_(layer.bias_ih_l0)
        nn.init.zeros_(layer.bias_hh_l0)
        if self.kind == "lstm":
            layer.bias_ih_l0.data[self.hidden : 2 * self.hidden] = forget_bias

    def output(self, state: Tensor) -> Tensor:
        """The hidden state h of a state, ``(..., hidden)``."""
        return state[..., : self.hidden]

    def project(self, inputs: Tensor, start: int = 0) -> Tensor:
        """W x, the inputs' share of the gates, ``(..., input) -> (..., gate x hidden)``.

        It does not depend on the state, so a whole sequence is projected at once, outside the recurrence. Inputs from
        column ``start`` of W on may be given alone; the bias is added with column 0.
        """
        weight = self.layer.weight_ih_l0[:, start : start + inputs.shape[-1]]
        return functional.linear(inputs, weight, None if start else self.layer.bias_ih_l0)

    def gates(self, projected: Tensor, state: Tensor) -> dict[str, Tensor]:
        """Gates in 0..1 and the candidate in -1..1, ``(..., hidden)`` by name, from projected inputs and the state."""
        recurrent = functional.linear(self.output(state), self.layer.weight_hh_l0, self.layer.bias_hh_l0)
        if self.kind == "tanh":
            return {"candidate": torch.tanh(projected + recurrent)}
        if self.kind == "gru":
            reset_x, update_x, new_x = projected.chunk(3, -1)
            reset_h, update_h, new_h = recurrent.chunk(3, -1)
            reset, update = torch.sigmoid(reset_x + reset_h), torch.sigmoid(update_x + update_h)
            # the reset gate after the product, as cuDNN computes it; the paper has it before
            return {"reset": reset, "update": update, "candidate": torch.tanh(new_x + reset * new_h)}
        input_gate, forget_gate, candidate, output_gate = (projected + recurrent).chunk(4, -1)
        return {
            "input": torch.sigmoid(input_gate),
            "forget": torch.sigmoid(forget_gate),
            "candidate": torch.tanh(candidate),
            "output": torch.sigmoid(output_gate),
        }

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """The state after one step, from projected inputs ``(batch, gate x hidden)`` and the state before."""
        gates = self.gates(projected, state)
        if self.kind == "tanh":
            return gates["candidate"]
        if self.kind == "gru":
            return (1 - gates["update"]) * gates["candidate"] + gates["update"] * state
        cell = gates["forget"] * state[..., self.hidden :] + gates["input"] * gates["candidate"]
        return torch.cat([gates["output"] * torch.tanh(cell), cell], -1)

    def gates_over(self, inputs: Tensor) -> dict[str, Tensor]:
        """The gates of each step by name, ``(batch, time, hidden)``, over ``(batch, time, input)`` from zeros."""
        state, steps = inputs.new_zeros(len(inputs), self.state_width), []
        for projected in self.project(inputs).unbind(1):
            steps.append(self.gates(projected, state))
            state = self.step(projected, state)
        return {name: torch.stack([gates[name] for gates in steps], 1) for name in GATES[self.kind]}

    def sequence(self, inputs: Tensor, state: Tensor | None = None) -> Tensor:
        """Outputs ``(batch, time, hidden)`` by torch's fused kernel for ``(batch, time, input)``, from a state."""
        if state is None:
            return self.layer(inputs)[0]
        parts = tuple(part.unsqueeze(0).contiguous() for part in state.chunk(self.state_width // self.hidden, -1))
        return self.layer(inputs, parts if self.kind == "lstm" else parts[0])[0]
