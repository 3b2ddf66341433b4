from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.models.cells import CELLS, Cell

BATCH, TIME, WIDTH, HIDDEN = 3, 50, 5, 7


def cell_of(kind: str, dtype: torch.dtype = torch.float32) -> Cell:
    """A cell whose weights and biases are all as torch begins them: none is 0, and the state neither dies nor
    explodes."""
    torch.manual_seed(0)
    cell = Cell(kind, WIDTH, HIDDEN).to(dtype)
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -(HIDDEN**-0.5), HIDDEN**-0.5)
    return cell


def copy_weights(cells: list[Cell], layer: nn.RNNBase) -> None:
    """Into each direction of each layer of torch's module, in torch's order."""
    for cell, names in zip(cells, layer._all_weights, strict=True):
        for mine, name in zip(cell.parameters(), names, strict=True):
            getattr(layer, name).data.copy_(mine)


def unrolled(cell: Cell, inputs: Tensor, state: Tensor) -> list[Tensor]:
    states = []
    for each in inputs.unbind(1):
        state = cell.step(cell.project(each), state)
        states.append(state)
    return states


# In double precision only the equations can differ; in single precision rounding of 1e-7 a step, which is damped.
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
@pytest.mark.parametrize("kind", CELLS)
@torch.no_grad()
def test_a_cell_equals_torchs_step_by_step(kind: str, dtype: torch.dtype, tolerance: float) -> None:
    cell, reference = cell_of(kind, dtype), CELLS[kind](WIDTH, HIDDEN, batch_first=True, dtype=dtype)
    copy_weights([cell], reference)
    inputs, zeros = torch.randn(BATCH, TIME, WIDTH, dtype=dtype), torch.zeros(BATCH, cell.state_width, dtype=dtype)
    expected = None
    for position, state in enumerate(unrolled(cell, inputs, zeros)):
        _, expected = reference(inputs[:, position : position + 1], expected)
        together = torch.cat([*expected], -1) if kind == "lstm" else expected
        torch.testing.assert_close(state, together.squeeze(0), atol=tolerance, rtol=0.0)


@pytest.mark.parametrize("kind", CELLS)
@torch.no_grad()
def test_a_sequence_equals_its_steps(kind: str) -> None:
    cell = cell_of(kind)
    inputs, zeros = torch.randn(BATCH, TIME, WIDTH), torch.zeros(BATCH, cell.state_width)
    for start, given in ((zeros, None), (torch.randn_like(zeros), "start")):
        expected = torch.stack([cell.output(state) for state in unrolled(cell, inputs, start)], 1)
        torch.testing.assert_close(cell.sequence(inputs, start if given else None), expected, atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("kind", CELLS)
@torch.no_grad()
def test_inputs_projected_in_two_parts_equal_the_whole(kind: str) -> None:
    cell, inputs = cell_of(kind), torch.randn(BATCH, WIDTH)
    parts = cell.project(inputs[:, :2]) + cell.project(inputs[:, 2:], 2)
    torch.testing.assert_close(parts, cell.project(inputs), atol=1e-6, rtol=0.0)


@torch.no_grad()
def test_a_fresh_lstm_keeps_of_its_cell_what_the_forget_bias_says() -> None:
    cell = Cell("lstm", WIDTH, HIDDEN, forget_bias=2.5)
    memory = torch.randn(BATCH, HIDDEN)
    state = cell.step(cell.project(torch.zeros(BATCH, WIDTH)), torch.cat([torch.zeros(BATCH, HIDDEN), memory], -1))
    torch.testing.assert_close(state[:, HIDDEN:], torch.sigmoid(torch.tensor(2.5)) * memory)
    torch.testing.assert_close(cell.output(state), 0.5 * torch.tanh(state[:, HIDDEN:]))  # the other biases are 0


def test_a_gru_has_three_quarters_of_an_lstms_parameters() -> None:
    gru, lstm = (sum(each.numel() for each in Cell(kind, WIDTH, HIDDEN).parameters()) for kind in ("gru", "lstm"))
    assert 4 * gru == 3 * lstm


@pytest.mark.parametrize("kind", CELLS)
def test_fresh_recurrent_weights_are_orthogonal_gate_by_gate(kind: str) -> None:
    for gate in torch.split(Cell(kind, WIDTH, HIDDEN).layer.weight_hh_l0, HIDDEN):
        torch.testing.assert_close(gate @ gate.T, torch.eye(HIDDEN), atol=1e-5, rtol=0.0)


TORCHS_ORDER = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate")}
"""As the documentation of torch.nn.LSTM and torch.nn.GRU stacks them."""


@pytest.mark.parametrize("kind", TORCHS_ORDER)
@torch.no_grad()
def test_gates_follow_from_the_outputs_of_torchs_own_layer(kind: str) -> None:
    torch.manual_seed(0)
    cell = Cell(kind, 5, 4)
    for parameter in cell.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    inputs = torch.randn(6, 5)
    before = torch.cat([torch.zeros(1, 4), cell.sequence(inputs.unsqueeze(0))[0, :-1]])
    layer = cell.layer
    together = functional.linear(inputs, layer.weight_ih_l0, layer.bias_ih_l0) + functional.linear(
        before, layer.weight_hh_l0, layer.bias_hh_l0
    )
    expected = dict(zip(TORCHS_ORDER[kind], torch.split(together.sigmoid(), 4, -1), strict=True))
    del expected["candidate"]
    found = {name: gate[0] for name, gate in cell.gates_over(inputs.unsqueeze(0)).items()}
    torch.testing.assert_close(found, expected)
