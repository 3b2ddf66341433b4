from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.data.vocabulary import BOS
from nmt.errors import UserError
from nmt.interpret.sentence import target_log_probabilities, translate_sentence

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh

FAMILIES = [
    {"attention": "none", "thought_vector": "initial_state"},
    {"attention": "none"},
    {},
    {"family": "transformer"},
]


@pytest.mark.parametrize("changes", FAMILIES, ids=str)
@torch.no_grad()
def test_scores_are_log_probabilities_under_teacher_forcing_and_sum_to_that_of_the_translation(
    fresh: Fresh, changes: dict[str, Any]
) -> None:
    translator = fresh(**changes)
    sentence = translate_sentence(translator, "ein Hund")
    assert translator.interpreted is not None
    source, target = torch.tensor([sentence.source_tokens]), torch.tensor([sentence.target_tokens])
    previous = torch.cat([torch.tensor([[BOS]]), target[:, :-1]], 1)
    whole = translator.interpreted(source, torch.ones_like(source, dtype=torch.bool), previous).log_softmax(-1)
    expected = whole.gather(2, target.unsqueeze(2)).flatten().tolist()
    assert sentence.scores == pytest.approx(expected, abs=1e-5)  # rounding of fp32 in another order
    assert target_log_probabilities(translator.model, source, sentence.target_tokens)[0].tolist() == pytest.approx(
        expected, abs=1e-5
    )
    assert math.fsum(sentence.scores) == pytest.approx(sentence.hypothesis.log_probability)
    assert len(sentence.scores) == len(sentence.target_pieces) == len(sentence.target_tokens)


@torch.no_grad()
def test_the_translation_is_the_one_that_nmt_translate_gives(fresh: Fresh) -> None:
    translator = fresh()
    found, sentence = translator.translate("ein Hund"), translate_sentence(translator, "ein Hund")
    assert (sentence.text, sentence.target_pieces, sentence.source_pieces) == (
        found.text,
        found.pieces,
        found.source_pieces,
    )
    assert sentence.hypothesis.score == pytest.approx(found.score)


@pytest.mark.parametrize("text", ["", " \n\t", "\u2028"])
def test_a_sentence_without_text_is_refused(fresh: Fresh, text: str) -> None:
    with pytest.raises(UserError, match=r"^the sentence is empty"):
        translate_sentence(fresh(), text)


def test_a_sentence_that_would_be_split_is_refused_with_both_lengths(fresh: Fresh) -> None:
    with pytest.raises(UserError, match="has 42 tokens, and this run translates at most 40"):
        translate_sentence(fresh(), "a" * 41)  # and the beginning of the word


def test_control_characters_are_replaced(fresh: Fresh) -> None:
    assert translate_sentence(fresh(), "a\x1b[31mb").source == "a\ufffd[31mb"
