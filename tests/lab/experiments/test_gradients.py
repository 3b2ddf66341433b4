from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.batches import Batch
from nmt.lab.experiments.architectures import architecture, reading_cell, recurrent_architecture
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.gradients import (
    EXPERIMENT,
    STEPS,
    Flow,
    Highway,
    Measurement,
    embedded_flow,
    flow,
    highway,
    judge_highway,
    judge_vanishing,
    mean,
    vanishing,
)
from nmt.lab.experiments.span import VOCABULARY, recall
from nmt.models.recurrent import RecurrentModel


def measurement(ratio: float, forget: float | None = None) -> Measurement:
    """A model with this gradient ratio before and after training, and this forget gate."""
    way = Highway([ratio, *[1.0] * (STEPS - 2), 0.0], forget, forget**48) if forget else None
    flow = Flow([ratio, *[1.0] * (STEPS - 1)], [ratio, *[1.0] * (STEPS - 1)], way)
    return Measurement(flow, flow, flow, flow, 1.0)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ({"tanh": 1e-9, "lstm-1": 0.1, "lstm-5": 0.7}, "holds"),
        ({"tanh": 1e-9, "lstm-0": 1e-9, "lstm-5": 0.7}, "holds under conditions"),
        ({"tanh": 1e-9, "lstm-0": 1e-9}, "does not hold"),
        ({"tanh": 0.5, "lstm-1": 0.5}, "does not hold"),
        ({"gru": 1e-9, "transformer": 0.5, "lstm-1": 0.5}, None),
    ],
)
def test_the_verdict_on_vanishing_follows_the_ratios(ratios: dict[str, float], verdict: Verdict | None) -> None:
    assert judge_vanishing(ratios) == verdict


@pytest.mark.parametrize(
    ("forget", "verdict"),
    [
        ({"lstm-5": 0.9999}, "holds"),
        ({"lstm-0": 0.5, "lstm-5": 0.9999}, "holds under conditions"),
        ({"lstm-5": 0.999}, "does not hold"),  # 0.37 is left after 1000 steps
    ],
)
def test_the_verdict_on_the_highway_follows_the_forget_gates(forget: dict[str, float], verdict: Verdict) -> None:
    assert judge_highway(forget) == verdict


@pytest.mark.parametrize(
    ("lstm", "words"),
    [(1e-12, "lstm-torch loses at least as much as tanh-torch"), (1e-6, "lstm-torch loses less than tanh-torch")],
)
def test_the_comparison_of_untrained_cells_follows_the_numbers(lstm: float, words: str) -> None:
    (claim,) = vanishing({"tanh-torch": [measurement(1e-9)], "lstm-torch": [measurement(lstm, 0.5)]})
    assert words in claim.number


def test_the_highway_is_predicted_by_the_mean_forget_gate() -> None:
    (claim,) = highway({"tanh": [measurement(1e-9)], "lstm-5": [measurement(0.8, 0.99)]})
    assert "f^t is lstm-5 0.62" in claim.number  # 0.99^48
    assert "keeps lstm-5 0.8" in claim.number
    assert highway({"tanh": [measurement(1e-9)]}) == []


def test_a_mean_of_ratios_is_geometric_and_survives_underflow() -> None:
    assert mean([1e-2, 1e-6]) == pytest.approx(1e-4)
    assert mean([0.0, 1e-6]) == 0.0


def test_the_experiment_reports_every_cell_and_three_claims() -> None:
    told: list[str] = []
    outcome = EXPERIMENT(Options(cells=("tanh", "lstm", "transformer"), seeds=1, updates=1), told.append)
    assert [row[0] for row in outcome.rows] == ["tanh", "lstm-1", "transformer"]
    assert [claim.id for claim in outcome.claims] == ["B3", "C2", "B5"]
    assert len(told) == 3 + 8  # each model, and two optimizers with two gains, clipped and not
    assert outcome.figure is not None
    before, after = outcome.figure().axes
    assert len(before.lines) == len(after.lines) == 3
    assert [len(measurement["start"]["hidden"]) for measurement in outcome.details["models"]["lstm-1"]] == [STEPS]


SHORT = 12


def batch() -> Batch:
    return recall(SHORT - 1, 6)(np.random.default_rng(0))


def silent(name: str, recurrent: float) -> RecurrentModel:
    """A model in fp64 that reads zeros; the recurrent matrix of its first gate is ``recurrent`` times the identity."""
    model = recurrent_architecture(name, vocabulary=VOCABULARY, seed=1).double()
    layer = reading_cell(model).layer
    model.embed_source.weight.data.zero_()
    layer.weight_hh_l0.data.zero_()
    layer.weight_hh_l0.data[:64] = recurrent * torch.eye(64)
    return model


def test_a_tanh_cell_at_rest_multiplies_the_gradient_by_its_matrix_at_every_step() -> None:
    found = flow(silent("tanh", 0.5), batch())
    assert len(found.hidden) == SHORT
    assert found.ratio == pytest.approx(0.5 ** (SHORT - 1), rel=1e-12)
    assert (found.state, found.highway) == (found.hidden, None)


@pytest.mark.parametrize("bias", [0.0, 1.0, 5.0])
def test_an_lstm_without_recurrent_weights_multiplies_the_gradient_by_its_forget_gate(bias: float) -> None:
    found = flow(silent(f"lstm-{bias:.0f}", 0.0), batch())
    assert found.highway is not None
    expected = torch.tensor(bias).double().sigmoid().item()
    assert found.highway.forget == pytest.approx(expected, rel=1e-12)
    for kept in (found.highway.decay, found.highway.gates, found.highway.predicted):
        assert kept == pytest.approx(expected ** (SHORT - 2), rel=1e-10)
    assert found.hidden[:-1] == [0.0] * (SHORT - 1)
    assert found.hidden[-1] > 0.0


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm-1"])
def test_the_gradient_of_the_last_step_is_that_of_the_whole_model(name: str) -> None:
    model, given = recurrent_architecture(name, vocabulary=VOCABULARY, seed=1).double(), batch()
    memory = model.encode(given.source, given.source_mask)
    memory.slots.retain_grad()
    logits = model.decode(given.previous[:, :1], memory)[:, 0]
    loss = torch.nn.functional.cross_entropy(logits, given.expected[:, 0], reduction="sum")
    loss.backward()  # type: ignore[no-untyped-call]
    assert memory.slots.grad is not None
    assert flow(model, given).hidden[-1] == pytest.approx(memory.slots.grad[:, 0].norm(dim=-1).mean().item(), rel=1e-9)


def test_a_transformer_passes_a_gradient_to_every_position() -> None:
    found = embedded_flow(architecture("transformer", vocabulary=VOCABULARY, seed=1), batch())
    assert len(found.hidden) == SHORT
    assert min(found.hidden) > 0.0
