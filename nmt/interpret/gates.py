"""What the gates of a recurrent encoder do while it reads: one row a gate and direction, one column a source piece."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nmt.errors import UserError
from nmt.interpret.matrix import Label, Margin, Matrix, labels
from nmt.interpret.subject import Subject
from nmt.models.cells import Cell
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import DecodingProtocol
from nmt.models.recurrent import RecurrentModel

GATES = {"lstm": {"input": 0, "forget": 1, "output": 3}, "gru": {"reset": 0, "update": 1}}
"""The gates of a cell by their place among its projections; what is left out is the candidate, which is no gate."""


def matrix(subject: Subject) -> Matrix:
    """The mean over units of each gate of the bottom layer, 0 shut to 1 open, ``(gate, source)``; the end of the source is read like a piece."""
    found = traces(subject.model, torch.tensor([subject.source_tokens], device=subject.device))
    values = [trace.mean(-1).tolist() for trace in found.values()]
    return Matrix(
        rows=[Label(name) for name in found],
        columns=labels(subject.source_pieces),
        values=values,
        scale="gate, mean over units, bottom layer",
        beside=Margin("mean", [sum(row) / len(row) for row in values]),
    )


@torch.inference_mode()
def traces(model: DecodingProtocol, source: Tensor) -> dict[str, Tensor]:
    """The gates of an encoder's bottom layer, ``(source, hidden)`` by direction and gate, for one source ``(1, source)``.

    Column j of a direction is what the gate did when that direction read piece j, coming from the left or from the right.
    """
    encoder = _encoder(model)
    embedded = model.embed_source(source)[0] if isinstance(model, RecurrentModel) else source
    ways = {"forward": (encoder.forwards, False), "backward": (encoder.backwards, True)}
    found = dict[str, Tensor]()
    for way, (cells, turned) in ways.items():
        for cell in list(cells)[:1]:
            gates = cell_gates(cell, embedded.flip(0) if turned else embedded)
            found |= {f"{way} {name}": gate.flip(0) if turned else gate for name, gate in gates.items()}
    return found


def cell_gates(cell: Cell, inputs: Tensor) -> dict[str, Tensor]:
    """Each gate at each step of a sequence ``(time, input)``, from a state of zeros: ``(time, hidden)``."""
    projected = cell.project(inputs)
    state = projected.new_zeros(1, cell.state_width)
    steps = []
    for share in torch.split(projected, 1):
        recurrent = functional.linear(cell.output(state), cell.layer.weight_hh_l0, cell.layer.bias_hh_l0)
        steps.append(torch.sigmoid(share + recurrent)[0])
        state = cell.step(share, state)
    parts = torch.split(torch.stack(steps), cell.hidden, -1)
    return {name: parts[place] for name, place in GATES[cell.kind].items()}


def _encoder(model: DecodingProtocol) -> RecurrentEncoder:
    """The encoder of a model that has gates."""
    if not isinstance(model, RecurrentModel):
        raise UserError("gates: this run's model is not recurrent and so has none; use --kind attention or occlusion")
    if not isinstance(model.encoder, RecurrentEncoder):
        raise UserError(
            "gates: this run's encoder is a bag of words (direction none) and so has none; use --kind occlusion"
        )
    if (kind := model.cells[0].kind) not in GATES:
        raise UserError(f"gates: this run has cell {kind}, which has none; use --kind occlusion")
    return model.encoder
