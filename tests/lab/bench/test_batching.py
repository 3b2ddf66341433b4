from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from nmt.data.vocabulary import EOS, Vocabulary, train
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator
from nmt.lab.bench.batching import MOST, pairs
from nmt.models.protocol import Memory, Step, repeat
from nmt.search import SearchSettings

VOCABULARY = Vocabulary(train(["ab cd ef gh"], type="bpe", size=275))
SENTENCES = [("ab cd ef gh " * length).strip() for length in range(1, 13)] * 12


class Model:
    """Writes one letter per sentence of the batch, or, if it is sound, one per token of its own source."""

    def __init__(self, sound: bool) -> None:
        self.sound = sound

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        lengths = mask.sum(1) if self.sound else torch.full((len(mask),), len(mask))
        return Memory(lengths[:, None, None].float(), mask)

    def initial_state(self, memory: Memory) -> Tensor:
        return torch.zeros(len(memory.slots))

    def step(self, previous: Tensor, state: Any, memory: Memory) -> Step:
        memory = repeat(memory, len(previous) // len(memory.slots))
        wanted = torch.where(state < memory.slots[:, 0, 0] % 5, 270, EOS).long()
        return Step(torch.nn.functional.one_hot(wanted, len(VOCABULARY)) * 20.0, state + 1, memory.mask.float())


@pytest.mark.parametrize("sound", [True, False])
def test_a_model_that_looks_at_its_neighbours_is_found_out(sound: bool) -> None:
    translator = TorchTranslator(
        Model(sound), VOCABULARY, VOCABULARY, SearchSettings(beam=2), TrainingStatistics(100), batch_tokens=7
    )
    found = list(pairs(translator, SENTENCES))
    assert sorted(pair.alone.source for pair in found) == sorted(SENTENCES)
    assert all(pair.alone.source == pair.together.source for pair in found)
    assert len({pair.beside for pair in found}) > 1
    assert max(pair.beside for pair in found) < MOST
    assert all(pair.same and pair.difference < 1e-5 for pair in found) == sound
    assert translator.batch_tokens == 7
