from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import torch

from nmt.data.vocabulary import BOS, EOS
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import TranslationModel
from nmt.runs.run_folder import Run
from nmt.training.dataset import Dataset
from nmt.training.fit import validator
from nmt.training.loading import reload_dataset
from nmt.training.validation import Validator

if TYPE_CHECKING:
    from tests.training.conftest import Toy

CPU = torch.device("cpu")


class Made(NamedTuple):
    validator: Validator
    model: TranslationModel
    dataset: Dataset


@pytest.fixture
def made(toy: Toy) -> Made:
    """A validator of a run's fresh model, whose dropout is on."""
    toy.train("run", "training.updates=1")
    run = Run(Path("run"))
    dataset, model = reload_dataset(run, print), run.model().train()
    return Made(validator(run, model, dataset, CPU, "fp32"), model, dataset)


def test_the_loss_is_in_nats_per_target_token_with_eos_without_padding_and_dropout(made: Made) -> None:
    loss, model = made.validator().loss, made.model.eval()
    nll, tokens = 0.0, 0
    for source, target in ([side[row] for side in made.dataset.valid] for row in range(4)):
        ids = torch.tensor([[*source, EOS]])
        logits = model(ids, torch.ones_like(ids, dtype=torch.bool), torch.tensor([[BOS, *target]]))
        nll -= logits.log_softmax(-1)[0].gather(1, torch.tensor([*target, EOS])[:, None]).sum().item()
        tokens += len(target) + 1
    assert loss == pytest.approx(nll / tokens, rel=1e-6)


def test_bleu_is_that_of_real_decoding(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypotheses that are the references score 100."""
    valid = made.dataset.corpus.valid
    known = dict(zip(valid.source, valid.target, strict=True))
    monkeypatch.setattr(TorchTranslator, "_text", lambda self, hypothesis: "")
    assert made.validator().bleu == 0
    monkeypatch.setattr(
        TorchTranslator,
        "translate",
        lambda self, lines: [type("Found", (), {"text": known[line]}) for line in lines],
    )
    assert made.validator().bleu == pytest.approx(100)


def test_validation_changes_neither_mode_nor_random_states(made: Made) -> None:
    """Neither in the random state, nor in the model's mode, nor in its weights, and it gives the same twice."""
    before = torch.get_rng_state(), [parameter.clone() for parameter in made.model.parameters()]
    assert made.validator() == made.validator()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert made.model.training
    assert all(map(torch.equal, made.model.parameters(), before[1]))
    assert all(parameter.grad is None for parameter in made.model.parameters())
