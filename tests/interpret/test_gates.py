from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.errors import UserError
from nmt.interpret import methods
from nmt.interpret.interpretation import interpret
from nmt.interpret.sentence import translate_sentence
from nmt.models.cells import Cell
from nmt.models.recurrent import RecurrentModel

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh

SOURCE = torch.tensor([[7, 9, 8, 11, 3]])
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
    expected = dict(zip(TORCHS_ORDER[kind], together.sigmoid().split(4, -1), strict=True))  # type: ignore[no-untyped-call]  # torch leaves it so
    del expected["candidate"]
    torch.testing.assert_close(methods.cell_gates(cell, inputs), expected)


@pytest.mark.parametrize(("kind", "names"), [("lstm", ["input", "forget", "output"]), ("gru", ["reset", "update"])])
def test_every_gate_of_every_direction_has_a_row_over_the_pieces(fresh: Fresh, kind: str, names: list[str]) -> None:
    heatmap = interpret(fresh(cell=kind), "ab", "gates").heatmap
    assert [row.text for row in heatmap.rows] == [f"{way} {name}" for way in ("forward", "backward") for name in names]
    assert [label.text for label in heatmap.columns] == ["▁", "-a", "-b", "⟨end⟩"]
    assert all(0 < value < 1 for row in heatmap.values for value in row)
    assert heatmap.row_margin.values == pytest.approx([sum(row) / 4 for row in heatmap.values])


def test_the_backward_gates_of_a_source_are_the_forward_gates_of_the_source_reversed(fresh: Fresh) -> None:
    model = fresh().model
    assert isinstance(model, RecurrentModel)
    encoder: Any = model.encoder
    encoder.backwards.load_state_dict(encoder.forwards.state_dict())
    there, back = methods.encoder_gates(model, SOURCE), methods.encoder_gates(model, SOURCE.flip(1))
    forget: Tensor = there["forward forget"]
    assert forget.shape == (5, 4)
    torch.testing.assert_close(back["backward forget"].flip(0), forget)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_an_encoder_of_one_direction_has_the_gates_of_that(fresh: Fresh, direction: str) -> None:
    encoder = {"layers": 2, "hidden": 8, "direction": direction, "residual": False}
    assert {name.split()[0] for name in methods.encoder_gates(fresh(encoder=encoder).model, SOURCE)} == {direction}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "transformer"}, "not recurrent"),
        ({"cell": "tanh"}, "cell tanh"),
        ({"encoder": {"layers": 1, "hidden": 4, "direction": "none", "residual": False}}, "bag of words"),
    ],
)
def test_what_has_no_gates_is_refused_with_what_it_is(fresh: Fresh, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        methods.gates(translate_sentence(fresh(**changes), "ab"))
