from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nmt.lab.experiments.traces import trace_gates, unroll
from nmt.models.cells import Cell

BATCH, TIME, WIDTH, HIDDEN = 3, 9, 5, 7


def lstm() -> tuple[Cell, Tensor]:
    """A cell in double precision with biases that are not 0, and inputs for it."""
    torch.manual_seed(0)
    cell = Cell("lstm", WIDTH, HIDDEN).double()
    torch.nn.init.normal_(cell.layer.bias_hh_l0)
    return cell, torch.randn(BATCH, TIME, WIDTH, dtype=torch.float64)


@torch.no_grad()
def test_unrolling_gives_the_states_of_the_fused_sequence() -> None:
    cell, inputs = lstm()
    torch.testing.assert_close(cell.output(torch.stack(unroll(cell, inputs)[1:], 1)), cell.sequence(inputs))


@torch.no_grad()
def test_the_traced_gates_make_the_states() -> None:
    cell, inputs = lstm()
    gates, states = trace_gates(cell, inputs), torch.stack(unroll(cell, inputs), 1)
    hidden, kept = states.chunk(2, -1)
    torch.testing.assert_close(kept[:, 1:], gates["forget"] * kept[:, :-1] + gates["input"] * gates["candidate"])
    torch.testing.assert_close(hidden[:, 1:], gates["output"] * kept[:, 1:].tanh())


@pytest.mark.parametrize("name", ["input", "forget", "output"])
@torch.no_grad()
def test_the_bias_of_one_gate_opens_that_gate_alone(name: str) -> None:
    cell, inputs = lstm()
    start = {"input": 0, "forget": 1, "output": 3}[name] * HIDDEN
    cell.layer.bias_ih_l0[start : start + HIDDEN] = 100.0
    gates = {each: trace_gates(cell, inputs)[each] for each in ("input", "forget", "output")}
    assert {each for each, values in gates.items() if bool((values > 0.999).all())} == {name}


@pytest.mark.parametrize("kind", ["tanh", "gru", "lstm"])
@torch.no_grad()
def test_unrolling_begins_at_zeros_and_gives_a_state_for_every_step(kind: str) -> None:
    cell, inputs = Cell(kind, WIDTH, HIDDEN), torch.randn(BATCH, TIME, WIDTH)
    states = unroll(cell, inputs)
    assert (len(states), states[0].abs().sum().item()) == (TIME + 1, 0.0)
    torch.testing.assert_close(
        torch.stack([cell.output(state) for state in states[1:]], 1), cell.sequence(inputs), atol=1e-6, rtol=0.0
    )
