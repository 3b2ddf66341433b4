from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.batches import Batch
from nmt.lab.experiments.architectures import architecture, encoder
from nmt.lab.experiments.flow import flow
from nmt.lab.experiments.span import VOCABULARY, recall
from nmt.models.protocol import TranslationModel

STEPS = 12


def batch() -> Batch:
    return recall(STEPS - 1, 6)(np.random.default_rng(0))


def silent(name: str, recurrent: float) -> TranslationModel:
    """A model in double precision that reads zeros, with a recurrent matrix of ``recurrent`` times the identity for the first gate."""
    model = architecture(name, vocabulary=VOCABULARY, seed=1).double()
    layer = encoder(model).forwards[0].layer
    model.embed_source.weight.data.zero_()  # type: ignore[union-attr, operator]  # a module
    layer.weight_hh_l0.data.zero_()
    layer.weight_hh_l0.data[:64] = recurrent * torch.eye(64)
    return model


def test_a_tanh_cell_at_rest_multiplies_the_gradient_by_its_matrix_at_every_step() -> None:
    found = flow(silent("tanh", 0.5), batch())
    assert len(found.hidden) == STEPS
    assert found.ratio == pytest.approx(0.5 ** (STEPS - 1), rel=1e-12)
    assert (found.state, found.highway) == (found.hidden, None)


@pytest.mark.parametrize("bias", [0.0, 1.0, 5.0])
def test_an_lstm_without_recurrent_weights_keeps_by_its_cell_what_the_forget_gate_lets_through(bias: float) -> None:
    found = flow(silent(f"lstm-{bias:.0f}", 0.0), batch())
    assert found.highway is not None
    expected = torch.tensor(bias).double().sigmoid().item()
    assert found.highway.forget == pytest.approx(expected, rel=1e-12)
    for kept in (found.highway.decay, found.highway.gates, found.highway.predicted):
        assert kept == pytest.approx(expected ** (STEPS - 2), rel=1e-10)
    assert found.hidden[:-1] == [0.0] * (STEPS - 1)
    assert found.hidden[-1] > 0.0


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm-1"])
def test_what_the_last_step_gets_is_the_gradient_of_the_model_that_translates(name: str) -> None:
    model, given = architecture(name, vocabulary=VOCABULARY, seed=1).double(), batch()
    memory = model.encode(given.source, given.source_mask)
    memory.slots.retain_grad()
    logits = model.decode(given.previous[:, :1], memory)[:, 0]
    torch.nn.functional.cross_entropy(logits, given.expected[:, 0], reduction="sum").backward()  # type: ignore[no-untyped-call]
    assert memory.slots.grad is not None
    assert flow(model, given).hidden[-1] == pytest.approx(memory.slots.grad[:, 0].norm(dim=-1).mean().item(), rel=1e-9)


def test_a_transformer_passes_a_gradient_to_every_position() -> None:
    found = flow(architecture("transformer", vocabulary=VOCABULARY, seed=1), batch())
    assert len(found.hidden) == STEPS
    assert min(found.hidden) > 0.0
