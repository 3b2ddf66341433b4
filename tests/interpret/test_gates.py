from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from nmt.errors import UserError
from nmt.interpret import interpretation as methods
from nmt.interpret.interpretation import interpret
from nmt.interpret.sentence import translate_sentence

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh

SOURCE = torch.tensor([[7, 9, 8, 11, 3]])


@pytest.mark.parametrize(("kind", "names"), [("lstm", ["input", "forget", "output"]), ("gru", ["reset", "update"])])
def test_every_gate_of_every_direction_has_a_row_over_the_pieces(fresh: Fresh, kind: str, names: list[str]) -> None:
    heatmap = interpret(fresh(cell=kind), "ab", "gates").heatmap
    assert [row.text for row in heatmap.rows] == [f"{way} {name}" for way in ("forward", "backward") for name in names]
    assert [label.text for label in heatmap.columns] == ["▁", "-a", "-b", "⟨end⟩"]
    assert all(0 < value < 1 for row in heatmap.values for value in row)
    assert heatmap.row_margin.values == pytest.approx([sum(row) / 4 for row in heatmap.values])


def test_the_backward_gates_of_a_source_are_the_forward_gates_of_the_source_reversed(fresh: Fresh) -> None:
    model: Any = fresh().interpreted
    encoder: Any = model.encoder
    encoder.backwards.load_state_dict(encoder.forwards.state_dict())
    there, back = model.encoder_gates(SOURCE), model.encoder_gates(SOURCE.flip(1))
    forget: Tensor = there["forward forget"]
    assert forget.shape == (5, 4)
    torch.testing.assert_close(back["backward forget"].flip(0), forget)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_an_encoder_of_one_direction_has_gates_of_that_direction(fresh: Fresh, direction: str) -> None:
    encoder = {"layers": 2, "hidden": 8, "direction": direction, "residual": False}
    model: Any = fresh(encoder=encoder).interpreted
    assert {name.split()[0] for name in model.encoder_gates(SOURCE)} == {direction}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"family": "transformer"}, "not recurrent"),
        ({"cell": "tanh"}, "cell tanh"),
        ({"encoder": {"layers": 1, "hidden": 4, "direction": "none", "residual": False}}, "bag of words"),
    ],
)
def test_an_error_says_why_a_model_has_no_gates(fresh: Fresh, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        methods.gates(translate_sentence(fresh(**changes), "ab"))
