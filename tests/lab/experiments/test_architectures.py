from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.lab.experiments.architectures import NAMES, architecture, reading_cell, recurrent_architecture, resolve
from nmt.lab.experiments.span import VOCABULARY, adding, number, recall


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lstm"])
def test_every_architecture_reads_tokens_and_numbers(name: str) -> None:
    tokens, numbers = recall(5, 2)(np.random.default_rng(0)), adding(5, 2)(np.random.default_rng(0))
    model = architecture(name, vocabulary=VOCABULARY, seed=1)
    assert model(tokens.source, tokens.source_mask, tokens.previous).shape == (2, 2, VOCABULARY)
    assert number(architecture(name, vocabulary=VOCABULARY, seed=1, numbers=True), numbers).shape == (2, 1)


def test_initial_weights_follow_the_name() -> None:
    def recurrent_weights(name: str) -> torch.Tensor:
        return reading_cell(recurrent_architecture(name, vocabulary=VOCABULARY, seed=1)).layer.weight_hh_l0.detach()

    orthogonal, uniform = recurrent_weights("tanh"), recurrent_weights("tanh-torch")
    torch.testing.assert_close(orthogonal @ orthogonal.T, torch.eye(64), atol=1e-5, rtol=0.0)
    assert uniform.abs().max().item() == pytest.approx(1 / 8, abs=1e-3)  # 4096 draws reach the bound of 1/sqrt(64)
    layer = reading_cell(recurrent_architecture("lstm-5", vocabulary=VOCABULARY, seed=1)).layer
    assert set((layer.bias_ih_l0 + layer.bias_hh_l0)[64:128].tolist()) == {5.0}


def test_the_same_seed_gives_the_same_weights_and_an_alias_the_same_model() -> None:
    torch.manual_seed(5)
    first = architecture("gru", vocabulary=VOCABULARY, seed=3).state_dict()
    again = architecture("gru", vocabulary=VOCABULARY, seed=3).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert resolve(("lstm", "tanh", "lstm-1")) == ("lstm-1", "tanh")
