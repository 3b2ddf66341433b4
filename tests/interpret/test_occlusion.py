from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from nmt.data.vocabulary import EOS, Vocabulary
from nmt.interpret import interpretation as methods
from nmt.interpret.sentence import translate_sentence
from nmt.models.protocol import Step, repeat

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh


class Bag:
    """A fake model whose logits are the sum of a row for each source piece, at every step."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows

    def encode(self, source: Tensor, mask: Tensor) -> Tensor:
        return (self.rows[source] * mask.unsqueeze(-1)).sum(1)

    def initial_state(self, memory: Tensor) -> Tensor:
        return torch.zeros(len(memory))

    def step(self, previous: Tensor, state: Any, memory: Tensor) -> Step:
        return Step(repeat(memory, len(previous) // len(memory)), state, torch.ones(len(previous), 1))


@pytest.fixture
def rows(vocabulary: Vocabulary) -> Tensor:
    return torch.randn(len(vocabulary), len(vocabulary), generator=torch.Generator().manual_seed(0))


def test_a_source_piece_that_the_model_ignores_has_value_0_and_others_have_not(
    fresh: Fresh, vocabulary: Vocabulary, rows: Tensor
) -> None:
    ignored = vocabulary.encode("b")[1]
    rows[ignored] = 0
    sentence = translate_sentence(fresh(Bag(rows)), "abc")
    heatmap = methods.occlusion(sentence)
    column = sentence.source_tokens.index(ignored)
    assert [row[column] for row in heatmap.values] == pytest.approx([0] * len(heatmap.rows), abs=1e-5)
    assert heatmap.column_margin is not None
    assert [place for place, value in enumerate(heatmap.column_margin.values) if abs(value) < 1e-4] == [column]


def test_a_value_is_the_fall_of_the_log_probability_without_the_piece(fresh: Fresh, rows: Tensor) -> None:
    sentence = translate_sentence(fresh(Bag(rows)), "abc")
    tokens, target = sentence.source_tokens, sentence.target_tokens
    whole = rows[tokens].sum(0).log_softmax(-1)[target]
    without = [(rows[tokens].sum(0) - rows[token]).log_softmax(-1)[target] for token in tokens[:-1]]
    expected = torch.stack([whole - each for each in without], 1)
    torch.testing.assert_close(methods.occlusion_falls(sentence), expected, atol=1e-4, rtol=0)  # sums in another order
    heatmap = methods.occlusion(sentence)
    assert heatmap.column_margin is not None
    assert heatmap.column_margin.values == pytest.approx(expected.sum(0).tolist(), abs=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"attention": "none", "thought_vector": "initial_state"},
        {"attention": "none"},
        {},
        {"cell": "gru"},
        {"family": "transformer"},
    ],
    ids=str,
)
def test_every_family_can_be_occluded_in_batches_of_any_size(fresh: Fresh, changes: dict[str, Any]) -> None:
    found = methods.occlusion_falls(translate_sentence(fresh(**changes), "ab cd"))
    alone = methods.occlusion_falls(translate_sentence(fresh(**changes, batch_tokens=1), "ab cd"))
    assert found.shape[1] == 6
    assert found.abs().max() > 1e-4
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=0)


def test_a_piece_that_lowers_the_probability_is_negative_and_has_a_note(fresh: Fresh, vocabulary: Vocabulary) -> None:
    _, against, wanted = vocabulary.encode("ab")
    rows = torch.zeros(len(vocabulary), len(vocabulary))
    rows[EOS, wanted], rows[against, wanted] = 9.0, -2.0
    heatmap = methods.occlusion(translate_sentence(fresh(Bag(rows)), "a"))
    assert heatmap.values[0][1] < -0.1
    assert heatmap.notes == ("A piece that became more probable has a value below 0 and is not shaded.",)
    assert heatmap.shade(-1.0) == 0


def test_a_model_that_ignores_the_source_has_no_dark_cells(fresh: Fresh, vocabulary: Vocabulary) -> None:
    heatmap = methods.occlusion(translate_sentence(fresh(Bag(torch.zeros(len(vocabulary), len(vocabulary)))), "abc"))
    assert max(heatmap.shade(value) for row in heatmap.values for value in row) == 0
